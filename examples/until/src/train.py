"""Logistic regression that goes on from its checkpoint, if there is one."""

import argparse
import json
import math
import os
import pathlib
import random


def points(count: int, source: random.Random) -> list[tuple[float, float, int]]:
    made = []
    for _ in range(count):
        label = source.randrange(2)
        made.append((source.gauss(1.6 * label, 0.8), source.gauss(-1.2 * label, 0.8), label))
    return made


def probability(weights: list[float], x: float, y: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, weights[0] * x + weights[1] * y + weights[2]))))


def checkpoint() -> pathlib.Path | None:
    """Where the checkpoint is kept between jobs; None when this job is to begin afresh."""
    folder = os.environ.get("WPFSM_CHECKPOINT_DIR")
    if not os.environ.get("WPFSM_CARRY_CHECKPOINT") or not folder:
        return None
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    return path / "state.json"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()

    source = random.Random(5)
    train, held_out = points(100, source), points(300, source)
    kept = checkpoint()
    state = {"epoch": 0, "weights": [0.0, 0.0, 0.0]}
    if kept and kept.exists():
        state = json.loads(kept.read_text())
        print(f"continues after epoch {state['epoch']}")
    weights = state["weights"]
    for epoch in range(state["epoch"] + 1, state["epoch"] + options.epochs + 1):
        # The full batch: a step depends on the weights alone, so two jobs of five epochs are one of ten.
        errors = [(probability(weights, x, y) - label, x, y) for x, y, label in train]
        for place, gradient in enumerate(
            (sum(e * x for e, x, _ in errors), sum(e * y for e, _, y in errors), sum(e for e, _, _ in errors))
        ):
            weights[place] -= options.lr * gradient
        loss = 0.0
        for x, y, label in held_out:
            p = probability(weights, x, y)
            loss -= math.log(max(1e-12, p if label else 1 - p)) / len(held_out)
        print(f"epoch={epoch} eval_loss={loss:.4f}", flush=True)
        if kept:
            # Written beside and moved into place: a job that is cut off leaves the checkpoint before.
            beside = kept.with_suffix(".new")
            beside.write_text(json.dumps({"epoch": epoch, "weights": weights}))
            beside.replace(kept)


if __name__ == "__main__":
    main()
