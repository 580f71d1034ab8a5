"""Repeats: the same point once more, so that a difference can be told from the noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import mean
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from wpfsm.fsm.records import JSON, Trial
from wpfsm.fsm.strategies.metrics import Goal
from wpfsm.fsm.strategies.verdict import best_trial, root_of


class WithRepeats(BaseModel):
    """The keys of a strategy whose trials may be repeated."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repeats: Annotated[int, Field(ge=1, le=20)] = Field(
        default=1,
        description="How many jobs each trial takes; its metric is their mean, and from 2 on the noise is "
        "known.",
    )
    confirm: Annotated[int, Field(ge=0, le=20)] = Field(
        default=0,
        description="How often the best trial, and of a search the second best, runs again before one is "
        "called best.",
    )
    seed_parameter: str | None = Field(
        default=None,
        description="The hyperparameter that gets another seed in each repeat; it counts up from its own "
        "value, or from 0.",
    )


def group_of(trial: Trial, trials: Sequence[Trial]) -> list[Trial]:
    """A trial and its repeats."""
    return [each for each in trials if root_of(each) == root_of(trial)]


def merged(trials: Sequence[Trial]) -> list[Trial]:
    """Each trial once, with the mean of its repeats; one of whose repeats runs counts as running."""
    found: list[Trial] = []
    for trial in trials:
        if trial.repeat_of is not None:
            continue
        group = group_of(trial, trials)
        values = [each.metric for each in group if each.state == "completed" and each.metric is not None]
        busy = next((each.state for each in group if each.state in ("pending", "running")), None)
        metric = mean(values) if len(values) > 1 else trial.metric
        found.append(replace(trial, metric=metric, state=busy or trial.state))
    return found


def again(trial: Trial, trials: Sequence[Trial], config: object, given: Mapping[str, JSON]) -> Trial:
    """The next repeat of a trial, under another seed where one is named."""
    root = next(each for each in trials if each.number == root_of(trial))
    count = len(group_of(root, trials))
    params = dict(root.params)
    name = config.seed_parameter if isinstance(config, WithRepeats) else None
    if name is not None:
        first = params.get(name, given.get(name, 0))
        params[name] = (first if isinstance(first, int) else 0) + count
    return replace(
        root,
        number=len(trials) + 1,
        label=f"{root.label} #{count + 1}",
        params=params,
        state="pending",
        metric=None,
        verdict="",
        verdict_why="",
        taken_from=None,
        taken_loop="",
        proposal=None,
        repeat_of=root.number,
    )


def unfinished(trial: Trial, trials: Sequence[Trial], config: object) -> bool:
    """Whether the trial that has just completed is to be repeated."""
    if not isinstance(config, WithRepeats) or trial.smoke or trial.state != "completed":
        return False
    return len(group_of(trial, trials)) < config.repeats


def to_confirm(
    trials: Sequence[Trial], config: object, goal: Goal | None, *, runner_up: bool
) -> Trial | None:
    """The trial that runs again before one is called best; None when all is confirmed.

    Args:
        trials: Those of the phase.
        config: Its strategy.
        goal: The metric; without one nothing is best.
        runner_up: The second best is confirmed too, so that the two can be compared.
    """
    if not isinstance(config, WithRepeats) or not config.confirm or goal is None:
        return None
    left = [each for each in merged(trials) if each.state == "completed"]
    best: list[Trial] = []
    while len(best) < 1 + runner_up and (winner := best_trial(left, goal)):
        best.append(winner)
        left.remove(winner)
    wanted = config.repeats + config.confirm
    short = [each for each in best if len(group_of(each, trials)) < wanted]
    return min(short, key=lambda each: len(group_of(each, trials)), default=None)
