"""Everything that the rules read in a request: values, rows, target, packages, parts, reasons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, pairwise, product

from wpfsm.adapters.detect.findings import Plan, Trial, Value
from wpfsm.adapters.detect.languages import language
from wpfsm.adapters.detect.packages import changed_packages
from wpfsm.adapters.detect.reasons import Reason, reasons_of
from wpfsm.adapters.detect.search import made_by_rule, number_of, plan_of, repeated_seeds, trials_of
from wpfsm.adapters.detect.structured import Data, read_data
from wpfsm.adapters.detect.tables import word_set
from wpfsm.adapters.detect.targets import Goals, read_goals
from wpfsm.adapters.detect.text import Request, read
from wpfsm.adapters.detect.values import MAX_TRIALS, Reading, read_values
from wpfsm.adapters.detect.variants import ablated_parts, recipes_of


@dataclass(frozen=True)
class Evidence:
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
    def varied(self) -> tuple[str, ...]:
        """The parameters that the trials vary, or that are named without values."""
        names = [name for trial in self.trials for name in trial if name != "recipe"]
        named = [
            name
            for name in self.reading.mentioned
            if name not in self.settings and name not in word_set("pool") | word_set("tuples")
        ]
        return tuple(dict.fromkeys(names or named))

    @property
    def instance_type(self) -> str | None:
        """The instance type that the request names."""
        return next(
            (item.text for item in self.reading.items if item.tag == "I" and item.text.count(".") == 2), None
        )


def gather(text: str) -> Evidence:
    """Read a request with every rule; never raises."""
    request = read(text)
    data = read_data(request.english, request.blocks)
    goals = read_goals(data.rest)
    plan = plan_of(data.rest)
    reading = read_values(data.rest, set(goals.taken))
    rule = made_by_rule(data.rest, reading, plan.count)
    trials, settings, rows = trials_of(reading, data.rest)
    counted = next(
        (data.settings.pop(key, None) for key in ("count", "n_trials", "trials") if key in data.settings),
        None,
    )
    if isinstance(counted, int) and counted > 0:
        plan = replace(plan, count=counted)
    if data.method in {"random", "bayes", "grid"}:
        plan = replace(plan, method=data.method)
    if data.columns or data.ranges or data.rows:
        trials, settings, rows = _of_data(data, settings)
    elif rule is not None and rule[1] and len(trials) < 2:
        trials, rows = [{rule[0]: value} for value in rule[1]], False
        settings.pop(rule[0], None)
    folds = _FOLDS.search(data.rest)
    if folds is not None and not trials and _A_JOB_EACH.search(data.rest):
        trials = [{"fold": n} for n in range(min(number_of(folds[1]) or 0, MAX_TRIALS))]
    seeds = repeated_seeds(data.rest) if not any("seed" in trial for trial in trials) else []
    if seeds and trials and len(trials) > 1 and plan.repeats is not None:
        trials = [{**trial, **seed} for trial in trials for seed in seeds][:MAX_TRIALS]
    elif seeds and not trials:
        trials = seeds
    fixed = word_set("tuples")
    trials = _without(trials, fixed)
    pool = word_set("pool")
    pool_varies = any(name in pool for trial in trials for name in trial)
    return Evidence(
        request,
        data,
        goals,
        reading,
        trials,
        rows,
        {**data.settings, **{k: v for k, v in settings.items() if k not in pool | fixed}},
        rule,
        seeds,
        ablated_parts(data.rest),
        recipes_of(data.rest, reading.items),
        changed_packages(data.rest, request.pasted),
        plan,
        reasons_of(request, pool_varies=pool_varies),
    )


_FOLDS = re.compile(
    r"(?<![\w.])(\d{1,3}|two|three|four|five|six|seven|eight|nine|ten)[- ]folds?\b", re.IGNORECASE
)
_A_JOB_EACH = re.compile(r"\b(?:per|each|every|one|a) (?:\w+ ){0,2}(?:fold|job|training)", re.IGNORECASE)


def _without(trials: list[Trial], names: frozenset[str]) -> list[Trial]:
    kept = [{name: value for name, value in trial.items() if name not in names} for trial in trials]
    return kept if all(kept) else []


def _of_data(data: Data, settings: dict[str, Value]) -> tuple[list[Trial], dict[str, Value], bool]:
    if data.rows:
        return data.rows[:MAX_TRIALS], settings, True
    if data.ranges:
        return (
            [{**data.ranges, **{name: list(values) for name, values in data.columns.items()}}],
            settings,
            False,
        )
    points = islice(product(*data.columns.values()), MAX_TRIALS)
    return [dict(zip(data.columns, point, strict=True)) for point in points], settings, False


# --- as features of the model -------------------------------------------------------------------------------------

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*(?:e[-+]?\d+)?")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[^\w\s]")
_RUN_KINDS = re.compile(
    r"batch|bs$|seq|length|precision|fp16|bf16|worker|accum|mbs|compile|zero|dtype|image_size|resolution|attn|pack"
)
_RECIPE_KINDS = re.compile(r"rank|lora|alpha|quant|recipe|^r$")


def features(evidence: Evidence) -> Iterator[str]:
    """The features of a request: word and character n-grams of what it asks, and what the rules read in it."""
    texts = [evidence.request.asked]
    if evidence.request.english != evidence.request.asked:
        texts.append(evidence.request.english)
    seen: set[str] = set()
    for text in texts:
        words = ["^", *_WORD.findall(_NUMBER.sub("0", text.lower())), "$"]
        seen.update(f"w:{word}" for word in words)
        seen.update(f"w:{a} {b}" for a, b in pairwise(words))
        seen.update(f"w:{a} {b} {c}" for a, b, c in zip(words, words[1:], words[2:], strict=False))
        joined = f" {' '.join(words[1:-1])} "
        for n in (2, 3, 4, 5):
            seen.update(f"c:{joined[at : at + n]}" for at in range(len(joined) - n + 1))
    seen.update(f"r:{fact}" for fact in _facts(evidence))
    yield from sorted(seen)


def _facts(evidence: Evidence) -> Iterator[str]:
    trials, asked = evidence.trials, evidence.request.asked
    names = {name for trial in trials for name in trial}
    listed = len(trials) > 1
    if listed:
        yield "trials"
        yield f"trials {min(len(names), 3)}"
        yield f"trials {'few' if len(trials) < 5 else 'many'}"
        yield from (("kind run",) if any(_RUN_KINDS.search(name) for name in names) else ())
        yield from (("kind recipe",) if any(_RECIPE_KINDS.search(name) for name in names) else ())
        yield from (("rows",) if evidence.rows else ())
        sure = all(each.sure for each in evidence.reading.assignments if each.varies)
        yield "named" if sure else "unnamed"
    if any(isinstance(value, dict) for trial in trials for value in trial.values()):
        yield "range"
    if evidence.data.rows or evidence.data.columns:
        yield "data"
    if evidence.seeds:
        yield "seeds"
    if evidence.rule is not None:
        yield "rule"
    if evidence.goals.target is not None:
        yield "target"
    elif evidence.goals.taken:
        yield "metric"
    if evidence.parts:
        yield f"parts {min(len(evidence.parts), 3)}"
    if len(evidence.recipes) > 1:
        yield "recipes"
    if evidence.packages:
        yield "packages"
        if "versions" in evidence.packages[0]:
            yield "versions"
    plan = evidence.plan
    yield from (
        f"plan {name}"
        for name in ("method", "count", "most", "repeats", "cost", "by_hand")
        if getattr(plan, name)
    )
    if plan.count and plan.count == len(trials) and listed:
        yield "counted"
    yield from (f"reason {reason.kind}" for reason in evidence.reasons)
    if evidence.reading.assignments:
        yield "values"
    if evidence.settings:
        yield f"settings {min(len(evidence.settings), 3)}"
    if re.search(
        r"error|exception|traceback|no module|cannot import",
        f"{asked} {evidence.request.pasted}",
        re.IGNORECASE,
    ):
        yield "error"
    if evidence.request.pasted:
        yield "pasted"
    if asked.rstrip().endswith("?"):
        yield "ends with a question"
    if evidence.request.before:
        yield "conversation"
    yield f"length {min(len(asked.split()) // 8, 4)}"
    yield f"language {language(asked)}"
