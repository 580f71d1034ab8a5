"""Trains a small neural network on the digits that ship with scikit-learn, and prints its loss."""

import argparse
import json
import os
import pathlib

from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, required=True)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch_size", type=int, default=32)
    options = parser.parse_args()

    images, labels = load_digits(return_X_y=True)
    train_x, eval_x, train_y, eval_y = train_test_split(images / 16.0, labels, test_size=0.25, random_state=0)
    model = MLPClassifier(
        (64,), learning_rate_init=options.lr, batch_size=options.batch_size, solver="sgd", random_state=0
    )
    for epoch in range(options.epochs):
        model.partial_fit(train_x, train_y, classes=range(10))
        loss = log_loss(eval_y, model.predict_proba(eval_x))
        print(
            f"epoch={epoch + 1} eval_loss={loss:.5f} accuracy={model.score(eval_x, eval_y):.4f}", flush=True
        )

    folder = pathlib.Path(os.environ.get("SM_MODEL_DIR", "."))
    (folder / "model.json").write_text(json.dumps({"coefs": [c.tolist() for c in model.coefs_]}))


if __name__ == "__main__":
    main()
