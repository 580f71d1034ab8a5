"""Tunes a low-rank adapter: the pretrained map stays, and what is added to it is the product of two thin ones."""

import argparse
import random

from task import NOISE, SIZE, apply, errors, evaluate, inputs, matrix, product, task


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rank", type=int, default=4)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=15)
    options = parser.parse_args()

    _, wanted = task()
    source = random.Random(0)
    # As usual, one of the two starts at zero, so that the adapter begins by changing nothing.
    down, up = matrix(options.rank, SIZE, 0.5, source), [[0.0] * options.rank for _ in range(SIZE)]
    print(f"trains {2 * SIZE * options.rank} of {SIZE * SIZE} weights")
    for epoch in range(1, options.epochs + 1):
        for vector in inputs(40, source):
            update = product(up, down)
            error = [e + source.gauss(0, NOISE) for e in errors(update, wanted, vector)]
            inner = apply(down, vector)
            back = [sum(up[i][r] * error[i] for i in range(SIZE)) for r in range(options.rank)]
            for i in range(SIZE):
                for r in range(options.rank):
                    up[i][r] -= options.lr / SIZE * error[i] * inner[r]
            for r in range(options.rank):
                for j in range(SIZE):
                    down[r][j] -= options.lr / SIZE * back[r] * vector[j]
        print(f"epoch={epoch} eval_loss={evaluate(product(up, down), wanted):.5f}", flush=True)


if __name__ == "__main__":
    main()
