"""`early_stop`: a hopeless job is stopped on its live metric, and its pool serves the next one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from crash_checks import account_of, violations
from crash_runs import survive
from crash_world import LOOP_ID, Story, World
from strategy_stories import Outcome, example, world_of

from wpfsm.adapters.documents.loop import loop_document
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.adapters.terminal import loop_text

REPORTS = 20
RULE = {"warmup_reports": 4, "min_trials": 2}


def learns(launch: Launch) -> Script:
    """Twenty reports over 400 s; with a rate of 9 they get worse and worse, and the job would never end."""
    rate = float(launch.request["HyperParameters"]["lr"])  # type: ignore[index, call-overload, arg-type]
    if rate == 9:
        return Script(seconds=10_000, lines=[f"eval_loss={2 + n / 100}" for n in range(500)])
    return Script(seconds=400, lines=[f"eval_loss={rate + 1 / (1 + n):.4f}" for n in range(REPORTS)])


def story(*rates: float, **more: Any) -> Story:
    strategy = {"type": "sweep", "method": "grid", "parameters": {"lr": list(rates)}, "smoke": False, **more}
    job = {"hyperparameters": {"epochs": 20}, "max_runtime": "48h"}
    return example("grid", learns, strategy=strategy, job=job, early_stop=RULE, limits={"max_cost": None})


@pytest.fixture(scope="module")
def stopped() -> Any:
    """A loop whose third trial is hopeless: the outcome, the world after it, and the document."""
    with world_of(story(0.1, 0.2, 9, 0.05)) as world:
        result = world.finish()
        assert list(violations(world, result)) == []
        yield Outcome(world, result), world, _document(world)


def test_the_trial_is_stopped_and_the_loop_goes_on(stopped: Any) -> None:
    """The median rule on the live metric: the other trials complete, the stopped one is not best."""
    outcome, _, document = stopped
    assert outcome.states == ["completed", "completed", "stopped", "completed"]
    assert outcome.exit_code == 0
    assert document["best"]["trial"] == 4
    job = outcome.jobs[2]
    assert (job.status, job.stopped_for) == ("Stopped", "early_stop")
    assert job.ended_at - job.created_at < 400, "long before its own end"
    assert job.diagnosis is None, "hopeless is no failure"


def test_stopping_keeps_the_pool_and_verifying_confirms_it(stopped: Any) -> None:
    """StopTrainingJob leaves a pool: it is read as Available, and the next job starts warm on it."""
    outcome, world, _ = stopped
    owner = outcome.jobs[2].name
    verified = [e for e in outcome.events if e.kind == "verified" and e.data.get("job") == owner]
    assert [event.data["pool"] for event in verified] == ["Available"]
    assert outcome.starts == ["cold", "warm", "warm", "warm"]
    assert outcome.jobs[3].reuse_of == owner
    calls = [call.operation for call in world.emulator.calls() if call.job == owner]
    assert calls.count("StopTrainingJob") == 1
    assert "UpdateTrainingJob" not in calls, "the pool was not released in between"


def test_people_see_why(stopped: Any) -> None:
    """The event has the rule's sentence, the table says that the job was stopped early."""
    outcome, _, document = stopped
    why = next(event.why for event in outcome.events if event.kind == "stop_intended")
    assert "worse than the median" in why
    assert "of 2 completed trials" in why
    assert "stopped early" in loop_text.loop_text(document)


def test_the_example_saves_the_rest_of_its_hopeless_trials() -> None:
    """Real training under the example's own rule: some are cut short, and the best is the one that it was."""
    with world_of(example("random-search")) as world:
        outcome = Outcome(world, world.finish())
    with world_of(example("random-search", early_stop=None)) as world:
        whole = Outcome(world, world.finish())
    assert "stopped" in outcome.states
    assert outcome.labels == whole.labels
    assert outcome.loop.why.partition("; ")[2] == whole.loop.why.partition("; ")[2], "the same best trial"
    spent = [sum(job.billable_seconds or 0 for job in each.jobs) for each in (outcome, whole)]
    assert spent[0] < spent[1]


def test_a_smoke_trial_is_no_measure() -> None:
    """A smoke trial and one full trial are completed, and the rule asks for two: nothing is judged by them."""
    should_prune = story(0.1, 9, smoke={"epochs": 1})
    ends = replace(should_prune, script=lambda launch: replace(learns(launch), seconds=400.0))
    with world_of(ends) as world:
        outcome = Outcome(world, world.finish())
    assert outcome.states == ["completed"] * 3
    assert [job.stopped_for for job in outcome.jobs] == [""] * 3


def test_a_stop_survives_crashes() -> None:
    """Killed at each boundary around the stop and resumed: stopped once, judged once."""
    failpoints: list[str] = []
    told = story(0.1, 0.2, 9)
    with world_of(told) as world:
        expected = account_of(world, world.finish(failpoints.append))
    around = [at for at, name in enumerate(failpoints) if "stop" in name]
    assert len(around) == 6
    for at in around:
        with world_of(told) as world:
            result = survive(world, at)
            assert list(violations(world, result)) == [], failpoints[at]
            account = account_of(world, result)
            assert (account.trials[:2], account.exit_code) == (expected.trials[:2], expected.exit_code)
            assert account.trials[2][:3] == expected.trials[2][:3]


def test_a_job_that_ends_before_it_is_stopped_is_judged_by_its_end() -> None:
    """The stop comes too late: the job is Completed, and so is its trial."""

    def last_moment(launch: Launch) -> Script:
        """The hopeless job ends by itself while the stop is on its way."""
        if float(launch.request["HyperParameters"]["lr"]) != 9:  # type: ignore[index, call-overload, arg-type]
            return learns(launch)
        return Script(seconds=80, lines=[f"eval_loss={2 + n / 100}" for n in range(8)])

    with world_of(replace(story(0.1, 0.2, 9), script=last_moment)) as world:

        def late(name: str) -> None:
            if name == "before call service.stop":
                world.clock.advance(200)

        result = world.finish(late)
        assert list(violations(world, result)) == []
        outcome = Outcome(world, result)
    assert outcome.jobs[2].stopped_for == "early_stop"
    assert (outcome.jobs[2].status, outcome.states[2]) == ("Completed", "completed")
    assert outcome.metrics[2] == 2.07


def _document(world: World) -> Any:
    with world.history() as history:
        loop = history.find(LOOP_ID)
        return loop_document(history, loop, now=loop.updated_at)
