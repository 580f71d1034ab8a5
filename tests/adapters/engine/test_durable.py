"""The durable function's few lines, at AWS's own test runner, which skips the waiting."""

from __future__ import annotations

import gc
import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestRunner
from shared_rows import shared

from wpfsm.adapters.engine import durable, executions, turns
from wpfsm.state.shared import wake
from wpfsm.state.shared.table import Table


class Here:
    """A place with a table, and nothing else."""

    def __init__(self, table: Table) -> None:
        self.table = table


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """A table, of which the function knows."""
    with shared() as (made, _):
        monkeypatch.setattr(durable, "_here", lambda: Here(made))
        # A timer is skipped, a callback's timeout is not.
        monkeypatch.setattr(durable, "SHORT_SECONDS", 2)
        yield made
    with warnings.catch_warnings():
        # AWS's test runner leaves its event loop to the garbage collector, which complains.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def run(monkeypatch: pytest.MonkeyPatch, *given: dict[str, Any]) -> tuple[list[int], Any]:
    """Run the handler over turns that come to this; returns the generations that asked, and its result."""
    left, asked = list(given), []

    def take(_: object, loop_id: str, *, generation: int) -> dict[str, Any]:
        asked.append(generation)
        return {"loop": loop_id, "knocks": 0, "over": False, "seconds": None, **left.pop(0)}

    monkeypatch.setattr(turns, "take", take)
    with DurableFunctionTestRunner(durable.handler) as runner:
        result = runner.run(json.dumps({"loop": "l", "generation": 3}), execution_timeout=3600)
    assert result.status.value == "SUCCEEDED", result.error
    return asked, json.loads(result.result or "null")


def test_turns_follow_one_another_until_the_loop_is_over(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short waits and long ones; each turn is a step that is taken once."""
    asked, result = run(monkeypatch, {"seconds": 0.2}, {"seconds": 2.0}, {"over": True, "exit_code": 0})
    assert asked == [3, 3, 3]
    assert result["exit_code"] == 0


def test_a_knock_during_the_turn_keeps_it_from_sleeping(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came while the turn ran is looked at at once: no callback is armed that nobody would answer."""
    wake.knock(table, "l")
    asked, _ = run(monkeypatch, {"seconds": 250.0, "knocks": 0}, {"over": True})
    assert len(asked) == 2
    item = table.get("l", "WAKE")
    assert item is not None
    assert "callback" not in item


def test_before_the_engines_limit_the_next_generation_goes_on(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An execution may have 3,000 operations: it hands over in time."""
    begun: list[tuple[str, int]] = []
    monkeypatch.setattr(durable, "MOST_TURNS", 3)
    monkeypatch.setattr(
        executions, "begin", lambda _, loop_id, after: begun.append((loop_id, after)) or after + 1
    )
    asked, result = run(monkeypatch, *[{"seconds": 1.0}] * 3)
    assert (len(asked), begun, result["continued_as"]) == (3, [("l", 3)], 4)
    assert durable.MOST_TURNS * 3 < 3000


def test_the_engine_is_not_home_made() -> None:
    """No poll loop and no lease of our own in the function that the engine runs."""
    import inspect

    source = inspect.getsource(durable)
    assert "time.sleep" not in source
    assert "lease" not in source
    assert "finally:" not in source
