"""A training script with a bug in it."""

import argparse

SCHEDULES = {"constant": lambda rate: rate, "half": lambda rate: rate / 2}

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
arguments = parser.parse_args()


def train(rate: float, schedule: str) -> float:
    return 1 / (1 + SCHEDULES[schedule](rate))


print(f"eval_loss={train(arguments.lr, 'halve'):.4f}")
