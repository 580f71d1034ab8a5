"""Every value that a hyperparameter will be given."""

from __future__ import annotations

from typing import Any

import pytest

from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.source_checks.trial_values import values_given


def values(strategy: dict[str, Any], **hyperparameters: Any) -> dict[str, list[Any]]:
    """The values of a loop file with this strategy."""
    job = {"source": "src", "entry": "train.py", "hyperparameters": hyperparameters}
    file = LoopFile.model_validate(
        {
            "version": 1, "name": "lr", "backend": "local", "pool": {"instance_type": "ml.g5.xlarge"}, "job": job,
            "metric": {"name": "loss", "goal": "minimize", "regex": "loss=(.*)"}, "strategy": strategy,
        }
    )  # fmt: skip
    return {name: list(given) for name, given in values_given(file).items()}


def test_the_loop_files_value_comes_first_and_each_value_once() -> None:
    """A grid repeats each value in many trials."""
    grid = {"type": "sweep", "method": "grid", "parameters": {"lr": [0.1, 0.2], "bs": [8, 16]}}

    assert values(grid, lr=0.5, epochs=3) == {"lr": [0.5, 0.1, 0.2], "epochs": [3], "bs": [8, 16]}


@pytest.mark.parametrize("strategy", [{"type": "single"}, {"type": "ask"}])
def test_a_strategy_that_varies_nothing_adds_nothing(strategy: dict[str, Any]) -> None:
    """The job as the loop file gives it."""
    assert values(strategy, lr=0.5) == {"lr": [0.5]}


def test_a_random_search_gives_values_within_its_range() -> None:
    """They are known beforehand, for the search is seeded."""
    search = {"type": "sweep", "method": "random", "count": 5, "parameters": {"lr": {"min": 0.1, "max": 0.2}}}

    found = values(search)["lr"]
    assert found == values(search)["lr"]
    assert len(found) == 5
    assert all(0.1 <= value <= 0.2 for value in found)
