"""Strategies: which trial comes next, and when the loop is done.

The rows' types are light. The configurations are pydantic models, loaded when first asked for, so that a
verb that only reads rows does not pay for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wpfsm.fsm.strategies.base import (
    Comparison,
    Point,
    Standing,
    Strategy,
    StrategyError,
    TrialRow,
    best,
    repeated_failure,
)
from wpfsm.fsm.strategies.metrics import Goal

if TYPE_CHECKING:
    from wpfsm.fsm.strategies.registry import StrategyConfig, build, missing_extra

__all__ = [
    "Comparison",
    "Goal",
    "Point",
    "Standing",
    "Strategy",
    "StrategyConfig",
    "StrategyError",
    "TrialRow",
    "best",
    "build",
    "missing_extra",
    "repeated_failure",
]


def __getattr__(name: str) -> Any:
    if name in ("StrategyConfig", "build", "missing_extra"):
        from wpfsm.fsm.strategies import registry

        return getattr(registry, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
