"""A neural network with one hidden layer on the two moons: forward and backward pass, by hand."""

import argparse
import math
import random


def moons(count: int, source: random.Random) -> list[tuple[float, float, int]]:
    points = []
    for _ in range(count):
        label, angle = source.randrange(2), source.uniform(0, math.pi)
        x, y = (1 - math.cos(angle), 0.5 - math.sin(angle)) if label else (math.cos(angle), math.sin(angle))
        points.append((x + source.gauss(0, 0.2), y + source.gauss(0, 0.2), label))
    return points


class Network:
    def __init__(self, hidden: int, activation: str, source: random.Random) -> None:
        self.inner = [[source.gauss(0, 1) for _ in range(3)] for _ in range(hidden)]
        self.outer = [source.gauss(0, 1 / math.sqrt(hidden)) for _ in range(hidden + 1)]
        self.relu = activation == "relu"

    def forward(self, x: float, y: float) -> tuple[list[float], float]:
        """The hidden layer, and the probability of the second moon."""
        sums = [a * x + b * y + c for a, b, c in self.inner]
        hidden = [max(0.0, s) if self.relu else math.tanh(s) for s in sums]
        z = self.outer[-1] + sum(w * h for w, h in zip(self.outer, hidden, strict=False))
        return hidden, 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))

    def learn(self, x: float, y: float, label: int, lr: float) -> None:
        hidden, p = self.forward(x, y)
        error = p - label
        for at, h in enumerate(hidden):
            slope = float(h > 0) if self.relu else 1 - h * h
            back = error * self.outer[at] * slope
            self.outer[at] -= lr * error * h
            for place, value in enumerate((x, y, 1.0)):
                self.inner[at][place] -= lr * back * value
        self.outer[-1] -= lr * error


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--hidden", type=int, default=8)
    parser.add_argument("--activation", choices=("tanh", "relu"), default="tanh")
    parser.add_argument("--epochs", type=int, default=30)
    options = parser.parse_args()

    source = random.Random(1)
    train, held_out = moons(150, source), moons(150, source)
    network = Network(options.hidden, options.activation, source)
    for epoch in range(1, options.epochs + 1):
        source.shuffle(train)
        for x, y, label in train:
            network.learn(x, y, label, options.lr)
        loss = 0.0
        for x, y, label in held_out:
            _, p = network.forward(x, y)
            loss -= math.log(max(1e-9, p if label else 1 - p)) / len(held_out)
        print(f"epoch={epoch} eval_loss={loss:.5f}", flush=True)


if __name__ == "__main__":
    main()
