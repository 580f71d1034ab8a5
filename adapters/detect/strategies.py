"""Which strategies a detected request is drafted with, and how many jobs they run at most."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TypeVar

from wpfsm.adapters.detect.findings import Detection, Pattern, Trial
from wpfsm.adapters.detect.tables import texts

_T = TypeVar("_T")
_SEARCH_TRIALS, _UNTIL_TRIALS, _MENDING = 12, 10, 4
_DRAWN = frozenset({"random", "bayes"})
_SCRIPT = re.compile(r"\.(?:py|sh)$")


class Flow(str):
    """A value that is YAML already."""

    __slots__ = ()


@dataclass
class DraftPhase:
    """A strategy of the loop file.

    Attributes:
        keys: what it says, in order.
        remarks: a comment for a key, such as what the request did not say.
        above: comments above it.
        jobs: how many jobs it runs at most; None where only placeholders of the draft say so.
    """

    keys: dict[str, object]
    remarks: dict[str, str] = field(default_factory=dict)
    above: list[str] = field(default_factory=list)
    jobs: int | None = None


def phases_of(detection: Detection) -> list[DraftPhase]:
    """One strategy, or phases: mending first, what follows on the best trial, what the user proposes by hand."""
    phases = [_phase(detection)]
    if detection.plan.mend_first and phases[0].keys["type"] != "fix":
        above = ["Leave this phase out when `wpfsm rehearse` has shown that the script runs."]
        phases.insert(0, DraftPhase({"type": "fix", "attempts": _MENDING}, above=above, jobs=_MENDING))
    if detection.following is not None:
        phases.append(_phase(detection.following))
        phases[-1].keys["from"] = "best"
    elif detection.plan.by_hand and detection.pattern is not Pattern.TRAIN_UNTIL_METRIC:
        ask = DraftPhase({"type": "ask"}, {"type": "waits for what you propose: wpfsm next LOOP --set k=v"})
        phases[len(phases) - (not detection.trials) :] = [ask]
    return phases


def jobs_of(detection: Detection) -> int | None:
    """How many jobs the draft asks for at most; None where they are placeholders, or up to the user."""
    counts = [phase.jobs for phase in phases_of(detection) if phase.keys["type"] != "ask"]
    return sum(n for n in counts if n) if counts and all(counts) else None


def _phase(found: Detection) -> DraftPhase:
    trials = distinct(found.trials)
    if found.pattern is Pattern.TRAIN_UNTIL_METRIC:
        return _until(found, trials)
    if found.pattern is Pattern.DEPENDENCY_DEBUGGING:
        return _fix(found, trials)
    switches = bool(trials and trials[0]) and all(isinstance(v, bool) for v in trials[0].values())
    if found.pattern is Pattern.ABLATION or (switches and len(trials) != 2 ** len(trials[0])):
        return _ablate(found, trials)
    unnamed = found.pattern is Pattern.RECIPE_ITERATION and not trials
    if unnamed or any("recipe" in trial for trial in trials):
        return _recipes(found, trials)
    search, often = _search(found, trials), min(found.plan.repeats or 1, 20)
    repeats = {"repeats": often} if often > 1 else {}
    keys = {"type": "sweep", **search.keys, **repeats}
    return DraftPhase(keys, search.remarks, jobs=search.jobs and search.jobs * often)


def _search(found: Detection, trials: Sequence[Trial]) -> DraftPhase:
    """The search as asked: draws where it says so or where there are ranges, else the grid or the list."""
    plan, drawn = found.plan, found.plan.method in _DRAWN
    names = dict.fromkeys(name for trial in trials for name in trial)
    columns = {name: distinct([trial[name] for trial in trials if name in trial]) for name in names}
    count, remarks = plan.count or plan.most, dict[str, str]()
    fewer = not trials or (plan.count is not None and plan.count < len(trials))
    if any(isinstance(value, dict) for trial in trials for value in trial.values()) or (drawn and fewer):
        remarks |= {} if count else {"count": "TODO: how many trials"}
        remarks |= {} if drawn else {"method": "or bayes, with the extra wpfsm[bayes]"}
        parameters: dict[str, object] = {}
        for name in columns or found.varied or ("lr",):
            values = columns.get(name) or [_placeholder("search ranges", name, "{min: 0.0, max: 1.0}")]
            alone = len(values) == 1 and isinstance(values[0], dict | list | Flow)
            parameters[name] = _scaled(values[0]) if alone else values
            remarks |= {} if name in columns else {name: "TODO: the range"}
        method = plan.method if drawn else "random"
        keys = {"method": method, "count": count or _SEARCH_TRIALS, "parameters": parameters}
        return DraftPhase(keys, remarks, jobs=count)
    if not trials:
        unsaid = (found.varied or ("lr",))[:2]
        remarks = {"parameters": "TODO: the request names no values", **dict.fromkeys(unsaid, "TODO")}
        proposed = {name: _placeholder("placeholders", name, "[1, 2]") for name in unsaid}
        return DraftPhase({"method": "grid", "parameters": proposed}, remarks)
    alike = all(trial.keys() == trials[0].keys() for trial in trials)
    if alike and [tuple(trial.values()) for trial in trials] == list(product(*columns.values())):
        return DraftPhase({"method": "grid", "parameters": columns}, jobs=len(trials))
    return DraftPhase({"method": "list", "trials": list(trials)}, jobs=len(trials))


def _placeholder(section: str, name: str, otherwise: str) -> Flow:
    """What the draft proposes for a parameter without values."""
    return Flow(texts(section).get(name, otherwise))


def _scaled(value: object) -> object:
    """A range over more than a magnitude is drawn by magnitude."""
    if not isinstance(value, dict):
        return value
    low, high = value["min"], value["max"]
    return {**value, "scale": "log"} if isinstance(low, float) and 0 < low * 10 <= high else value


def _until(found: Detection, trials: Sequence[Trial]) -> DraftPhase:
    most = found.plan.most or found.plan.count
    target = str(found.target) if found.target else "eval_loss < 0.30"
    remarks = {} if found.target else {"target": "TODO: the number that ends it"}
    keys: dict[str, object] = {"type": "until", "target": target}
    if not trials:
        above = ["Without `propose`, every job continues the same configuration from its last checkpoint."]
        remarks |= {} if most else {"max_trials": "TODO: when to give up"}
        return DraftPhase({**keys, "max_trials": most or _UNTIL_TRIALS}, remarks, above, most)
    search = _search(found, trials)
    keys |= {"max_trials": most} if most else {}
    remarks = {**remarks, "patience": "TODO: trials without a better metric", **search.remarks}
    jobs = min(filter(None, (most, search.jobs)), default=None)
    return DraftPhase({**keys, "patience": 3, "propose": search.keys}, remarks, jobs=jobs)


def _fix(found: Detection, trials: Sequence[Trial]) -> DraftPhase:
    remarks = {"type": "until one job completes"}
    remarks |= {} if found.plan.most else {"attempts": "TODO: how many may fail"}
    named = [", ".join(f"{name}: {value}" for name, value in trial.items()) for trial in trials]
    above = [f"The request names {each}" for each in named]
    above.append("smoke: {max_steps: 10} gives the attempts a short run.")
    return DraftPhase({"type": "fix", "attempts": found.plan.most or 6}, remarks, above, found.plan.most)


def _ablate(found: Detection, trials: Sequence[Trial]) -> DraftPhase:
    remark = "TODO: the hyperparameters that your script reads"
    jobs = len(trials) * (found.plan.repeats or 1) if len(trials) > 1 else None
    if len(trials) < 2:
        trials = [{"part": True}, {"part": False}]
        remark = "TODO: the request names no part; this is a placeholder"
    baseline, *others = trials
    variants = []
    for other in others:
        changed = {name: value for name, value in other.items() if baseline.get(name) != value}
        off = all(value is False for value in changed.values())
        label = f"without {', '.join(changed).replace('_', ' ')}" if off else _described(changed)
        variants.append({"name": label[:100], "set": changed})
    keys: dict[str, object] = {"type": "ablate", "baseline": baseline, "variants": variants}
    if (found.plan.repeats or 1) > 1:
        return DraftPhase({**keys, "repeats": found.plan.repeats}, {"baseline": remark}, [], jobs)
    return DraftPhase(
        keys, {"baseline": remark}, ["repeats: 2 or more lets the verdict know the noise."], jobs
    )


def _recipes(found: Detection, trials: Sequence[Trial]) -> DraftPhase:
    if not trials:
        varied = next(iter(found.varied), "recipe")
        listed = [{"name": f"recipe-{n}", "hyperparameters": {varied: n}} for n in (1, 2)]
        return DraftPhase({"type": "recipes", "recipes": listed}, {"recipes": "TODO: placeholders"})
    labels = [str(trial.get("recipe", "")).replace("'", "") for trial in trials]
    recipes: dict[str, dict[str, object]] = {}
    for label, trial in zip(labels, trials, strict=True):
        settings = {name: value for name, value in trial.items() if name != "recipe"}
        unique = label and labels.count(label) == 1
        name = (label if unique else ", ".join(filter(None, [label, _described(settings)])))[:100]
        entry = (
            {"entry": label} if _SCRIPT.search(label) else {"hyperparameters": settings or {"recipe": label}}
        )
        if name:
            recipes.setdefault(name, {"name": name, **entry})
    remark = (
        "in order" if any(len(trial) > 1 for trial in trials) else "in order; TODO: what your script reads"
    )
    return DraftPhase(
        {"type": "recipes", "recipes": list(recipes.values())}, {"recipes": remark}, [], len(recipes)
    )


def _described(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def distinct(values: Sequence[_T]) -> list[_T]:
    """The values without those that were there before."""
    return list({repr(value): value for value in values}.values())
