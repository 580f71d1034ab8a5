"""Changes at a resume do what they say: of the metric, and of the strategy."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any, cast

import pytest
from crash_stories import JOB, METRIC, POOL
from crash_world import Story
from strategy_stories import Outcome, world_of

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm import controller
from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.resume import take_up_changes


def reports(launch: Launch) -> Script:
    """A job that fails for a negative rate, and else reports its loss in other words than the loop file has."""
    rate = float(cast("Any", launch.request["HyperParameters"])["lr"])
    if rate < 0:
        lines = [
            "Traceback (most recent call last):",
            '  File "train.py", line 1, in <module>',
            "ValueError: rate",
        ]
        return Script(seconds=5, lines=lines, exit_code=1)
    return Script(seconds=10, lines=[f"the loss is {rate}", f"loss={rate}"])


def story(rates: list[float], regex: str) -> Story:
    """A sweep."""
    loop_file = {"pool": POOL, "job": JOB, "metric": {**METRIC, "regex": regex},
                 "strategy": {"type": "sweep", "parameters": {"lr": rates}}}  # fmt: skip
    return Story(loop_file=loop_file, script=reports, source={"train.py": "train()\n"})


def change(world: Any, section: str, **values: Any) -> None:
    """Edit the loop file."""
    path = world.folder / "loop.yaml"
    loop_file = json.loads(path.read_text())
    loop_file[section] |= values
    path.write_text(json.dumps(loop_file))


def test_a_corrected_expression_reads_the_stored_log_and_no_job_is_paid_again() -> None:
    """The job completed; what it reported is in its log."""
    with world_of(story([0.5, 0.25], "nothing=([0-9.]+)")) as world:
        assert world.drive().exit_code == controller.HANDED_OFF
        change(world, "metric", regex="loss is ([0-9.]+)")
        outcome = Outcome(world, world.finish())
    assert outcome.exit_code == 0
    assert [(j.trial, j.metrics["loss"]) for j in outcome.jobs] == [(1, 0.5), (2, 0.25)]
    assert any("reads loss = 0.5 in the log of story-001" in event.why for event in outcome.events)


@pytest.mark.parametrize(("rates", "ran"), [([0.5, 0.1], [-1, 0.5, 0.1]), ([-1, 0.1], [-1, -1, 0.1])])
def test_a_changed_strategy_draws_the_failed_trial_anew(rates: list[float], ran: list[float]) -> None:
    """Where it does not ask for that point any more, its own next one runs; where it does, that one runs again."""
    with world_of(story([-1, 0.3], "loss=([0-9.]+)")) as world:
        assert world.drive().exit_code == controller.HANDED_OFF
        change(world, "strategy", parameters={"lr": rates})
        result = world.drive()
        if result.exit_code == controller.HANDED_OFF:
            world.abandon()
            ran = ran[:2]
        outcome = Outcome(world, result)
    assert [job.params["lr"] for job in outcome.jobs] == ran


def test_each_line_of_the_diff_says_from_which_trial_on_it_applies() -> None:
    """A limit at once, the job from the trial that goes on, the strategy from the next one that is drawn."""
    with world_of(story([-1, 0.3], "loss=([0-9.]+)")) as world:
        assert world.drive().exit_code == controller.HANDED_OFF
        change(world, "job", max_runtime="20m")
        change(world, "pool", price_per_hour=3.6)
        change(world, "strategy", parameters={"lr": [-1, 0.3, 0.1]})
        with contextlib.closing(world.controller()) as owned, pytest.raises(Refused) as refused:
            take_up_changes(Context(owned.ports), accept=False)
        remarks = re.findall(r"^\+ ([\w.]+): .*   \((.*)\)$", str(refused.value), re.MULTILINE)
        assert remarks == [
            ("job.max_runtime", "from trial 1 on"),
            ("pool.price_per_hour", "at once"),
            ("strategy.parameters.lr", "from trial 2 on"),
        ]
        change(world, "strategy", parameters={"lr": [0.3]})
        with contextlib.closing(world.controller()) as owned:
            told = take_up_changes(Context(owned.ports), accept=True)
            loop = owned.ports.store.loop()
    assert told == [
        "accepted: job.max_runtime (from trial 2 on)",
        "accepted: pool.price_per_hour (at once)",
        "accepted: strategy.parameters.lr (from trial 2 on, in the place of trial 1)",
    ]
    assert loop.price is not None
    assert loop.price.usd_per_hour == 3.6
