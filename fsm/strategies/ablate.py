"""`ablate`: a baseline and its variants, and whether they differ by more than noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wpfsm.fsm.records import Value
from wpfsm.fsm.strategies.base import Point, Standing, StrategyError, TrialRow
from wpfsm.fsm.strategies.comparison import BASELINE, compare
from wpfsm.fsm.strategies.metrics import Goal, finite
from wpfsm.fsm.strategies.recipes import Name
from wpfsm.fsm.strategies.smoke import WithSmoke
from wpfsm.fsm.strategies.space import Overrides
from wpfsm.fsm.strategies.trial_list import TrialList


class Variant(BaseModel):
    """What a variant changes of the baseline."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    set: Annotated[Overrides, Field(min_length=1)]


class AblateConfig(WithSmoke):
    """The `strategy` section of an ablation."""

    type: Literal["ablate"] = "ablate"
    baseline: Overrides = Field(
        default_factory=dict, description="Overrides that the baseline and every variant share."
    )
    variants: Annotated[list[Variant], Field(min_length=1)] = Field(description="What each variant changes.")
    repeats: Annotated[int, Field(ge=1, le=100)] = Field(
        default=1, description="How often each is run; noise is known from 2 on."
    )
    seed_parameter: str | None = Field(
        default=None,
        description="The hyperparameter that gets another seed in each repeat, the same one for the baseline "
        "and the variants; it counts up from its own value, or from 0.",
    )

    @model_validator(mode="after")
    def _variants_differ(self) -> AblateConfig:
        names = [BASELINE, *(variant.name for variant in self.variants)]
        for position, name in enumerate(names):
            if name in names[:position]:
                raise ValueError(f"two variants are called {name!r}")
        for variant in self.variants:
            if self.seed_parameter in variant.set:
                raise ValueError(f"variant {variant.name!r} sets the seed parameter {self.seed_parameter!r}")
        return self

    def names(self) -> set[str]:
        """The hyperparameters that it varies."""
        return set(self.baseline).union(*(variant.set for variant in self.variants))


class Ablate(TrialList):
    """Runs the baseline and each variant once, then all of them again, so that a loop cut short is balanced."""

    def __init__(self, config: AblateConfig, goal: Goal | None, base: Mapping[str, Value]) -> None:
        """Lays out the trials.

        Raises:
            StrategyError: There is no metric to compare, two variants run the same job, or the seed is no
                whole number.
        """
        if goal is None:
            raise StrategyError("ablate needs a metric: it compares the variants by it")
        self._config = config
        self._metric = goal
        super().__init__(_proposals(config, base), goal)

    def summary(self, rows: Sequence[TrialRow]) -> Standing:
        """The best trial, and each variant against the baseline."""
        standing = super().summary(rows)
        names = [BASELINE, *(variant.name for variant in self._config.variants)]
        values = {name: _metrics(rows, name) for name in names}
        return replace(standing, comparisons=compare(values, self._metric))


def _proposals(config: AblateConfig, base: Mapping[str, Value]) -> list[Point]:
    arms: dict[str, dict[str, Value]] = {BASELINE: dict(config.baseline)}
    arms |= {variant.name: {**config.baseline, **variant.set} for variant in config.variants}
    _refuse_twins({name: {**base, **params} for name, params in arms.items()})
    seeds = _seeds(config, base)
    return [
        Point(params | seed, name, repeat=repeat)
        for repeat, seed in enumerate(seeds)
        for name, params in arms.items()
    ]


def _refuse_twins(effective: Mapping[str, Mapping[str, Value]]) -> None:
    names = list(effective)
    for position, name in enumerate(names):
        for earlier in names[:position]:
            if effective[name] == effective[earlier]:
                raise StrategyError(f"{name!r} runs the same job as {earlier!r}: there is nothing to compare")


def _seeds(config: AblateConfig, base: Mapping[str, Value]) -> list[dict[str, Value]]:
    name = config.seed_parameter
    if name is None:
        return [{} for _ in range(config.repeats)]
    first = config.baseline.get(name, base.get(name, 0))
    if not isinstance(first, int) or isinstance(first, bool):
        raise StrategyError(f"the seed parameter {name!r} must be a whole number, not {first!r}")
    return [{name: first + repeat} for repeat in range(config.repeats)]


def _metrics(rows: Sequence[TrialRow], name: str) -> list[float]:
    return [
        value
        for row in rows
        if row.label == name and row.state == "completed" and not row.smoke
        if (value := finite(row.metric)) is not None
    ]
