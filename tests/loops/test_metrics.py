"""Metrics of real loops: from the service, live from the log, and what a missing one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from crash_checks import violations
from crash_world import LOOP_ID, Story, Troubles, World
from strategy_stories import STORIES, Outcome, example, world_of

from wpfsm.adapters.documents.loop import loop_document
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script

SKIP = [{"when": ["nan_loss", "false_success"], "do": "skip"}]


def prints(*by_trial: Sequence[str], regex: str = r"eval_loss=(\S+)") -> Story:
    """A grid whose n-th trial prints the n-th lines; a loop file that goes on after any of them."""

    def script(launch: Launch) -> Script:
        rate = int(launch.request["HyperParameters"]["lr"])  # type: ignore[index, call-overload, arg-type]
        return Script(seconds=60, lines=list(by_trial[rate]))

    strategy = {
        "type": "sweep",
        "method": "grid",
        "parameters": {"lr": list(range(len(by_trial)))},
        "smoke": False,
    }
    metric = {"name": "eval_loss", "goal": "minimize", "regex": regex}
    return example(
        "grid", script, strategy=strategy, metric=metric, on_failure=SKIP, limits={"max_failures": 9}
    )


def document_of(world: World) -> Any:
    with world.history() as history:
        loop = history.find(LOOP_ID)
        return loop_document(history, loop, now=loop.updated_at)


@pytest.mark.parametrize("text", ["nan", "-inf", "inf", "Infinity"])
def test_a_metric_that_is_not_finite_is_null_and_never_best(text: str) -> None:
    """Minus infinity is below every loss, and wins nothing; the trial has no metric and did not complete."""
    with world_of(prints(["eval_loss=0.5"], ["eval_loss=0.1", f"eval_loss={text}"])) as world:
        outcome = Outcome(world, world.finish())
        document = document_of(world)
    assert outcome.metrics == [0.5, None]
    assert outcome.jobs[1].metrics == {"eval_loss": None}
    assert document["jobs"][1]["metrics"] == {"eval_loss": None}
    assert document["best"]["trial"] == 1
    assert outcome.states == ["completed", "failed"]
    assert outcome.exit_code == 0


def test_a_job_that_diverged_does_not_win_with_what_it_had_before() -> None:
    """The service's list keeps the last value that its expression could read; the log tells that it did not last."""
    regex = r"eval_loss=([0-9.eE+-]+)"
    with world_of(prints(["eval_loss=0.5"], ["eval_loss=0.1", "eval_loss=nan"], regex=regex)) as world:
        outcome = Outcome(world, world.finish())
        document = document_of(world)
    assert outcome.metrics == [0.5, None]
    assert document["best"]["trial"] == 1
    assert [job.diagnosis and job.diagnosis.class_ for job in outcome.jobs] == [None, "nan_loss"]


def test_a_completed_job_without_its_metric_is_a_failure_of_its_own_class() -> None:
    """Completed says the service, false_success says the loop: null, never 0, never best."""
    with world_of(prints(["eval_loss=0.5"], ["nothing to see"], ["eval_loss=0.7"])) as world:
        result = world.finish()
        assert list(violations(world, result)) == []
        outcome = Outcome(world, result)
        document = document_of(world)
    assert [job.status for job in outcome.jobs] == ["Completed"] * 3
    assert [job.diagnosis and job.diagnosis.class_ for job in outcome.jobs] == [None, "false_success", None]
    assert outcome.metrics == [0.5, None, 0.7]
    assert outcome.states == ["completed", "failed", "completed"]
    assert document["best"]["trial"] == 1


def test_a_metric_that_hides_behind_colours_is_said_to() -> None:
    """The number was printed, and the expression does not reach over the codes: nothing else would show why."""
    with world_of(prints(["\x1b[32meval_loss\x1b[0m=\x1b[1m0.31\x1b[0m"])) as world:
        outcome = Outcome(world, world.finish())
        document = document_of(world)
    diagnosis = outcome.jobs[0].diagnosis
    assert diagnosis is not None
    assert diagnosis.class_ == "false_success"
    assert "escape codes" in diagnosis.fix
    assert "NO_COLOR" in diagnosis.fix
    assert document["loop"]["fix"] == diagnosis.fix
    assert document["trials"][0]["verdict_why"].startswith("false_success: completed without its metric: ")


def test_a_trial_that_did_nothing_twice_ends_the_loop() -> None:
    """The same failure in two different trials: the rest of the grid would be no better."""
    with world_of(prints(["eval_loss=0.5"], ["?"], ["?"], ["eval_loss=0.1"])) as world:
        outcome = Outcome(world, world.finish())
    assert len(outcome.jobs) == 3
    assert outcome.exit_code == 1
    assert "failed in the same way" in outcome.loop.why


class Watching(Troubles):
    """Keeps the live metric."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, float]] = []

    def metric(self, name: str, value: float) -> None:
        """Kept."""
        self.seen.append((name, value))


def test_the_live_metric_is_what_the_service_reports_in_the_end() -> None:
    """One expression serves the log while the job runs, and the service; both end with the same value."""
    with world_of(STORIES["until"]) as world:
        world.progress = watching = Watching()
        outcome = Outcome(world, world.finish())
    values = [value for name, value in watching.seen if name == "eval_loss"]
    assert len(values) > len(outcome.jobs), "seen while the jobs ran, and not once at their end"
    for metric in outcome.metrics:
        assert metric in values
