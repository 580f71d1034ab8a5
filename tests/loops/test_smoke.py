"""One short trial before the others, and the end of a loop whose trials all fail alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from crash_checks import violations
from strategy_stories import STORIES, Outcome, continues, example, trains, with_strategy, world_of

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script

SMOKED = {
    "grid": True, "random": True, "bayes": True, "recipes": True, "ablate": True, "until": True,
    "until-propose": {"epochs": 2}, "single": {"epochs": 20},
}  # fmt: skip
MANY = ["grid", "list", "random", "bayes", "until-propose", "recipes", "ablate"]


def breaks(launch: Launch) -> Script:
    """Every job fails at the same line."""
    lines = ["Traceback (most recent call last):", '  File "train.py", line 7, in <module>',
             "    step(batch)", "ValueError: the data has 3 columns, not 4"]  # fmt: skip
    return Script(seconds=5, lines=lines, exit_code=1)


def skipping(name: str, **strategy: Any) -> Any:
    """A story whose jobs all break, and whose loop file goes on after each."""
    story = with_strategy(STORIES[name], smoke=False, **strategy)
    rules = [{"when": "any", "do": "skip"}]
    loop_file = {**story.loop_file, "on_failure": rules, "limits": {"max_jobs": 20}}
    return replace(story, loop_file=loop_file, script=breaks)


@pytest.mark.parametrize("name", SMOKED)
def test_any_strategy_begins_with_a_short_trial_if_asked(name: str) -> None:
    """The smoke trial is the first, is short, is not best, and the others are as without it."""
    plain = with_strategy(STORIES[name], smoke=False)
    smoked = with_strategy(STORIES[name], smoke=SMOKED[name])
    if name == "until":
        smoked = replace(smoked, script=lambda launch: continues(_without_the_first(launch)))
    with world_of(plain) as world:
        expected = Outcome(world, world.finish())
    with world_of(smoked) as world:
        result = world.finish()
        assert list(violations(world, result)) == []
        outcome = Outcome(world, result)
    first, *others = outcome.trials
    assert first.smoke
    assert first.label.startswith("smoke: ")
    assert outcome.jobs[0].params["epochs"] < outcome.jobs[1].params["epochs"]
    assert "WPFSM_CARRY_CHECKPOINT" not in outcome.jobs[0].request["Environment"]
    assert [t.label for t in others] == expected.labels
    assert [t.metric for t in others] == expected.metrics
    assert outcome.exit_code == expected.exit_code


def test_a_smoke_trial_that_fails_spares_the_others() -> None:
    """One short job instead of a grid."""
    story = skipping("grid")
    with world_of(with_strategy(story, smoke=True)) as world:
        result = world.finish()
        assert list(violations(world, result)) == []
        outcome = Outcome(world, result)
    assert len(outcome.jobs) == 1
    assert outcome.exit_code == 1
    assert "the smoke trial failed: the other trials were not run" in outcome.loop.why


@pytest.mark.parametrize("name", MANY)
def test_the_same_failure_in_two_trials_ends_the_loop(name: str) -> None:
    """Although the loop file says to go on: two different trials, one fingerprint, no third job."""
    with world_of(skipping(name)) as world:
        result = world.finish()
        assert list(violations(world, result)) == []
        outcome = Outcome(world, result)
    assert (outcome.exit_code, len(outcome.jobs)) == (1, 2)
    assert "trials 1 and 2 failed in the same way" in outcome.loop.why


def test_different_failures_do_not_end_a_loop_that_goes_on() -> None:
    """Each trial fails in its own way: all of them are run."""

    def each_its_own(launch: Launch) -> Script:
        context = launch.request["HyperParameters"]["context"]  # type: ignore[index, call-overload]
        lines = ["Traceback (most recent call last):", f'  File "train.py", line {context}, in <module>',
                 "KeyError: 'left'" if context == "1" else "ZeroDivisionError: division by zero"]  # fmt: skip
        return Script(seconds=5, lines=lines, exit_code=1)

    story = skipping("grid", parameters={"context": [1, 3]})
    with world_of(replace(story, script=each_its_own)) as world:
        outcome = Outcome(world, world.finish())
    assert outcome.states == ["failed", "failed"]
    assert "failed in the same way" not in outcome.loop.why
    assert outcome.exit_code == 1


def test_the_checkpoint_of_a_smoke_trial_is_not_carried_on() -> None:
    """The first full trial of `until` begins at the first epoch, even where the script always saves one."""
    with world_of(example("until", trains, strategy={"smoke": True, "max_trials": 1})) as world:
        outcome = Outcome(world, world.finish())
    carried = ["WPFSM_CARRY_CHECKPOINT" in job.request["Environment"] for job in outcome.jobs]
    assert carried == [False, True]
    folders = [job.request["Environment"]["WPFSM_CHECKPOINT_DIR"] for job in outcome.jobs]
    assert folders[0] == f"{folders[1]}-trial-1"


def _without_the_first(launch: Launch) -> Launch:
    """The launch as if there were no smoke job before it."""
    if "WPFSM_CARRY_CHECKPOINT" not in launch.request["Environment"]:  # type: ignore[operator]
        return launch
    stem, _, number = launch.name.rpartition("-")
    return replace(launch, name=f"{stem}-{int(number) - 1:03d}")
