"""From values to trials: grids, and rows that belong together."""

from __future__ import annotations

import pytest

from wpfsm.adapters.detect.detect import detect
from wpfsm.adapters.detect.findings import Detection
from wpfsm.adapters.detect.values import MAX_TRIALS


def ids(detection: Detection) -> list[dict[str, object]]:
    """The trials without the names of recipes."""
    return [{key: value for key, value in trial.items() if key != "recipe"} for trial in detection.trials]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("try lr 1e-4, 5e-5 and 2e-5 with batch sizes 8, 16 and 32 respectively", [(1e-4, 8), (5e-5, 16), (2e-5, 32)]),
        ("try learning rates 1e-4 and 2e-4 paired with batch sizes 8 and 16", [(1e-4, 8), (2e-4, 16)]),
        ("try batch size 1, 2, 4 with gradient accumulation 16, 8, 4", [(1, 16), (2, 8), (4, 4)]),
        ("try all combinations of lr 1e-4, 2e-4 and batch size 8, 16", [(1e-4, 8), (1e-4, 16), (2e-4, 8), (2e-4, 16)]),
        ("try (lr, batch size) = (1e-4, 8), (5e-5, 16)", [(1e-4, 8), (5e-5, 16)]),
        ("try lr 1e-4 bs 8, then lr 5e-5 bs 16", [(1e-4, 8), (5e-5, 16)]),
        ("try lr/weight decay/dropout of 1e-4/0.1/0.0, 2e-4/0.01/0.1", [(1e-4, 0.1, 0.0), (2e-4, 0.01, 0.1)]),
        ("try lr 1e-4 with batch size 8, 5e-5 with 16 and 2e-5 with 32", [(1e-4, 8), (5e-5, 16), (2e-5, 32)]),
        ('train with {"lr": [0.1, 0.01], "amp": [true, false]}', [(0.1, True), (0.1, False), (0.01, True), (0.01, False)]),
        ("run each row\nlr,wd\n1e-3,0.1\n5e-4,0.2", [(1e-3, 0.1), (5e-4, 0.2)]),
    ],
)  # fmt: skip
def test_lists_that_belong_together_are_rows_and_no_grid(
    text: str, rows: list[tuple[float | str, ...]]
) -> None:
    """A grid of nine jobs where three were meant costs six jobs; data is read as data."""
    assert [tuple(trial.values()) for trial in ids(detect(text))] == rows


def test_a_grid_is_cut_at_two_hundred_trials_and_says_so() -> None:
    """Fifteen by twenty values would be 300 trials."""
    seeds = ", ".join(str(n) for n in range(15))
    sizes = ", ".join(str(n) for n in range(1, 21))
    detection = detect(f"all combinations of seeds {seeds} and batch sizes {sizes}")
    assert len(detection.trials) == MAX_TRIALS
    assert str(MAX_TRIALS) in detection.message
