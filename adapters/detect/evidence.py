"""Everything that the rules read in a request: values, rows, target, packages, parts, reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice, product

from wpfsm.adapters.detect.findings import Plan, Trial, Value
from wpfsm.adapters.detect.packages import changed_packages
from wpfsm.adapters.detect.plans import number_of, plan_of
from wpfsm.adapters.detect.reasons import Reason, reasons_of
from wpfsm.adapters.detect.search import made_by_rule, repeated_seeds, trials_of
from wpfsm.adapters.detect.structured import Data, read_data
from wpfsm.adapters.detect.tables import rule, word_set
from wpfsm.adapters.detect.targets import Goals, read_goals
from wpfsm.adapters.detect.text import Request, read
from wpfsm.adapters.detect.values import MAX_TRIALS, Reading, read_values
from wpfsm.adapters.detect.variants import ablated_parts, recipes_of


@dataclass(frozen=True)
class RequestEvidence:
    """What the rules read in a request.

    Attributes:
        request: its parts.
        data: what it holds as JSON, YAML or a table.
        goals: its target, and the numbers that are a metric's.
        reading: the values of its text.
        trials: the trials that its values or its data make.
        rows: whether the trials are rows of their own, and no grid.
        settings: single values.
        rule: values made by a rule: name, values, the rule in words.
        seeds: the same job with several seeds.
        parts: the baseline and the variants of an ablation.
        recipes: recipes by name.
        packages: packages and versions.
        plan: method, count, repeats, budget.
        reasons: what stands against a warm pool.
    """

    request: Request
    data: Data
    goals: Goals
    reading: Reading
    trials: list[Trial]
    rows: bool
    settings: dict[str, Value]
    rule: tuple[str, tuple[Value, ...], str] | None
    seeds: list[Trial]
    parts: list[Trial]
    recipes: list[Trial]
    packages: list[Trial]
    plan: Plan
    reasons: list[Reason]

    @property
    def varies(self) -> bool:
        """Whether more than one trial is spelled out, or a range."""
        return len(self.trials) > 1 or any(
            isinstance(v, dict) for trial in self.trials for v in trial.values()
        )

    @property
    def varied(self) -> tuple[str, ...]:
        """The parameters that the trials vary, or that are named without values."""
        names = [name for trial in self.trials for name in trial if name != "recipe"]
        fixed = word_set("pool") | word_set("tuples") | self.settings.keys()
        return tuple(dict.fromkeys(names or [name for name in self.reading.mentioned if name not in fixed]))

    @property
    def instance_type(self) -> str | None:
        """The instance type that the request names."""
        named = (item.text for item in self.reading.items if item.tag == "I" and item.text.count(".") == 2)
        return next(named, None)


def gather(text: str) -> RequestEvidence:
    """Read a request with every rule; never raises."""
    request = read(text)
    data = read_data(request.english, request.blocks)
    goals, plan = read_goals(data.rest), _plan(data)
    reading = read_values(data.rest, set(goals.taken))
    made = made_by_rule(data.rest, reading, plan.count)
    trials, settings, rows = trials_of(reading, data.rest)
    if data.columns or data.rows:
        trials, rows = _of_data(data), bool(data.rows)
    elif (
        made is not None
        and made[1]
        and (
            len(trials) < 2
            or all(trial.keys() == {made[0]} and trial[made[0]] in made[1] for trial in trials)
        )
    ):
        trials, rows = [{made[0]: value} for value in made[1]], False
        settings.pop(made[0], None)
    folds = rule("folds").search(data.rest)
    if folds is not None and not trials and rule("a job each").search(data.rest):
        trials = [{"fold": n} for n in range(min(number_of(folds["n"]) or 0, MAX_TRIALS))]
    seeds = repeated_seeds(data.rest) if not any("seed" in trial for trial in trials) else []
    if seeds and (not trials or (len(trials) > 1 and plan.repeats is not None)):
        trials = [{**trial, **seed} for trial in trials or [{}] for seed in seeds][:MAX_TRIALS]
    fixed, pool = word_set("tuples"), word_set("pool")
    trials = [{k: v for k, v in trial.items() if k not in fixed and "'" not in k} for trial in trials]
    return RequestEvidence(
        request,
        data,
        goals,
        reading,
        trials if all(trials) else [],
        rows,
        {**data.settings, **{k: v for k, v in settings.items() if k not in pool | fixed and "'" not in k}},
        made,
        seeds,
        ablated_parts(data.rest),
        recipes_of(data.rest, reading.items),
        changed_packages(data.rest, request.pasted),
        plan,
        reasons_of(request, pool_varies=any(name in pool for trial in trials for name in trial)),
    )


def _plan(data: Data) -> Plan:
    """How the trials shall be run, as the text says, or the data."""
    plan = plan_of(data.rest)
    counts = [data.settings.pop(key, None) for key in ("count", "n_trials", "trials")]
    count = next((count for count in counts if isinstance(count, int) and count > 0), plan.count)
    method = data.method if data.method in {"random", "bayes", "grid"} else plan.method
    return replace(plan, count=count, method=method)


def _of_data(data: Data) -> list[Trial]:
    if data.rows:
        return data.rows[:MAX_TRIALS]
    if data.searches:
        return [dict(data.columns)]
    points = islice(product(*data.columns.values()), MAX_TRIALS)
    return [dict(zip(data.columns, point, strict=True)) for point in points]
