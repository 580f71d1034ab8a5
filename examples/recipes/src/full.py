"""Tunes every weight of the map."""

import argparse
import random

from task import NOISE, SIZE, errors, evaluate, inputs, task


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.3)
    parser.add_argument("--epochs", type=int, default=15)
    options = parser.parse_args()

    _, wanted = task()
    source = random.Random(0)
    update = [[0.0] * SIZE for _ in range(SIZE)]
    print(f"trains {SIZE * SIZE} of {SIZE * SIZE} weights")
    for epoch in range(1, options.epochs + 1):
        for vector in inputs(40, source):
            error = [e + source.gauss(0, NOISE) for e in errors(update, wanted, vector)]
            for i in range(SIZE):
                for j in range(SIZE):
                    update[i][j] -= options.lr / SIZE * error[i] * vector[j]
        print(f"epoch={epoch} eval_loss={evaluate(update, wanted):.5f}", flush=True)


if __name__ == "__main__":
    main()
