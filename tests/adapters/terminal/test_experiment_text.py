"""An experiment in a few lines, and what is left for further ones."""

from __future__ import annotations

from typing import Any

from wpfsm.adapters.terminal.experiment_text import experiment_lines, left_text

EXPERIMENT: dict[str, Any] = {
    "trial": 3, "label": "warmup", "base": 1, "verdict": "keep", "state": "completed", "why": "0.4 beats 0.5",
    "note": "it may start slower", "changes": {"warmup": (0, 100)},
    "files": [{"file": "train.py", "added": 2, "removed": 1}],
}  # fmt: skip


def test_an_experiment_says_what_was_changed_and_what_came_of_it() -> None:
    """Verdict, reason, hypothesis, values and files, in that order."""
    assert experiment_lines(EXPERIMENT) == [
        "trial 3 (warmup) on trial 1: keep",
        "why   0.4 beats 0.5",
        "note  it may start slower",
        "set   warmup 0 -> 100",
        "edit  train.py +2 -1",
    ]


def test_what_is_not_known_has_no_line() -> None:
    """A trial that still runs has its state and nothing made up."""
    bare = {
        **EXPERIMENT,
        "base": None,
        "verdict": "",
        "state": "running",
        "why": "",
        "note": "",
        "changes": {},
        "files": [],
    }
    assert experiment_lines(bare) == ["trial 3 (warmup): running"]


def test_what_has_no_limit_is_left_out_and_nothing_left_is_said() -> None:
    """0 jobs left is an end, and no job limit is none."""
    none = {"jobs": None, "trials": None, "cost_usd": None, "hold_seconds": None}
    assert left_text(none) == "no limit"
    assert left_text({**none, "jobs": 0}) == "0 job(s)"
    assert left_text({**none, "jobs": 5, "cost_usd": 3.2}) == "5 job(s), $3.20"
