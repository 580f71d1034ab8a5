"""Limits, `--set` and `--accept-changes` work with every strategy."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from crash_checks import violations
from crash_world import Crash, World, loop_text
from strategy_stories import EXAMPLES, STORIES, Outcome, world_of

from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import MissingExtra, Refused
from wpfsm.fsm.loopfile.load import load
from wpfsm.fsm.records import Outcome as LoopOutcome
from wpfsm.fsm.resume import take_up_changes

SEVERAL = [name for name in STORIES if name != "single"]


def limited(name: str, **limits: Any) -> Outcome:
    """A story under other limits; its end is checked at the service."""
    story = STORIES[name]
    with world_of(replace(story, loop_file={**story.loop_file, "limits": limits})) as world:
        result = world.finish()
        assert list(violations(world, result)) == []
        return Outcome(world, result)


@pytest.mark.parametrize("name", SEVERAL)
def test_no_strategy_passes_the_number_of_jobs(name: str) -> None:
    """The loop ends released, with 20, when one more job would pass the limit."""
    outcome = limited(name, max_jobs=1)
    assert (outcome.exit_code, len(outcome.jobs)) == (20, 1)
    assert "limits.max_jobs is reached" in outcome.loop.why


@pytest.mark.parametrize("name", SEVERAL)
def test_no_strategy_passes_the_cost(name: str) -> None:
    """A job is refused when its worst case could pass the limit, whatever strategy asks for it."""
    # ml.g5.xlarge at $1.408: one job of at most 10 minutes and 10 minutes of keep-alive is $0.47 at worst.
    outcome = limited(name, max_cost=0.48)
    assert (outcome.exit_code, len(outcome.jobs)) == (20, 1)
    assert "could pass limits.max_cost" in outcome.loop.why


@pytest.mark.parametrize("name", STORIES)
def test_no_strategy_passes_the_time(name: str) -> None:
    """A first job that may last longer than the loop is refused before it is sent."""
    outcome = limited(name, max_wall="5m")
    assert (outcome.exit_code, len(outcome.jobs)) == (20, 0)
    assert "limits.max_wall" in outcome.loop.why


def test_a_failure_that_was_mended_does_not_count_against_its_limit() -> None:
    """The missing module of `fix` is patched, so it is none of the failures that the limit is about."""
    outcome = limited("fix", max_failures=1)
    assert (outcome.exit_code, len(outcome.jobs)) == (0, 3)


@pytest.mark.parametrize(
    ("name", "setting", "trials"),
    [
        ("grid", "strategy.parameters.context=[1, 2, 3]", 7),
        ("random-search", "strategy.count=3", 3),
        ("bayes", "strategy.count=2", 2),
        ("until", "strategy.max_trials=3", 3),
        ("fix", "strategy.attempts=4", 4),
        ("recipes", "strategy.recipes.1.hyperparameters.rank=8", 4),
        ("ablate", "strategy.repeats=2", 6),
        ("single", "job.hyperparameters.degree=5", 1),
    ],
)
def test_a_setting_reaches_every_strategy(name: str, setting: str, trials: int) -> None:
    """`--set` changes what the strategy of an example asks for."""
    from wpfsm.fsm.strategies import Goal
    from wpfsm.fsm.strategies.registry import build

    path = EXAMPLES / name / "loop.yaml"
    plain, changed = load(path), load(path, [setting])
    assert plain != changed
    assert changed.metric is not None
    goal = Goal(changed.metric.name, changed.metric.goal)
    assert build(changed.strategy, goal, changed.job.hyperparameters).at_most() == trials


def _appended(*path: str, item: Any) -> Callable[[dict[str, Any]], None]:
    def edit(strategy: dict[str, Any]) -> None:
        node: Any = strategy
        for key in path:
            node = node[key]
        node.append(item)

    return edit


def _to(**settings: Any) -> Callable[[dict[str, Any]], None]:
    return lambda strategy: strategy.update(settings)


EDITS: Mapping[str, tuple[Callable[[dict[str, Any]], None], list[str]]] = {
    "grid": (_appended("parameters", "batch_size", item=256), ["context=1 batch_size=256", "context=3 batch_size=256"]),
    "list": (_appended("trials", item={"context": 2, "lr": 1.0}), ["context=2 lr=1.0"]),
    "random": (_to(count=7), []),
    "bayes": (_to(count=7), []),
    "until": (_to(target="eval_loss < 0.28"), ["continued"]),
    "until-propose": (_to(target="eval_loss < 0.24"), ["lr=0.1"]),
    "fix": (_to(attempts=5), []),
    "recipes": (_appended("recipes", item={"name": "rank-8", "hyperparameters": {"rank": 8}}), ["rank-8"]),
    "ablate": (_appended("variants", item={"name": "slow", "set": {"lr": 0.005}}), ["slow"] * 3),
}  # fmt: skip
"""An edit of each strategy's section, and the trials that it adds to those of the file before."""


@pytest.mark.parametrize("name", EDITS)
def test_a_changed_file_goes_on_where_the_loop_was(name: str) -> None:
    """Killed after its first trial, edited, resumed with --accept-changes: what ran stays, what is new runs once."""
    edit, added = EDITS[name]
    with world_of(STORIES[name]) as world:
        before = Outcome(world, world.finish())
    with world_of(STORIES[name]) as world:
        _killed_after_first_trial(world)
        changed = json.loads(json.dumps(world.story.loop_file))
        edit(changed["strategy"])
        changed["limits"] = {"max_jobs": 30}
        (world.folder / "loop.yaml").write_text(loop_text(changed))
        _refused_without_accepting(world)
        result = world.finish()
        assert list(violations(world, result)) == []
        outcome = Outcome(world, result)
    assert outcome.exit_code == 0
    assert outcome.trials[0] == before.trials[0], "what had run before the edit stays as it was"
    names = sorted((t.label, t.repeat) for t in outcome.trials)
    assert len(set(names)) == len(names), "nothing ran twice"
    if name in ("random", "bayes"):
        assert len(outcome.trials) == 7
        assert outcome.trials[:6] == before.trials, "the count does not change what was asked before"
    else:
        assert sorted(outcome.labels) == sorted([*before.labels, *added])


def test_another_job_is_accepted_by_a_single_loop() -> None:
    """Killed before its only job was drawn up, a single loop takes the edited hyperparameters."""
    with world_of(STORIES["single"]) as world:
        with pytest.raises(Crash):
            world.drive(_Killer("after commit admitted"))
        changed = json.loads(json.dumps(world.story.loop_file))
        changed["job"]["hyperparameters"]["degree"] = 5
        (world.folder / "loop.yaml").write_text(loop_text(changed))
        _refused_without_accepting(world)
        outcome = Outcome(world, world.finish())
    assert [job.params["degree"] for job in outcome.jobs] == [5]
    assert outcome.exit_code == 0


class _Killer:
    """Kills the controller at the first boundary of a name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, name: str) -> None:
        if name == self._name:
            raise Crash(name)


def _killed_after_first_trial(world: World) -> None:
    with pytest.raises(Crash):
        world.drive(_Killer("after commit proceed"))


def _refused_without_accepting(world: World) -> None:
    owned = world.controller()
    try:
        with pytest.raises(Refused) as refused:
            take_up_changes(Context(owned.ports), accept=False)
        assert "--accept-changes" in refused.value.fix
        assert Context(owned.ports).loop.outcome is None
    finally:
        owned.close()


def test_a_resume_without_the_strategys_extra_leaves_the_loop_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is missing is missing on this machine: the loop is not closed for it, and goes on where it is there."""
    with world_of(STORIES["bayes"]) as world:
        _killed_after_first_trial(world)
        with monkeypatch.context() as without:
            without.setattr("importlib.util.find_spec", lambda name: None)
            with pytest.raises(MissingExtra) as missing:
                world.drive()
        assert missing.value.exit_code == 3
        assert missing.value.fix == "pip install 'wpfsm[bayes]'"
        assert world.drive().loop.outcome is LoopOutcome.COMPLETED
