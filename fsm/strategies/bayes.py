"""Bayesian search: Optuna's tree-structured Parzen estimator (TPE), asked and told.

No study is kept. For each proposal one is made from the loop's rows, with a sampler seeded from the search's
seed and the number of the proposal. So the k-th proposal depends on the configuration and the first k-1 rows
and on nothing else, and a resumed loop proposes what the uninterrupted one would have, under the same version
of Optuna: another one may sample otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wpfsm.fsm.errors import MissingExtra
from wpfsm.fsm.records import Value
from wpfsm.fsm.strategies.base import Point, Standing, TrialRow, describe, label_for
from wpfsm.fsm.strategies.metrics import Goal, finite
from wpfsm.fsm.strategies.space import Choice, Range, Space

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

ASKS = 20
"""How often the sampler is asked for a point that has not been tried before another one is drawn."""


class Bayes:
    """Proposes `count` trials, each in the light of those before."""

    def __init__(self, space: Space, count: int, seed: int, goal: Goal) -> None:
        """Keeps the configuration.

        Args:
            space: The values that each parameter may take.
            count: How many trials; a finite space with fewer points ends earlier.
            seed: What the sampler draws with.
            goal: The metric to optimise.
        """
        self._space = space
        self._count = min(count, space.size() or count)
        self._seed = seed
        self._goal = goal

    def next(self, rows: Sequence[TrialRow]) -> Point | None:
        """The most promising point that has not been tried; what still runs is told as pending.

        Raises:
            MissingExtra: Optuna is not installed.
        """
        done = [row for row in rows if not row.smoke]
        if len(done) >= self._count:
            return None
        tried = {row.label for row in done}
        params = self._ask(done, tried) or self._draw(tried)
        return None if params is None else Point(params, label_for(params))

    def goal_met(self, rows: Sequence[TrialRow]) -> str | None:  # noqa: ARG002 - the protocol's signature
        """Never: the search runs to its count."""
        return None

    def total(self) -> int | None:
        """The count, or the size of a smaller space."""
        return self._count

    def at_most(self) -> int:
        """The count, or the size of a smaller space."""
        return self._count

    def expected(self) -> int:
        """As many: the results decide."""
        return self.at_most()

    def summary(self, rows: Sequence[TrialRow]) -> Standing:
        """How many completed, and the best one."""
        done = sum(not row.smoke for row in rows)
        ended = f"every trial is done ({self._count})" if done >= self._count else None
        return describe(rows, self._goal, ended)

    def preview(self) -> Sequence[Point]:
        """The first trial: every later one depends on what it shows.

        Raises:
            MissingExtra: Optuna is not installed.
        """
        first = self.next([])
        return [first] if first else []

    def _ask(self, done: Sequence[TrialRow], tried: set[str]) -> dict[str, Value] | None:
        """What the sampler proposes; `None` when it insists on points that were tried."""
        _require_optuna()
        import optuna

        distributions = {name: _distribution(each) for name, each in self._space.dimensions.items()}
        study = optuna.create_study(
            direction=self._goal.direction,
            sampler=optuna.samplers.TPESampler(
                seed=(self._seed * 1_000_003 + len(done)) % 2**32,
                # The default of 10 would make a search of a dozen jobs a random one.
                n_startup_trials=max(3, min(10, self._count // 4)),
                # Beside trials that run, the same point would look as promising again.
                constant_liar=any(row.state == "running" for row in done),
            ),
        )
        for row in done:
            _tell(study, row, self._space.dimensions)
        for _ in range(ASKS):
            asked = study.ask(distributions).params
            params = {name: _decode(each, asked[name]) for name, each in self._space.dimensions.items()}
            if label_for(params) not in tried:
                return params
        return None

    def _draw(self, tried: set[str]) -> dict[str, Value] | None:
        return next((point for point in self._space.draws(self._seed) if label_for(point) not in tried), None)


def _require_optuna() -> None:
    try:
        import optuna
    except ImportError as error:
        raise MissingExtra("bayes", "a Bayesian strategy") from error
    # Optuna reports each new study on stderr.
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def _tell(study: optuna.Study, row: TrialRow, dimensions: Mapping[str, Choice | Range]) -> None:
    """Adds a row to the study; what ran outside the space, after a patch or a changed file, is left out."""
    from optuna.trial import TrialState, create_trial

    value = finite(row.metric) if row.state == "completed" else None
    # A stopped trial was hopeless: as pruned it counts as worse than any completed one.
    ends = {"stopped": TrialState.PRUNED, "running": TrialState.RUNNING}
    state = ends.get(row.state, TrialState.FAIL)
    try:
        params = {
            name: _encode(each, row.params[name]) for name, each in dimensions.items() if name in row.params
        }
        trial = create_trial(
            state=state if value is None else TrialState.COMPLETE,
            value=value,
            params=params,
            distributions={name: _distribution(dimensions[name]) for name in params},
        )
    except (TypeError, ValueError):
        return
    study.add_trial(trial)


def _distribution(dimension: Choice | Range) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.values)
    if dimension.step is not None:
        # Steps are numbered: Optuna's own floats with a step must divide the range to the last digit.
        return IntDistribution(0, (dimension.size() or 1) - 1)
    log = dimension.scale == "log"
    if dimension.integral:
        return IntDistribution(int(dimension.min), int(dimension.max), log=log)
    return FloatDistribution(float(dimension.min), float(dimension.max), log=log)


def _encode(dimension: Choice | Range, value: Value) -> Value:
    """What the sampler is told for a parameter's value.

    Raises:
        TypeError: The value is no number, where the parameter has a range.
        ValueError: It is none of the range's steps.
    """
    if isinstance(dimension, Choice):
        return value
    if isinstance(value, bool | str | None):
        raise TypeError(f"{value!r} is no number")
    return value if dimension.step is None else dimension.index(value)


def _decode(dimension: Choice | Range, asked: Value) -> Value:
    """The parameter's value for what the sampler proposes."""
    if isinstance(dimension, Choice) or not isinstance(asked, int | float):
        return asked
    return dimension.tidy(asked) if dimension.step is None else dimension.nth(int(asked))
