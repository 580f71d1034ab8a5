"""Fits a polynomial to noisy points, by gradient descent."""

import argparse
import math
import random


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--degree", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--lr", type=float, default=0.2)
    options = parser.parse_args()

    source = random.Random(0)
    points = [
        (x, math.sin(3 * x) + source.gauss(0, 0.1)) for x in (source.uniform(-1, 1) for _ in range(120))
    ]
    train, held_out = points[:80], points[80:]
    weights = [0.0] * (options.degree + 1)

    def miss(x: float, y: float) -> float:
        return sum(w * x**power for power, w in enumerate(weights)) - y

    for epoch in range(1, options.epochs + 1):
        for power in range(len(weights)):
            weights[power] -= options.lr * sum(miss(x, y) * x**power for x, y in train) / len(train)
        if epoch % 20 == 0:
            loss = sum(miss(x, y) ** 2 for x, y in held_out) / len(held_out)
            print(f"epoch={epoch} eval_loss={loss:.5f}", flush=True)


if __name__ == "__main__":
    main()
