"""`sweep`: several values of one or more hyperparameters."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wpfsm.fsm.records import Value
from wpfsm.fsm.strategies.asha import Asha, Resource, Rungs
from wpfsm.fsm.strategies.base import Point, Strategy, StrategyError, label_for
from wpfsm.fsm.strategies.metrics import Goal
from wpfsm.fsm.strategies.repeats import WithRepeats
from wpfsm.fsm.strategies.smoke import WithSmoke
from wpfsm.fsm.strategies.space import Choice, Overrides, Parameter, Range, Space
from wpfsm.fsm.strategies.trial_list import TrialList

MAX_TRIALS = 1000
"""A bound against slips of the pen: what really runs is bounded by the loop's limits."""


class Search(BaseModel):
    """Where trials come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["grid", "list", "random", "bayes", "asha"] = Field(
        default="grid",
        description="`grid` runs every combination, `list` the given trials, `random` and `bayes` draw `count`; `asha` "
        "draws `count` and gives the better ones more of a `resource`.",
    )
    parameters: dict[str, Parameter] | None = Field(
        default=None,
        description="Each name with its values, or for `random`, `bayes` and `asha` with its range. `list` pairs them"
        " one by one: the first of each, the second of each.",
    )
    trials: list[Overrides] | None = Field(
        default=None, description="The trials of `list`, where they are not given by `parameters`."
    )
    count: Annotated[int, Field(ge=1, le=MAX_TRIALS)] | None = Field(
        default=None,
        description="How many trials `random` and `bayes` run; how many configurations `asha` begins.",
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(
        default=0,
        description="What `random`, `bayes` and `asha` draw with: the same seed proposes the same trials.",
    )
    resource: Resource | None = Field(
        default=None,
        description="What `asha` gives the better ones more of, such as `{name: epochs, min: 1, max: 27}`.",
    )
    reduction: Annotated[int, Field(ge=2, le=16)] | None = Field(
        default=None,
        description="`asha` promotes one of so many, with so many times the resource. Default: 3.",
    )
    carry_checkpoint: bool | None = Field(
        default=None,
        description="A trial that `asha` promotes continues from the checkpoint of its last rung, in the pool's cache; "
        "for one lane.",
    )

    @model_validator(mode="after")
    def _fits_the_method(self) -> Search:
        self._check_rungs()
        if self.method == "list":
            self._check_list()
        else:
            self._check_space()
        return self

    def _check_rungs(self) -> None:
        if self.method == "asha":
            if self.resource is None:
                raise ValueError(
                    "method asha needs a resource, such as resource: {name: epochs, min: 1, max: 27}"
                )
            if self.resource.name in (self.parameters or {}):
                raise ValueError(f"{self.resource.name} is the resource: it is no parameter to draw")
            return
        for name in ("resource", "reduction"):
            if getattr(self, name) is not None:
                raise ValueError(f"{name} goes with method asha")

    def _check_list(self) -> None:
        if self.count is not None:
            raise ValueError("method list runs each trial once: it takes no count")
        if self.trials and self.parameters:
            raise ValueError("method list takes trials or parameters, not both")
        if not self.trials and not self.parameters:
            raise ValueError("method list needs trials, such as [{lr: 1e-4}, {lr: 5e-5}], or parameters")
        dimensions = self._enumerated()
        sizes = {name: each.size() for name, each in dimensions.items()}
        if len(set(sizes.values())) > 1:
            counts = ", ".join(f"{size} of {name}" for name, size in sizes.items())
            raise ValueError(
                f"method list pairs the values one by one, and there are {counts}; "
                "give as many of each, or say method: grid for every combination"
            )

    def _check_space(self) -> None:
        if self.trials is not None:
            raise ValueError(
                f"method {self.method} takes parameters, not trials; for a list say method: list"
            )
        if not self.parameters:
            raise ValueError(f"method {self.method} needs parameters, such as {{lr: [1e-4, 5e-5]}}")
        if self.method != "grid":
            if self.count is None:
                raise ValueError(f"method {self.method} needs count: how many trials to run")
            return
        if self.count is not None:
            raise ValueError("method grid runs every combination: it takes no count")
        self._enumerated()
        if (size := self.space().size() or 0) > MAX_TRIALS:
            raise ValueError(f"the grid has {size} trials, more than {MAX_TRIALS}: use method random")

    def _enumerated(self) -> Mapping[str, Choice | Range]:
        """The parameters, where each must have a list of values."""
        dimensions = self.space().dimensions
        ranges = [name for name, each in dimensions.items() if isinstance(each, Range)]
        if ranges:
            raise ValueError(
                f"method {self.method} needs a list of values for {ranges[0]}; a range goes with random or bayes"
            )
        return dimensions

    def space(self) -> Space:
        """The parameters as a space."""
        return Space.of(self.parameters or {})

    def listed(self) -> list[Mapping[str, Value]]:
        """The trials of `list`."""
        if self.trials:
            return list(self.trials)
        columns = [(name, list(each.all())) for name, each in self.space().dimensions.items()]
        return [{name: values[row] for name, values in columns} for row in range(len(columns[0][1]))]

    def names(self) -> set[str]:
        """The hyperparameters that it varies."""
        return set(self.parameters or {}).union(
            *(self.trials or []), {self.resource.name} if self.resource else set()
        )


class SweepConfig(Search, WithSmoke, WithRepeats):
    """The `strategy` section of a sweep."""

    type: Literal["sweep"] = "sweep"

    @model_validator(mode="after")
    def _rungs_stand_alone(self) -> SweepConfig:
        if self.carry_checkpoint and self.method != "asha":
            raise ValueError(
                "carry_checkpoint goes with method asha: no other trial of a sweep continues one"
            )
        if self.method == "asha" and (self.repeats > 1 or self.confirm):
            raise ValueError(
                "method asha runs the better ones again by itself: leave repeats and confirm out"
            )
        return self


def search(config: Search, goal: Goal | None, base: Mapping[str, Value]) -> Strategy:
    """The strategy that runs a search.

    Args:
        config: The search.
        goal: What is best; `bayes` cannot do without.
        base: The job's own hyperparameters.

    Raises:
        StrategyError: `bayes` or `asha` without a metric, or a list that holds a trial twice.
    """
    if config.method == "bayes":
        from wpfsm.fsm.strategies.bayes import Bayes

        if goal is None:
            raise StrategyError("method bayes needs a metric: it learns from the metric of each trial")
        return Bayes(config.space(), config.count or 0, config.seed, goal)
    if config.method == "asha":
        if goal is None:
            raise StrategyError("method asha needs a metric: it promotes by the metric of each trial")
        assert config.resource is not None, "asha has a resource"
        rungs = Rungs(config.resource, config.reduction or 3)
        return Asha(
            config.space(), config.count or 0, config.seed, goal, rungs, carries=bool(config.carry_checkpoint)
        )
    return TrialList(trial_list(_points(config), base), goal)


def trial_list(trials: list[Mapping[str, Value]], base: Mapping[str, Value]) -> list[Point]:
    """Proposals for a list of overrides.

    Raises:
        StrategyError: Two of them would run the same job.
    """
    effective = [{**base, **trial} for trial in trials]
    for later, params in enumerate(effective):
        if params in effective[:later]:
            first = effective.index(params)
            raise StrategyError(
                f"trials {first + 1} and {later + 1} are the same: {label_for(trials[later])}"
            )
    return [Point(dict(trial), label_for(trial)) for trial in trials]


def _points(config: Search) -> list[Mapping[str, Value]]:
    if config.method == "list":
        return config.listed()
    points: Iterator[dict[str, Value]] = config.space().points()
    if config.method == "random":
        points = itertools.islice(config.space().draws(config.seed), config.count)
    return list(points)
