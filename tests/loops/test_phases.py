"""Phases: several strategies in order on one pool, each from what those before it have found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
from crash_checks import violations
from crash_stories import JOB, METRIC, POOL
from crash_world import Story
from strategy_stories import Outcome, run, world_of

from wpfsm.adapters.documents.loop import loop_document
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.adapters.terminal.loop_text import loop_text


def _members(launch: Launch, name: str) -> Mapping[str, str]:
    return cast("Mapping[str, str]", launch.request.get(name) or {})


def _fails(line: int, error: str) -> Script:
    lines = ["Traceback (most recent call last):", f'  File "train.py", line {line}, in <module>', error]
    return Script(seconds=10, lines=lines, exit_code=1)


def learns(launch: Launch) -> Script:
    """A script that lacks two packages and reads a column that is not there; it learns best with 0.1."""
    source = _members(launch, "Environment")
    for name in ("numpy", "pandas"):
        if name not in source.get("REQUIREMENTS", ""):
            return _fails(1, f"ModuleNotFoundError: No module named '{name}'")
    if "'target'" not in source["TRAIN"]:
        return _fails(3, "KeyError: 'label'")
    rate = float(_members(launch, "HyperParameters")["lr"])
    continued = "WPFSM_CARRY_CHECKPOINT" in source
    loss = (0.1 if continued else 0.25) + abs(rate - 0.1)
    return Script(seconds=15, lines=[f"loss={loss:.3f}"])


SOURCE = {"train.py": "import numpy, pandas\n\nrows['label']\n", "requirements.txt": "# nothing yet\n"}
EDIT = ("src/train.py", "import numpy, pandas\n\nrows['target']\n")
SWEEP = {"type": "sweep", "method": "grid", "parameters": {"lr": [0.5, 0.1, 0.01]}}
PHASES: list[dict[str, Any]] = [{"type": "fix"}, SWEEP, {"type": "until", "target": "loss < 0.20"}]
REQUEST = Story(
    loop_file={
        "pool": POOL, "job": {**JOB, "hyperparameters": {"lr": 0.01}}, "metric": METRIC,
        "strategy": PHASES, "limits": {"max_jobs": 12},
    },
    script=learns,
    source=SOURCE,
    edits=(EDIT,),
)  # fmt: skip
"""Make it run, then try three learning rates, then keep training the best one until the loss is below 0.20."""


def with_phases(*phases: Mapping[str, Any], **loop_file: Any) -> Story:
    """The request with other phases."""
    return replace(REQUEST, loop_file={**REQUEST.loop_file, "strategy": list(phases), **loop_file})


def test_the_request_in_three_phases_takes_seven_jobs_and_one_cold_start() -> None:
    """Fix, sweep, until on one pool, with one hand-off: no point is paid twice, and no start is cold but the first."""
    with world_of(REQUEST) as world:
        result = world.finish()
        assert list(violations(world, result)) == []
        outcome = Outcome(world, result)
        with world.history() as history:
            handed_off = [event for event in history.events("story") if event.kind == "handed_off"]
            document = loop_document(history, history.find("story"), world.clock.now())
    assert outcome.exit_code == 0
    assert len(outcome.jobs) <= 7
    assert outcome.starts.count("cold") == 1
    assert ["KeyError" in event.why or "script" in str(event.data) for event in handed_off] == [True]
    assert outcome.labels == ["full job", "lr=0.5", "lr=0.1", "lr=0.01", "continued"]
    assert [trial.phase for trial in outcome.trials] == [1, 2, 2, 2, 3]
    assert [trial.base for trial in outcome.trials] == [None, 1, 1, 1, 3]
    assert [trial.taken_from for trial in outcome.trials] == [None, None, None, 1, None]
    assert outcome.jobs[-1].params == {"lr": 0.1}
    assert "met loss < 0.2" in outcome.loop.why
    assert document["loop"]["exit_code"] == 0
    phases: Any = document["phases"]
    assert [(p["type"], p["state"], p["jobs"], p["taken_over"]) for p in phases] == [
        ("fix", "over", 4, 0), ("sweep", "over", 2, 1), ("until", "over", 1, 0)
    ]  # fmt: skip
    costs = sum(job["cost_usd"] for job in cast("Any", document["jobs"]))
    assert sum(phase["cost_usd"] for phase in phases) == pytest.approx(costs)
    text = loop_text(document)
    assert "phase 2 sweep from trial 1: 3 trial(s), 2 job(s), 1 taken over" in text


def test_the_history_says_which_phase_begins_and_what_is_taken_over() -> None:
    """A reader of the events learns why no job ran for a point."""
    outcome = run(REQUEST)
    said = "\n".join(event.why for event in outcome.events)
    assert "begins phase 2 of 3 (sweep, from trial 1)" in said
    assert "trial 4 (lr=0.01) takes over the result of trial 1, which ran the same" in said
    assert "begins phase 3 of 3 (until, from trial 3)" in said


def test_a_point_on_another_source_is_not_taken_over() -> None:
    """The same values on a source that was patched since are another point."""

    def script(launch: Launch) -> Script:
        rate = float(_members(launch, "HyperParameters")["lr"])
        if rate == 0.5 and "fixed" not in _members(launch, "Environment")["TRAIN"]:
            return _fails(2, "KeyError: 'label'")
        return Script(seconds=5, lines=[f"loss={rate}"])

    story = Story(
        loop_file={
            **REQUEST.loop_file,
            "strategy": [
                {"type": "single"},
                SWEEP,
                {**SWEEP, "from": "last", "parameters": {"lr": [0.5, 0.01]}},
            ],
        },
        script=script,
        source={"train.py": "train()\n"},
        edits=(("src/train.py", "train()  # fixed\n"),),
    )
    outcome = run(story)
    # In the second phase the source changes under the hand-off; 0.01 of the first phase ran without the edit.
    assert [t.taken_from for t in outcome.trials] == [None, None, None, None, 2, 4]


def test_from_best_starts_from_the_values_and_the_source_of_the_best_trial() -> None:
    """Both phases' values together make the job; what a later phase does not set it inherits."""
    outcome = run(
        with_phases(
            {"type": "fix"},
            SWEEP,
            {"type": "sweep", "from": "best", "parameters": {"epochs": [1, 2]}},
        )
    )
    assert [job.params for job in outcome.jobs[-2:]] == [{"lr": 0.1, "epochs": 1}, {"lr": 0.1, "epochs": 2}]
    assert outcome.loop.outcome == "completed"


@pytest.mark.parametrize(("start", "rate"), [("best", 0.1), ("last", 0.01)])
def test_from_says_which_trial_a_phase_starts_from(start: str, rate: float) -> None:
    """The best, or the last one that completed."""
    until = {"type": "until", "target": "loss < 0.01", "from": start, "max_trials": 1}
    outcome = run(with_phases({"type": "fix"}, SWEEP, until))
    assert outcome.jobs[-1].params == {"lr": rate}
    assert (outcome.exit_code, outcome.loop.outcome) == (1, "no_goal")


def test_a_goal_that_the_base_meets_already_costs_no_job() -> None:
    """`until` asks for a number; where the best trial has it, nothing is trained."""
    outcome = run(with_phases({"type": "fix"}, SWEEP, {"type": "until", "target": "loss < 0.3"}))
    assert outcome.exit_code == 0
    assert len(outcome.jobs) == 6
    assert "trial 3 (lr=0.1) met loss < 0.3" in outcome.loop.why


@pytest.mark.parametrize(("on_miss", "labels"), [
    ("end", ["full job", "continued"]),
    ("continue", ["full job", "continued", "lr=0.5", "lr=0.1", "lr=0.01"]),
])  # fmt: skip
def test_a_phase_that_misses_its_goal_ends_the_loop_unless_it_says_otherwise(
    on_miss: str, labels: list[str]
) -> None:
    """A target out of reach is where a loop stops, as it is without phases."""
    until = {"type": "until", "target": "loss < 0.01", "max_trials": 1, "on_miss": on_miss}
    outcome = run(with_phases({"type": "fix"}, until, SWEEP))
    assert outcome.labels == labels
    assert outcome.loop.outcome == ("no_goal" if on_miss == "end" else "completed")
    assert outcome.exit_code == (1 if on_miss == "end" else 0)


def test_a_list_of_one_phase_is_that_strategy() -> None:
    """Nothing changes but that it is called a phase."""
    alone = run(replace(REQUEST, loop_file={**REQUEST.loop_file, "strategy": {"type": "fix"}}))
    listed = run(with_phases({"type": "fix"}))
    assert [(j.params, j.start) for j in alone.jobs] == [(j.params, j.start) for j in listed.jobs]
    assert alone.loop.outcome == listed.loop.outcome == "goal_met"
