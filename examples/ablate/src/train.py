"""Logistic regression on features of very different scales, with two things that can be left out."""

import argparse
import math
import random

SCALES = (1.0, 5.0, 0.1, 1.0)
SLOPES = (1.5, -0.24, 12.0, 0.0)
"""What each feature really says, in its own unit."""


def flag(text: str) -> bool:
    return text.lower() == "true"


def sample(count: int, source: random.Random) -> list[tuple[list[float], int]]:
    rows = []
    for _ in range(count):
        row = [source.gauss(0, scale) for scale in SCALES]
        z = sum(slope * x for slope, x in zip(SLOPES, row, strict=True))
        rows.append((row, int(source.random() < 1 / (1 + math.exp(-z)))))
    return rows


def scaled(rows: list[tuple[list[float], int]]) -> list[tuple[list[float], int]]:
    return [([x / scale for x, scale in zip(row, SCALES, strict=True)], label) for row, label in rows]


def probability(weights: list[float], row: list[float]) -> float:
    z = sum(w * x for w, x in zip(weights, row, strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--standardize", type=flag, default=True)
    parser.add_argument("--shuffle", type=flag, default=True)
    options = parser.parse_args()

    data = random.Random(0)
    train, held_out = sample(300, data), sample(600, data)
    if options.standardize:
        train, held_out = scaled(train), scaled(held_out)
    source = random.Random(options.seed)  # another seed: other weights to begin with, and another order
    weights = [source.gauss(0, 0.3) for _ in SCALES]
    for epoch in range(1, options.epochs + 1):
        if options.shuffle:
            source.shuffle(train)
        for row, label in train:
            error = probability(weights, row) - label
            weights = [w - options.lr * error * x for w, x in zip(weights, row, strict=True)]
        loss = 0.0
        for row, label in held_out:
            p = probability(weights, row)
            loss -= math.log(max(1e-9, p if label else 1 - p)) / len(held_out)
        print(f"epoch={epoch} eval_loss={loss:.5f}", flush=True)


if __name__ == "__main__":
    main()
