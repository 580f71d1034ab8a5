"""Fits one weight by gradient descent; more epochs and a better rate bring the loss down."""

import argparse


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    weight = 4.0
    for epoch in range(1, options.epochs + 1):
        weight -= options.lr * 2 * (weight - 1)
        print(f"epoch={epoch} eval_loss={(weight - 1) ** 2 + 0.1:.4f}", flush=True)


if __name__ == "__main__":
    main()
