"""The strategies by their `type`: the union that the loop file holds, and what builds one."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Annotated, assert_never

from pydantic import Field

from wpfsm.fsm.errors import MissingExtra
from wpfsm.fsm.strategies.ablate import Ablate, AblateConfig
from wpfsm.fsm.strategies.base import Goal, Strategy, Value
from wpfsm.fsm.strategies.fix import Fix, FixConfig
from wpfsm.fsm.strategies.recipes import RecipesConfig, recipes
from wpfsm.fsm.strategies.single import SingleConfig, single
from wpfsm.fsm.strategies.smoke import Smoke, smoke_overrides
from wpfsm.fsm.strategies.sweep import Search, SweepConfig, search
from wpfsm.fsm.strategies.until import Until, UntilConfig

StrategyConfig = Annotated[
    SweepConfig | UntilConfig | FixConfig | RecipesConfig | AblateConfig | SingleConfig,
    Field(discriminator="type"),
]
"""The `strategy` section of a loop file."""


def build(config: StrategyConfig, goal: Goal | None, base_hyperparameters: Mapping[str, Value]) -> Strategy:
    """The strategy that a loop file asks for.

    Args:
        config: Its `strategy` section.
        goal: Its metric's goal; `None` when it has no metric.
        base_hyperparameters: Its job's hyperparameters.

    Raises:
        StrategyError: The section cannot work with this metric or these hyperparameters.
    """
    varied = set() if isinstance(config, FixConfig | SingleConfig) else config.names()
    short = smoke_overrides(config.smoke, varied.union(base_hyperparameters))
    if isinstance(config, FixConfig):
        return Fix(config, goal, short)
    inner = _inner(config, goal, base_hyperparameters)
    return Smoke(inner, short) if short else inner


def missing_extra(config: StrategyConfig) -> MissingExtra | None:
    """The optional dependency that the strategy needs and that is not installed: a preflight finding.

    The strategy itself raises the same `MissingExtra` on its first proposal; what is known without proposing,
    such as the standing of a finished loop, needs no extra.
    """
    source = config.propose if isinstance(config, UntilConfig) else config
    wanted = isinstance(source, Search) and source.method == "bayes"
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
