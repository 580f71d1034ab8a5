"""Changes to hyperparameters, and the options that a script declares."""

from __future__ import annotations

import pytest
from patch_stories import scaled

from wpfsm.fsm.patches.hyperparameters import accepted, changed


def test_the_scripts_own_options_are_known():
    """A batch size that only the script's parser knows is passed; a flag, which takes no value, is not."""
    script = (
        "p.add_argument('--batch-size', type=int, default=32)\n"
        "p.add_argument('--gradient_checkpointing', action='store_true')\n"
        "p.add_argument('--grad_ckpt', type=bool)\n"
    )

    assert accepted({"train.py": script}) == {"batch-size": 32, "grad_ckpt": None}
    assert scaled({}, files={"train.py": script}) == {"batch-size": 16}


@pytest.mark.parametrize(
    ("value", "change", "result"),
    [
        (8, "x0.5", 4), (3, "x0.5", 1), (1, "x0.5", 1), (0.4, "x0.5", 0.2), ("8", "* 0.25", 2), (2, "+1", 3),
        (1, "-1", 1), (0, "+1", 1), (None, "x0.5", None), (8, 2, 2), (8, "adam", "adam"), (True, False, False),
    ],
)  # fmt: skip
def test_an_expression_changes_a_value(value, change, result):
    """Whole numbers stay whole and do not fall below one; text that is no expression is the value."""
    assert changed(value, change) == result
