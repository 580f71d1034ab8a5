"""Tunes nothing but one bias for each output: what the adapters are measured against."""

import argparse
import os
import random

from task import SIZE, apply, inputs, task


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=15)
    options = parser.parse_args()
    print(os.environ.get("NOTE", ""))

    _, wanted = task()
    source = random.Random(0)
    bias = [0.0] * SIZE
    held_out = inputs(50, random.Random(99))
    for epoch in range(1, options.epochs + 1):
        for vector in inputs(40, source):
            for i, w in enumerate(apply(wanted, vector)):
                bias[i] -= options.lr / SIZE * (bias[i] - w)
        squares = [(bias[i] - w) ** 2 for v in held_out for i, w in enumerate(apply(wanted, v))]
        print(f"epoch={epoch} eval_loss={sum(squares) / len(squares):.5f}", flush=True)


if __name__ == "__main__":
    main()
