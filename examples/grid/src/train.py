"""Learns to guess the next character of a text from the characters before it: softmax regression, by hand."""

import argparse
import math
import pathlib
import random

ALPHABET = " abcdefghijklmnopqrstuvwxyz"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--context", type=int, default=1, help="how many characters it sees")
    parser.add_argument("--batch_size", type=int, default=8)
    parser.add_argument("--lr", type=float, default=0.5)
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()

    text = pathlib.Path(__file__).with_name("text.txt").read_text(encoding="utf-8").lower()
    letters = [ALPHABET.find(c) for c in " ".join(text.split()) if c in ALPHABET]
    examples = [
        # One weight vector for each character at each place of the context.
        ([place * len(ALPHABET) + letters[at - 1 - place] for place in range(options.context)], letters[at])
        for at in range(options.context, len(letters))
    ]
    cut = len(examples) * 4 // 5
    train, held_out = examples[:cut], examples[cut:]
    weights = [[0.0] * len(ALPHABET) for _ in range(options.context * len(ALPHABET))]
    order = random.Random(0)
    for epoch in range(1, options.epochs + 1):
        order.shuffle(train)
        for start in range(0, len(train), options.batch_size):
            step(weights, train[start : start + options.batch_size], options.lr)
        loss = sum(-math.log(probabilities(weights, seen)[then]) for seen, then in held_out) / len(held_out)
        print(f"epoch={epoch} eval_loss={loss:.4f}", flush=True)


def probabilities(weights: list[list[float]], seen: list[int]) -> list[float]:
    scores = [sum(column) for column in zip(*(weights[row] for row in seen), strict=True)]
    top = max(scores)
    exps = [math.exp(score - top) for score in scores]
    total = sum(exps)
    return [max(e / total, 1e-12) for e in exps]


def step(weights: list[list[float]], batch: list[tuple[list[int], int]], lr: float) -> None:
    """One step down the mean gradient of the batch."""
    gradients = [(seen, then, probabilities(weights, seen)) for seen, then in batch]
    for seen, then, guessed in gradients:
        for row in seen:
            for letter, p in enumerate(guessed):
                weights[row][letter] -= lr / len(batch) * (p - (letter == then))


if __name__ == "__main__":
    main()
