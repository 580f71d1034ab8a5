"""Drafts a loop file for a detected request: ``wpfsm detect TEXT --write FILE``.

The draft validates as it stands (for the local backend); what the request did not say is marked ``TODO``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from wpfsm.adapters.detect.findings import Detection, Pattern, Trial, Value

_PLACEHOLDERS: Mapping[str, str] = {
    "lr": "[1e-4, 5e-5, 2e-5]",
    "batch_size": "[4, 8, 16]",
    "dropout": "[0.0, 0.1, 0.2]",
    "weight_decay": "[0.0, 0.01, 0.1]",
    "wd": "[0.0, 0.01, 0.1]",
    "seed": "[0, 1, 2]",
    "epochs": "[1, 2, 3]",
    "rank": "[8, 16, 32]",
    "optimizer": "[adamw, sgd]",
    "precision": "[bf16, fp16]",
}
_RANGES: Mapping[str, str] = {
    "lr": "{min: 1e-5, max: 1e-3, scale: log}",
    "weight_decay": "{min: 0.0, max: 0.1}",
    "wd": "{min: 0.0, max: 0.1}",
    "dropout": "{min: 0.0, max: 0.5}",
    "batch_size": "[4, 8, 16, 32]",
}
_T = TypeVar("_T")
_SEARCH_TRIALS = 12
_PLACEHOLDER_TRIALS = 3
_UNTIL_TRIALS = 10
_ATTEMPTS = 6
_NUMBER = "(-?(?:[Nn]a[Nn]|[Ii]nf)|[0-9.eE+-]+)"
"""A job that diverges must report that it did, and not keep the value of an earlier line."""
_SCRIPT = re.compile(r"\.(?:py|sh)$")


def draft(detection: Detection, name: str) -> str:
    """The text of a commented loop file.

    Args:
        detection: of a candidate, or of a request that may be one.
        name: what the loop shall be called; what the loop file does not allow in a name is replaced.

    Raises:
        ValueError: a reason against a warm pool stands in the request.
    """
    if detection.candidate is False:
        raise ValueError(f"there is no loop to draft: {detection.why}")
    target = detection.target or (detection.following.target if detection.following else None)
    metric = target.metric if target else "eval_loss"
    lines = [
        f"# Drafted from a request: {_one_line(detection.why)}.",
        "# Lines marked TODO hold what the request did not say. Check with: wpfsm plan FILE",
        *([f"# Note: {_one_line(detection.plan.note)}."] if detection.plan.note else []),
        "version: 1",
        f"name: {_slug(name)}",
        "backend: local              # TODO: local (embedded emulator) or aws",
        "region: us-east-1           # TODO: your region",
        "pool:                       # locked from job 1 on",
        "  role: arn:aws:iam::111122223333:role/REPLACE-ME  # TODO: the execution role",
        *_instance(detection.instance_type),
        "  instance_count: 1",
        "  keep_alive: 10m           # how long AWS keeps the idle pool, and bills it, if nobody comes back",
        "job:                        # free between jobs",
        "  # image: ...              # TODO: the training image, required for backend: aws",
        "  source: src/              # TODO: the folder with your code",
        "  entry: train.py           # TODO: the script inside it",
        *_requirements(detection),
        *_settings(detection.settings),
        "  max_runtime: 1h           # TODO: the longest that one job may take",
        f"metric:{'' if target else '  # TODO: the metric that your script prints'}",
        f"  name: {_scalar(metric) if not re.fullmatch(r'[A-Za-z_][A-Za-z0-9_]*', metric) else metric}",
        f"  goal: {'maximize' if target and target.op in {'>', '>='} else 'minimize'}",
        f"  regex: {_quote(_expression(metric))}  # TODO: wpfsm metric test FILE shows what it extracts",
        "strategy:",
        *_strategy(detection),
        "limits:",
        f"  max_jobs: {_max_jobs(detection)}",
        f"  max_cost: {detection.plan.cost:.2f}"
        if detection.plan.cost
        else "  max_cost: 25.00           # TODO: US dollars, idle pool included",
        "  max_failures: 4",
        "",
    ]
    return "\n".join(lines)


def jobs_of(detection: Detection) -> int | None:
    """How many jobs the strategy of the draft asks for at most; None where they are placeholders of the draft."""
    trials, plan = _distinct(detection.trials), detection.plan
    if detection.following is not None:
        both = [jobs_of(replace(detection, following=None)), jobs_of(detection.following)]
        return sum(n for n in both if n) if all(both) else None
    if plan.by_hand and not trials:
        return None
    if detection.pattern is Pattern.TRAIN_UNTIL_METRIC:
        return _most(detection) or (len(trials) if _listed(trials) else None)
    if detection.pattern is Pattern.DEPENDENCY_DEBUGGING:
        return plan.most
    if detection.pattern is Pattern.ABLATION:
        return len(trials) * (plan.repeats or 1) if trials else None
    if _ranges(trials) or (not trials and plan.method in {"random", "bayes"}):
        return plan.count or plan.most
    if plan.method in {"random", "bayes"} and plan.count and plan.count < len(trials):
        return plan.count
    return len(trials) or None


# --- sections ---------------------------------------------------------------------------------------------------


def _instance(instance_type: str | None) -> list[str]:
    if instance_type is not None and re.fullmatch(r"ml\.[a-z0-9-]+\.[a-z0-9]+", instance_type):
        return [f"  instance_type: {instance_type}"]
    return ["  instance_type: ml.g5.2xlarge  # TODO: the one instance type of the loop"]


def _expression(metric: str) -> str:
    """What such a script prints: ``val_acc: 0.91``, ``val_acc=0.91``, ``'val_acc': 0.91``."""
    words = r"[_ /-]".join(re.escape(part) for part in re.split(r"[_ /-]", metric))
    return rf"(?i)(?:^|[^\w]){words}['\"]?\s*[=:]\s*{_NUMBER}"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _requirements(detection: Detection) -> list[str]:
    if detection.pattern is Pattern.DEPENDENCY_DEBUGGING:
        return ["  requirements: requirements.txt  # TODO: the file inside source that names the packages"]
    return []


def _settings(settings: Mapping[str, Value]) -> list[str]:
    if not settings:
        return ["  hyperparameters: {}       # TODO: what every trial shares"]
    return ["  hyperparameters:", *(f"    {_key(key)}: {_scalar(value)}" for key, value in settings.items())]


def _strategy(detection: Detection) -> list[str]:
    """One strategy, or phases: what follows on the best trial, and what the user proposes by hand."""
    if detection.following is not None:
        return [
            *_as_phase(_one_strategy(detection)),
            *_as_phase(_one_strategy(detection.following), "from: best"),
        ]
    if detection.plan.by_hand and detection.pattern is not Pattern.TRAIN_UNTIL_METRIC:
        ask = ["  type: ask                 # waits for what you propose: wpfsm next LOOP --set k=v"]
        return [*_as_phase(_one_strategy(detection)), *_as_phase(ask)] if detection.trials else ask
    return _one_strategy(detection)


def _as_phase(lines: Sequence[str], *keys: str) -> list[str]:
    """The lines of a strategy as an entry of a list of phases."""
    first = next(n for n, line in enumerate(lines) if not line.lstrip().startswith("#"))
    rest = [f"  {line}" for line in lines[first + 1 :]]
    return [*lines[:first], f"  - {lines[first].lstrip()}", *(f"    {key}" for key in keys), *rest]


def _one_strategy(detection: Detection) -> list[str]:
    if detection.pattern is Pattern.TRAIN_UNTIL_METRIC:
        return _until(detection)
    if detection.pattern is Pattern.DEPENDENCY_DEBUGGING:
        return _fix(detection)
    if detection.pattern is Pattern.ABLATION:
        return _ablate(detection)
    if detection.pattern is Pattern.RECIPE_ITERATION or any("recipe" in trial for trial in detection.trials):
        return _recipes(detection)
    if (
        detection.trials
        and all(isinstance(value, bool) for value in detection.trials[0].values())
        and detection.trials[0]
        and not _crossed(detection.trials)
    ):
        return _ablate(detection)
    return ["  type: sweep", *_search(detection, "  ")]


def _crossed(trials: Sequence[Trial]) -> bool:
    return bool(len(trials) == 2 ** len(trials[0]))


def _ranges(trials: Sequence[Trial]) -> dict[str, object]:
    """The space of a search: each parameter with its range or its choices, if any is a range."""
    found: dict[str, object] = {name: value for trial in trials for name, value in trial.items()}
    return found if any(isinstance(value, dict) for value in found.values()) else {}


def _listed(trials: Sequence[Trial]) -> bool:
    return len(trials) > 0 and not _ranges(trials)


def _search(detection: Detection, indent: str) -> list[str]:
    """The search as asked: draws where it says so or where there are only ranges, else the grid or the list."""
    trials, plan = _distinct(detection.trials), detection.plan
    space, drawn = _ranges(trials), plan.method in {"random", "bayes"}
    columns = _columns(trials) if trials and not space else {}
    if drawn and not space and columns and (plan.count is None or plan.count >= len(trials)):
        drawn = False  # no more draws than there are combinations: all of them are run
    if space or drawn:
        if not space:
            space = dict(columns) if columns else dict.fromkeys(detection.varied or ("lr",))
        count = plan.count or plan.most
        said = "" if count else "# TODO: how many trials"
        method = plan.method if plan.method in {"random", "bayes"} else "random"
        hint = "" if plan.method in {"random", "bayes"} else "# or bayes, with the extra wpfsm[bayes]"
        return [
            f"{indent}method: {method:<18}{hint}".rstrip(),
            f"{indent}count: {count or _SEARCH_TRIALS:<19}{said}".rstrip(),
            f"{indent}parameters:",
            *(f"{indent}  {_key(name)}: {_dimension(name, value)}" for name, value in space.items()),
        ]
    if not trials:
        names = detection.varied or ("lr",)
        return [
            f"{indent}method: grid",
            f"{indent}parameters:               # TODO: the request names no values; these are placeholders",
            *(f"{indent}  {_key(name)}: {_PLACEHOLDERS.get(name, '[1, 2]')}  # TODO" for name in names[:2]),
        ]
    size = 1
    for values in columns.values():
        size *= len(values)
    same = all(trial.keys() == trials[0].keys() for trial in trials)
    if size == len(trials) and same and _in_grid_order(trials, columns):
        rows = [
            f"{indent}  {_key(name)}: [{', '.join(map(_scalar, values))}]" for name, values in columns.items()
        ]
        return [f"{indent}method: grid", f"{indent}parameters:", *rows]
    return [
        f"{indent}method: list",
        f"{indent}trials:",
        *(f"{indent}  - {_mapping(trial)}" for trial in trials),
    ]


def _columns(trials: Sequence[Trial]) -> dict[str, list[object]]:
    names = dict.fromkeys(name for trial in trials for name in trial)
    return {name: _distinct([trial[name] for trial in trials if name in trial]) for name in names}


def _in_grid_order(trials: Sequence[Trial], columns: Mapping[str, Sequence[object]]) -> bool:
    from itertools import product

    return [tuple(trial.values()) for trial in trials] == list(product(*columns.values()))


def _dimension(name: str, value: object) -> str:
    if value is None:
        return f"{_RANGES.get(name, '{min: 0.0, max: 1.0}')}  # TODO: the range"
    if isinstance(value, dict):
        return _range(value)
    return f"[{', '.join(map(_scalar, value))}]" if isinstance(value, list) else f"[{_scalar(value)}]"


def _most(detection: Detection) -> int | None:
    return detection.plan.most or detection.plan.count


def _until(detection: Detection) -> list[str]:
    target, trials = detection.target, _distinct(detection.trials)
    text = json.dumps(str(target) if target else "eval_loss < 0.30")
    most = _most(detection)
    lines = ["  type: until", f"  target: {text}{'' if target else '  # TODO: the number that ends it'}"]
    limit = (
        f"  max_trials: {most}"
        if most
        else f"  max_trials: {_UNTIL_TRIALS}            # TODO: when to give up"
    )
    if not trials:
        return [
            *lines,
            "  # Without `propose`, every job continues the same configuration from its last checkpoint.",
            limit,
        ]
    return [
        *lines,
        *([limit] if most else []),
        "  patience: 3               # TODO: trials without a better metric",
        "  propose:",
        *_search(detection, "    "),
    ]


def _fix(detection: Detection) -> list[str]:
    versions = [_one_line(_mapping(trial)) for trial in detection.trials if trial.get("packages")]
    most = detection.plan.most
    return [
        *(f"  # The request names {version}" for version in versions),
        "  type: fix                 # until one job completes",
        f"  attempts: {most}" if most else f"  attempts: {_ATTEMPTS}               # TODO: how many may fail",
        "  # smoke: {max_steps: 10}  # a short run for the attempts, then the full job",
    ]


def _ablate(detection: Detection) -> list[str]:
    trials = _distinct(detection.trials)
    if len(trials) < 2:
        trials = [{"part": True}, {"part": False}]
        say = "  # TODO: the request names no part; this is a placeholder"
    else:
        say = "  # TODO: the hyperparameters that your script reads"
    baseline, *variants = trials
    lines = ["  type: ablate", f"  baseline: {_mapping(baseline)}{say}", "  variants:"]
    for variant in variants:
        changed = {name: value for name, value in variant.items() if baseline.get(name) != value}
        off = all(value is False for value in changed.values())
        label = (
            f"without {', '.join(name.replace('_', ' ') for name in changed)}"
            if off
            else ", ".join(f"{n} {_plain(v)}" for n, v in changed.items())
        )
        lines += [
            f"    - name: {json.dumps(label[:100], ensure_ascii=False)}",
            f"      set: {_mapping(changed)}",
        ]
    if detection.plan.repeats and detection.plan.repeats > 1:
        return [*lines, f"  repeats: {detection.plan.repeats}"]
    return [*lines, "  # repeats: 2              # from 2 on, the verdict knows the noise"]


def _recipes(detection: Detection) -> list[str]:
    trials = detection.trials
    lines = ["  type: recipes", "  recipes:                  # in order"]
    if not trials:
        name = next(iter(detection.varied), "recipe")
        return [
            *lines,
            *(f"    - {{name: recipe-{n}, hyperparameters: {{{_key(name)}: {n}}}}}  # TODO" for n in (1, 2)),
        ]
    seen: list[str] = []
    labels = [str(trial.get("recipe", "")).replace("'", "") for trial in trials]
    for label, trial in zip(labels, trials, strict=True):
        settings = {name: value for name, value in trial.items() if name != "recipe"}
        shown = ", ".join(f"{key} {_plain(value)}" for key, value in settings.items())
        unique = label and labels.count(label) == 1
        name = (label if unique else ", ".join(filter(None, [label, shown])))[:100]
        if not name or name in seen:
            continue
        seen.append(name)
        lines.append(f"    - name: {json.dumps(name, ensure_ascii=False)}")
        if _SCRIPT.search(label):
            lines.append(f"      entry: {json.dumps(label, ensure_ascii=False)}")
        elif settings:
            lines.append(f"      hyperparameters: {_mapping(settings)}")
        else:
            lines.append(
                f"      hyperparameters: {_mapping({'recipe': label})}  # TODO: what your script reads"
            )
    return lines


# --- scalars ------------------------------------------------------------------------------------------------------


def _distinct(values: Sequence[_T]) -> list[_T]:
    kept: list[_T] = []
    seen: set[str] = set()
    for value in values:
        if repr(value) not in seen:
            seen.add(repr(value))
            kept.append(value)
    return kept


def _range(bounds: Mapping[str, object]) -> str:
    low, high = bounds["min"], bounds["max"]
    logarithmic = (
        isinstance(low, int | float)
        and isinstance(high, int | float)
        and 0 < low * 10 <= high
        and isinstance(low, float)
    )
    return f"{{min: {_scalar(low)}, max: {_scalar(high)}{', scale: log' if logarithmic else ''}}}"


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        mantissa, exponent, power = repr(value).partition("e")
        return f"{mantissa}e{int(power)}" if exponent else mantissa
    return json.dumps(value, ensure_ascii=False)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else _scalar(value)


def _mapping(trial: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{_key(name)}: {_scalar(value)}" for name, value in trial.items()) + "}"


def _key(name: str) -> str:
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.lower() not in {
        "null",
        "true",
        "false",
        "y",
        "n",
        "yes",
        "no",
        "on",
        "off",
    }
    return name if plain else json.dumps(name, ensure_ascii=False)


def _slug(name: str) -> str:
    """A name that the loop file takes: it begins with a letter."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (plain if plain[:1].isalpha() else f"loop-{plain}")[:33].strip("-") or "loop"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _max_jobs(detection: Detection) -> int:
    """Room for every trial and a few retries; what the request allows at most, where it says so."""
    if detection.plan.most:
        return max(detection.plan.most, jobs_of(detection) or 0)
    count = jobs_of(detection)
    fallback = _UNTIL_TRIALS if detection.pattern is Pattern.TRAIN_UNTIL_METRIC else _SEARCH_TRIALS
    return (count or fallback) + 4
