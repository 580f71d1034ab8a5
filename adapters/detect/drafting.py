"""Drafts a loop file for a detected request: ``wpfsm detect TEXT --write FILE``.

The draft validates as it stands (for the local backend); what the request did not say is marked ``TODO``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from wpfsm.adapters.detect.findings import Pattern, Target, Trial, TrialValue

if TYPE_CHECKING:
    from wpfsm.adapters.detect.findings import Detection

_PLACEHOLDERS: Mapping[str, str] = {
    "lr": "[1e-4, 5e-5, 2e-5]",
    "batch_size": "[4, 8, 16]",
    "max_seq_length": "[512, 1024, 2048]",
    "dropout": "[0.0, 0.1, 0.2]",
    "weight_decay": "[0.0, 0.01, 0.1]",
    "seed": "[0, 1, 2]",
    "epochs": "[1, 2, 3]",
    "lora_rank": "[8, 16, 32]",
    "optimizer": "[adamw, sgd]",
    "precision": "[bf16, fp16]",
}
_T = TypeVar("_T")
_SEARCH_TRIALS = 12
_NUMBER = "(-?(?:[Nn]a[Nn]|[Ii]nf)|[0-9.eE+-]+)"
"""A job that diverges must report that it did, and not keep the value of an earlier line."""
_SCRIPT = re.compile(r"\.(?:py|sh)$")


def draft(detection: Detection, name: str) -> str:
    """The text of a commented loop file.

    Args:
        detection: of a candidate.
        name: what the loop shall be called; what the loop file does not allow in a name is replaced.

    Raises:
        ValueError: the request is no candidate for a warm pool.
    """
    if not detection.candidate:
        raise ValueError(f"there is no loop to draft: {detection.why}")
    direction = "maximize" if detection.target and detection.target.op in {">", ">="} else "minimize"
    metric = detection.target.metric if detection.target else "eval_loss"
    say = "" if detection.target else "  # TODO: the metric that your script prints"
    lines = [
        f"# Drafted from a request: {_one_line(detection.why)}.",
        "# Lines marked TODO hold what the request did not say. Check with: wpfsm plan FILE",
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
        f"metric:{say}",
        f"  name: {metric}",
        f"  goal: {direction}",
        f"  regex: '{metric}\\s*[=:]\\s*{_NUMBER}'  # TODO: wpfsm metric test FILE shows what it extracts",
        "strategy:",
        *_strategy(detection),
        "limits:",
        f"  max_jobs: {_max_jobs(detection)}",
        "  max_cost: 25.00           # TODO: US dollars, idle pool included",
        "  max_failures: 4",
        "",
    ]
    return "\n".join(lines)


# --- sections ---------------------------------------------------------------------------------------------------


def _instance(instance_type: str | None) -> list[str]:
    if instance_type is not None and re.fullmatch(r"ml\.[a-z0-9-]+\.[a-z0-9]+", instance_type):
        return [f"  instance_type: {instance_type}"]
    return ["  instance_type: ml.g5.2xlarge  # TODO: the one instance type of the loop"]


def _requirements(detection: Detection) -> list[str]:
    if detection.pattern is Pattern.DEPENDENCY_DEBUGGING:
        return ["  requirements: requirements.txt  # TODO: the file inside source that names the packages"]
    return []


def _settings(settings: Mapping[str, int | float | str | bool]) -> list[str]:
    if not settings:
        return ["  hyperparameters: {}       # TODO: what every trial shares"]
    return ["  hyperparameters:", *(f"    {key}: {_scalar(value)}" for key, value in settings.items())]


def _strategy(detection: Detection) -> list[str]:
    trials = _distinct([_values(trial) for trial in detection.trials])
    if detection.pattern is Pattern.TRAIN_UNTIL_METRIC:
        return _until(detection.target, trials)
    if detection.pattern is Pattern.DEPENDENCY_DEBUGGING:
        return _fix(detection.trials)
    if detection.pattern is Pattern.ABLATION:
        return _ablate(trials)
    if detection.pattern is Pattern.RECIPE_ITERATION:
        return _recipes(detection.trials, detection.varied)
    return ["  type: sweep", *_search(trials, detection.varied, "  ")]


def _search(trials: Sequence[Trial], varied: Sequence[str], indent: str) -> list[str]:
    """A grid where the trials are one, a list where they are not, random draws where there are only ranges."""
    ranges = {name: value for trial in trials for name, value in trial.items() if isinstance(value, dict)}
    if ranges:
        return [
            f"{indent}method: random            # or bayes, with the extra wpfsm[bayes]",
            f"{indent}count: {_SEARCH_TRIALS}                 # TODO: how many trials",
            f"{indent}parameters:",
            *(f"{indent}  {name}: {_range(value)}" for name, value in ranges.items()),
        ]
    if not trials:
        names = varied or ("lr",)
        return [
            f"{indent}method: grid",
            f"{indent}parameters:               # TODO: the request names no values; these are placeholders",
            *(f"{indent}  {name}: {_PLACEHOLDERS.get(name, '[1, 2]')}  # TODO" for name in names),
        ]
    columns = {name: _distinct([trial[name] for trial in trials if name in trial]) for name in trials[0]}
    size = 1
    for values in columns.values():
        size *= len(values)
    if size == len(trials):
        rows = [f"{indent}  {name}: [{', '.join(map(_scalar, values))}]" for name, values in columns.items()]
        return [f"{indent}method: grid", f"{indent}parameters:", *rows]
    return [
        f"{indent}method: list",
        f"{indent}trials:",
        *(f"{indent}  - {_mapping(trial)}" for trial in trials),
    ]


def _until(target: Target | None, trials: Sequence[Trial]) -> list[str]:
    text = json.dumps(str(target) if target else "eval_loss < 0.30")
    lines = ["  type: until", f"  target: {text}{'' if target else '  # TODO: the number that ends it'}"]
    if not trials:
        return [
            *lines,
            "  # Without `propose`, every job continues the same configuration from its last checkpoint.",
            "  max_trials: 10            # TODO: when to give up",
        ]
    return [
        *lines,
        "  patience: 3               # TODO: trials without a better metric",
        "  propose:",
        *_search(trials, (), "    "),
    ]


def _fix(trials: Sequence[Trial]) -> list[str]:
    versions = [_one_line(_mapping(trial)) for trial in trials if trial.get("packages")]
    return [
        *(f"  # The request names {version}" for version in versions),
        "  type: fix                 # until one job completes",
        "  attempts: 6               # TODO: how many may fail",
        "  # smoke: {max_steps: 10}  # a short run for the attempts, then the full job",
    ]


def _ablate(trials: Sequence[Trial]) -> list[str]:
    baseline, *variants = trials
    lines = [
        "  type: ablate",
        f"  baseline: {_mapping(baseline)}  # TODO: the hyperparameters that your script reads",
        "  variants:",
    ]
    for variant in variants:
        changed = {name: value for name, value in variant.items() if baseline.get(name) != value}
        label = "without " + ", ".join(name.replace("_", " ") for name in changed)
        lines += [
            f"    - name: {json.dumps(label[:100], ensure_ascii=False)}",
            f"      set: {_mapping(changed)}",
        ]
    return [*lines, "  repeats: 2                # from 2 on, the verdict knows the noise"]


def _recipes(trials: Sequence[Trial], varied: Sequence[str]) -> list[str]:
    lines = ["  type: recipes", "  recipes:                  # in order"]
    if not trials:
        name = next(iter(varied), "recipe")
        return [
            *lines,
            *(f"    - {{name: recipe-{n}, hyperparameters: {{{name}: {n}}}}}  # TODO" for n in (1, 2)),
        ]
    labels = [str(trial.get("recipe", "")) for trial in trials]
    seen: list[str] = []
    for label, trial in zip(labels, trials, strict=True):
        settings = {name: value for name, value in trial.items() if name != "recipe"}
        name = label
        if settings and labels.count(label) > 1:  # one method with several settings
            name = ", ".join([label, *(f"{key} {value}" for key, value in settings.items())])
            settings = {"recipe": label, **settings}
        name = name[:100]
        if name in seen:
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


def _values(trial: Trial) -> Trial:
    return {name: value for name, value in trial.items() if name != "recipe" or len(trial) == 1}


def _distinct(values: Sequence[_T]) -> list[_T]:
    return [value for n, value in enumerate(values) if value not in values[:n]]


def _range(bounds: Mapping[str, object]) -> str:
    low, high = bounds["min"], bounds["max"]
    logarithmic = isinstance(low, int | float) and isinstance(high, int | float) and 0 < low * 10 <= high
    return f"{{min: {_scalar(low)}, max: {_scalar(high)}{', scale: log' if logarithmic else ''}}}"


def _scalar(value: TrialValue | object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        mantissa, exponent, power = repr(value).partition("e")
        return f"{mantissa}e{int(power)}" if exponent else mantissa
    return json.dumps(value, ensure_ascii=False)


def _mapping(trial: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{_key(name)}: {_scalar(value)}" for name, value in trial.items()) + "}"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else json.dumps(name, ensure_ascii=False)


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:33].strip("-") or "loop"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _max_jobs(detection: Detection) -> int:
    return (
        max(len(detection.trials) * (2 if detection.pattern is Pattern.ABLATION else 1), _SEARCH_TRIALS) + 4
    )
