"""Logistic regression on two overlapping clouds of points in eight dimensions, with weight decay."""

import argparse
import math
import random

DIMENSIONS = 8


def cloud(count: int, source: random.Random) -> list[tuple[list[float], int]]:
    """Points of two classes; only the first three dimensions tell them apart."""
    points = []
    for _ in range(count):
        label = source.randrange(2)
        shift = [0.8 if d < 3 and label else 0.0 for d in range(DIMENSIONS)]
        points.append(([s + source.gauss(0, 1) for s in shift], label))
    return points


def score(weights: list[float], point: list[float]) -> float:
    return weights[-1] + sum(w * x for w, x in zip(weights, point, strict=False))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--l2", type=float, default=1e-3)
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()

    source = random.Random(3)
    train, held_out = cloud(300, source), cloud(400, source)
    weights = [0.0] * (DIMENSIONS + 1)
    for epoch in range(1, options.epochs + 1):
        source.shuffle(train)
        for point, label in train:
            z = max(-30.0, min(30.0, score(weights, point)))
            error = 1 / (1 + math.exp(-z)) - label
            for d, x in enumerate([*point, 1.0]):
                weights[d] -= options.lr * (error * x + options.l2 * weights[d])
        right = sum((score(weights, point) > 0) == bool(label) for point, label in held_out)
        print(f"epoch={epoch} accuracy={right / len(held_out):.4f}", flush=True)


if __name__ == "__main__":
    main()
