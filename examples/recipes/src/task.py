"""The task that every recipe is tuned on: a linear map that differs from the pretrained one by rank 4."""

import random

SIZE = 10
TRUE_RANK = 4
NOISE = 0.5
"""Of what the map is trained on."""

Matrix = list[list[float]]


def matrix(rows: int, columns: int, scale: float, source: random.Random) -> Matrix:
    return [[source.gauss(0, scale) for _ in range(columns)] for _ in range(rows)]


def product(left: Matrix, right: Matrix) -> Matrix:
    columns = list(zip(*right, strict=True))
    return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in left]


def task() -> tuple[Matrix, Matrix]:
    """The pretrained map, and how the wanted one differs from it."""
    source = random.Random(2)
    pretrained = matrix(SIZE, SIZE, 0.3, source)
    down, up = matrix(TRUE_RANK, SIZE, 0.5, source), matrix(SIZE, TRUE_RANK, 0.5, source)
    return pretrained, product(up, down)


def inputs(count: int, source: random.Random) -> Matrix:
    return matrix(count, SIZE, 1.0, source)


def apply(weights: Matrix, vector: list[float]) -> list[float]:
    return [sum(w * x for w, x in zip(row, vector, strict=True)) for row in weights]


def errors(update: Matrix, wanted: Matrix, vector: list[float]) -> list[float]:
    """What the tuned map gives too much; the pretrained part is in both and falls out."""
    return [a - b for a, b in zip(apply(update, vector), apply(wanted, vector), strict=True)]


def evaluate(update: Matrix, wanted: Matrix) -> float:
    """Mean squared error on inputs that no recipe trains on."""
    held_out = inputs(50, random.Random(99))
    return sum(e * e for v in held_out for e in errors(update, wanted, v)) / (len(held_out) * SIZE)
