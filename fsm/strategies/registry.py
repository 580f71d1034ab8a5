"""The strategies by their `type`: the union that the loop file holds, and what builds one."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias, assert_never

from pydantic import Discriminator, Field, Tag

from wpfsm.fsm.errors import MissingExtra
from wpfsm.fsm.records import Value
from wpfsm.fsm.strategies.ablate import Ablate, AblateConfig
from wpfsm.fsm.strategies.ask import Ask, AskConfig
from wpfsm.fsm.strategies.base import Strategy
from wpfsm.fsm.strategies.fix import Fix, FixConfig
from wpfsm.fsm.strategies.metrics import Goal
from wpfsm.fsm.strategies.phases import From, Phase, PhaseKeys, Phases, default_start
from wpfsm.fsm.strategies.recipes import RecipesConfig, recipes
from wpfsm.fsm.strategies.single import SingleConfig, single
from wpfsm.fsm.strategies.smoke import Smoke, smoke_overrides
from wpfsm.fsm.strategies.sweep import Search, SweepConfig, search
from wpfsm.fsm.strategies.until import Until, UntilConfig

StrategyConfig = Annotated[
    SweepConfig | UntilConfig | FixConfig | RecipesConfig | AblateConfig | SingleConfig | AskConfig,
    Field(discriminator="type"),
]
"""One strategy."""


class SweepPhase(PhaseKeys, SweepConfig):
    """A sweep as one phase of a loop."""


class UntilPhase(PhaseKeys, UntilConfig):
    """`until` as one phase of a loop."""


class FixPhase(PhaseKeys, FixConfig):
    """`fix` as one phase of a loop."""


class RecipesPhase(PhaseKeys, RecipesConfig):
    """Recipes as one phase of a loop."""


class AblatePhase(PhaseKeys, AblateConfig):
    """An ablation as one phase of a loop."""


class SinglePhase(PhaseKeys, SingleConfig):
    """One job as one phase of a loop."""


class AskPhase(PhaseKeys, AskConfig):
    """`ask` as the last phase of a loop."""


PhaseConfig = Annotated[
    SweepPhase | UntilPhase | FixPhase | RecipesPhase | AblatePhase | SinglePhase | AskPhase,
    Field(discriminator="type"),
]
"""One strategy of a list."""

PhaseList = Annotated[list[PhaseConfig], Field(min_length=1, max_length=20)]

ONE, LISTED = "one", "phases"
"""The members of the union in pydantic's error locations, which the file itself does not have."""

Strategies = Annotated[
    Annotated[StrategyConfig, Tag(ONE)] | Annotated[PhaseList, Tag(LISTED)],
    Discriminator(lambda given: LISTED if isinstance(given, list) else ONE),
]
"""The `strategy` section of a loop file: one strategy, or a list of phases."""

Config: TypeAlias = StrategyConfig | Sequence[PhaseConfig]


def phases_of(config: Config) -> Sequence[StrategyConfig]:
    """The strategies of a `strategy` section in order, one or several."""
    return config if isinstance(config, Sequence) else [config]


def start_of(config: Config, index: int) -> From | None:
    """What a phase of a list starts from: what it says, else what suits the phase before; None for the first."""
    if index == 0 or not isinstance(config, Sequence):
        return None
    return config[index].from_ or default_start(config[index - 1].type)


def build(config: Config, goal: Goal | None, base_hyperparameters: Mapping[str, Value]) -> Strategy:
    """The strategy that a loop file asks for.

    Args:
        config: Its `strategy` section.
        goal: Its metric's goal; `None` when it has no metric.
        base_hyperparameters: Its job's hyperparameters.

    Raises:
        StrategyError: The section cannot work with this metric or these hyperparameters.
    """
    if isinstance(config, Sequence):
        return Phases([_phase(each, goal) for each in config], goal, base_hyperparameters)
    return _one(config, goal, base_hyperparameters)


def _phase(config: PhaseConfig, goal: Goal | None) -> Phase:
    return Phase(
        config.type,
        config.from_,
        goes_on=config.on_miss == "continue",
        build=lambda base: _one(config, goal, base),
    )


def _one(config: StrategyConfig, goal: Goal | None, base_hyperparameters: Mapping[str, Value]) -> Strategy:
    if isinstance(config, AskConfig):
        return Ask(config, goal)
    varied = set() if isinstance(config, FixConfig | SingleConfig) else config.names()
    short = smoke_overrides(config.smoke, varied.union(base_hyperparameters))
    if isinstance(config, FixConfig):
        return Fix(config, goal, short)
    inner = _inner(config, goal, base_hyperparameters)
    return Smoke(inner, short) if short else inner


def missing_extra(config: Config) -> MissingExtra | None:
    """The optional dependency that the strategy needs and that is not installed: a preflight finding.

    The strategy itself raises the same `MissingExtra` on its first proposal; what is known without proposing,
    such as the standing of a finished loop, needs no extra.
    """
    sources = [each.propose if isinstance(each, UntilConfig) else each for each in phases_of(config)]
    wanted = any(isinstance(source, Search) and source.method == "bayes" for source in sources)
    return (
        MissingExtra("bayes", "a Bayesian strategy")
        if wanted and importlib.util.find_spec("optuna") is None
        else None
    )


def _inner(
    config: SweepConfig | UntilConfig | RecipesConfig | AblateConfig | SingleConfig,
    goal: Goal | None,
    base: Mapping[str, Value],
) -> Strategy:
    match config:
        case SweepConfig():
            return search(config, goal, base)
        case UntilConfig():
            return Until(config, goal, base)
        case RecipesConfig():
            return recipes(config, goal)
        case AblateConfig():
            return Ablate(config, goal, base)
        case SingleConfig():
            return single(goal)
        case _:
            assert_never(config)
