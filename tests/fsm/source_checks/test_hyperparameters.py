"""Values that the script would refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from checked_scripts import found

from wpfsm.fsm.records import JSON


@pytest.mark.parametrize(
    ("parser", "values", "said"),
    [
        ("p.add_argument('--learning_rate')", {"lr": [1]}, "does not know --lr"),
        ("p.add_argument('--batch-size', type=int)", {"batch_size": [8]}, "does not know --batch_size"),
        ("p.add_argument('--fp16', action='store_true')", {"fp16": [True]}, "is a switch"),
        (
            "p.add_argument('--opt', choices=['sgd', 'adam'])",
            {"opt": ["sgd", "lion"]},
            "--opt lion is not among",
        ),
        ("p.add_argument('--epochs', type=int)", {"epochs": [3.5]}, "--epochs 3.5 is not the int"),
        ("p.add_argument('--data', required=True)", {}, "requires --data"),
    ],
)
def test_argparse_refuses(parser: str, values: Mapping[str, Sequence[JSON]], said: str) -> None:
    """An unknown name, a switch, a value of another type or outside the choices, and one that is required."""
    (one,) = found(
        f"import argparse\np = argparse.ArgumentParser()\n{parser}\np.parse_args()\n", values=values
    )
    assert said in one.text
    assert (one.file, one.line) == ("train.py", 3)
