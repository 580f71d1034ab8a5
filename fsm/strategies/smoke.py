"""`smoke`: one short trial before the real ones, so that a broken script costs minutes and not a grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from wpfsm.fsm.records import Value
from wpfsm.fsm.strategies.base import (
    PREVIEW,
    Point,
    Standing,
    Strategy,
    StrategyError,
    TrialRow,
    is_running,
)
from wpfsm.fsm.strategies.space import Overrides

SHORTEST: Mapping[str, int] = {
    "epochs": 1,
    "max_epochs": 1,
    "n_epochs": 1,
    "num_epochs": 1,
    "num_train_epochs": 1,
    "max_iter": 10,
    "max_steps": 10,
    "max_train_steps": 10,
    "n_iter": 10,
    "num_steps": 10,
    "steps": 10,
    "train_steps": 10,
}
"""What `smoke: true` sets, where the job or the strategy has a hyperparameter of that name.

A dash counts as an underscore."""


class WithSmoke(BaseModel):
    """The `smoke` key, which every strategy has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    smoke: bool | Overrides = Field(
        default=False,
        description="`true` shortens the hyperparameters that are known to set a run's length; a mapping says"
        " which hyperparameters make it short.",
    )


def smoke_overrides(smoke: bool | Mapping[str, Value], names: Iterable[str]) -> dict[str, Value]:
    """The overrides that make a trial short; empty for `smoke: false`.

    Args:
        smoke: The loop file's key.
        names: The hyperparameters of the job and of its trials.

    Raises:
        StrategyError: `true`, and no name is known to set the length of a run; or an empty mapping.
    """
    if not isinstance(smoke, bool):
        if not smoke:
            raise StrategyError("smoke names no hyperparameter: give one, such as smoke: {max_steps: 10}")
        return dict(smoke)
    if not smoke:
        return {}
    known = {name: SHORTEST[key] for name in sorted(names) if (key := name.replace("-", "_")) in SHORTEST}
    if not known:
        raise StrategyError(
            "smoke: true finds no hyperparameter that sets how long a run is: "
            "say which, such as smoke: {max_steps: 10}"
        )
    return dict(known)


class Smoke:
    """Another strategy, after one short run of its first trial."""

    def __init__(self, inner: Strategy, overrides: Mapping[str, Value]) -> None:
        """Wraps `inner`; `overrides` shorten its first trial."""
        self._inner = inner
        self._overrides = dict(overrides)

    def next(self, rows: Sequence[TrialRow]) -> Point | None:
        """The smoke trial; once it completed, what the inner strategy asks for; if it did not, nothing."""
        short = [row for row in rows if row.smoke]
        if not short:
            return self._shorten(self._inner.next([]))
        return None if is_running(short) or _refused(rows) else self._inner.next(_full(rows))

    def goal_met(self, rows: Sequence[TrialRow]) -> str | None:
        """What the inner strategy says; the smoke trial does not count."""
        return self._inner.goal_met(_full(rows))

    def total(self) -> int | None:
        """One more than the inner strategy."""
        inner = self._inner.total()
        return None if inner is None else inner + 1

    def at_most(self) -> int:
        """One more than the inner strategy."""
        return self._inner.at_most() + 1

    def expected(self) -> int:
        """One more than the inner strategy."""
        return self._inner.expected() + 1

    def summary(self, rows: Sequence[TrialRow]) -> Standing:
        """The inner strategy's standing, or why the smoke trial ended the loop."""
        standing = self._inner.summary(_full(rows))
        if refusal := _refused(rows):
            return replace(standing, text=f"{standing.text}; {refusal}", ended=refusal)
        return standing if any(row.smoke for row in rows) else replace(standing, ended=None)

    def preview(self) -> Sequence[Point]:
        """The smoke trial, then the inner strategy's."""
        inner = self._inner.preview()
        first = self._shorten(inner[0] if inner else None)
        return ([first] if first else []) + list(inner[: PREVIEW - 1])

    def _shorten(self, first: Point | None) -> Point | None:
        if first is None:
            return None
        # A short run's checkpoint must not be what the first real trial continues from.
        return replace(
            first,
            params={**first.params, **self._overrides},
            label=f"smoke: {first.label}",
            smoke=True,
            carry_checkpoint=False,
        )


def _full(rows: Sequence[TrialRow]) -> list[TrialRow]:
    return [row for row in rows if not row.smoke]


def _refused(rows: Sequence[TrialRow]) -> str | None:
    ends = [row for row in rows if row.smoke and row.state in ("failed", "stopped")]
    if not ends or any(row.smoke and row.state == "completed" for row in rows):
        return None
    return f"the smoke trial {ends[-1].state}: the other trials were not run"
