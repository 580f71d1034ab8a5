"""Does a request ask for two or more training jobs on one instance type, and in which pattern?

Deterministic and offline. The rules (`evidence`) read the values, the target, the parts and the reasons that stand in
the text; a small linear model (`model`) weighs them and the words. `decide` puts the two together: false only for a
reason that can be quoted, true where the model is sure, and otherwise "you decide".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from wpfsm.adapters.detect.evidence import Evidence, features, gather
from wpfsm.adapters.detect.findings import Detection, Pattern, Plan, Trial
from wpfsm.adapters.detect.model import Verdict, judge, load
from wpfsm.adapters.detect.reasons import SAID, Reason
from wpfsm.adapters.detect.values import MAX_TRIALS

_OVERRULED = 0.9
"""A hard reason ("spot") that stands beside so likely a candidate is for the reader to judge."""

_DOUBT = 0.1
"""How much surer the model must be where words such as "once" or "deploy" stand in the request."""

DECLINE = (
    "To do without a warm pool: start each job from a loop file with `strategy: {type: single}` (no keep-alive), once "
    "per job, or leave wpfsm out altogether."
)
RULE = "Rule: two or more training jobs on one instance type, one after another, and nobody declined a warm pool: use one."


def detect(text: str) -> Detection:
    """Read a request and say whether a warm pool would serve it.

    Args:
        text: the request, as a user types it; of a longer one than 8,000 characters the beginning and the end are read.

    Returns:
        What is known. Never raises for a string.
    """
    evidence = gather(text)
    first = _ON_THE_BEST.search(text)
    if first is not None and _varies(gather(text[: first.start()]).trials):
        head, tail = gather(text[: first.start()]), gather(text[first.end() :])
        if (
            _varies(tail.trials) or tail.goals.target is not None
        ):  # two phases: the values of the first are its own
            evidence = replace(evidence, trials=head.trials, rows=head.rows, settings=head.settings)
    model = load()
    verdict = judge(features(evidence))
    candidate, pattern, reason = decide(evidence, verdict, model.yes, model.no)
    if candidate is False:
        assert reason is not None
        quoted = f' ("{reason.quote}")' if reason.quote else ""
        why = f"{SAID[reason.kind]}{quoted}"
        return Detection(
            False,
            verdict.probability,
            Pattern.NONE,
            why,
            reason.kind,
            message=_refusal(why, reason.kind),
            decline=DECLINE,
        )
    trials = trials_for(pattern, evidence)
    target = (
        evidence.goals.target
        if pattern is Pattern.TRAIN_UNTIL_METRIC or (evidence.goals.target and trials)
        else None
    )
    plan = _plan(pattern, evidence, trials)
    detection = Detection(
        candidate,
        verdict.probability,
        pattern,
        _why(candidate, evidence, verdict, trials, reason),
        reason.kind if reason else "",
        trials,
        target,
        "",
        DECLINE,
        _settings(evidence, trials),
        evidence.instance_type,
        evidence.varied,
        plan,
    )
    following = _following(text, detection)
    if following is not None and following.target is not None and pattern is Pattern.TRAIN_UNTIL_METRIC:
        detection = replace(
            detection, pattern=Pattern.HYPERPARAMETER_SWEEP, target=None
        )  # the target is the second's
    return _with_message(replace(detection, following=following))


_ON_THE_BEST = re.compile(
    r"[.,;]?\s*\b(?:and )?(?:then|after that|afterwards|next),? (?:please )?(?:take|use|with|keep|from|for|on|continue|go on|train)"
    r"(?: training| with| from| only)* (?:the |that |its )?(?:best|winner|winning)\b",
    re.IGNORECASE,
)


def _following(text: str, found: Detection) -> Detection | None:
    """The phase that goes on from the best trial of the one before: "..., then with the best one try dropout 0.1, 0.2"."""
    match = _ON_THE_BEST.search(text)
    if match is None or not found.trials:
        return None
    evidence = gather(text[match.end() :])
    trials = evidence.trials if _varies(evidence.trials) else []
    target = evidence.goals.target
    if not trials and target is None:
        return None
    pattern = Pattern.TRAIN_UNTIL_METRIC if target is not None else Pattern.HYPERPARAMETER_SWEEP
    return Detection(True, found.confidence, pattern, found.why, "", trials, target, plan=evidence.plan)


def decide(
    evidence: Evidence, verdict: Verdict, yes: float, no: float
) -> tuple[bool | None, Pattern, Reason | None]:
    """The verdict: candidate or not or unknown, the pattern, and the reason where one speaks against it."""
    p = verdict.probability
    hard = next((reason for reason in evidence.reasons if reason.hard), None)
    soft = next((reason for reason in evidence.reasons if not reason.hard), None)
    if hard is not None:
        return (False if p < _OVERRULED or hard.kind in {"empty", "pool"} else None), verdict.pattern, hard
    doubt = _DOUBT if any(reason.kind in {"single", "other", "past"} for reason in evidence.reasons) else 0.0
    if p >= yes + doubt:
        return True, _pattern(evidence, verdict.pattern), None
    if soft is not None and p < (no / 3 if _varies(evidence.trials) else no):
        return False, Pattern.NONE, soft
    return None, _pattern(evidence, verdict.pattern), soft


def _pattern(evidence: Evidence, likely: Pattern) -> Pattern:
    """The model's pattern, but that listed values of two parameters, to be crossed, are a grid of configurations."""
    names = {name for trial in evidence.trials for name in trial}
    crossed = len(evidence.trials) > 2 and len(names - {"seed"}) > 1 and not evidence.rows
    return Pattern.CONFIG_GRID if crossed and likely is Pattern.HYPERPARAMETER_SWEEP else likely


def trials_for(pattern: Pattern, evidence: Evidence) -> list[Trial]:
    """The trials that a request of this pattern spells out."""
    if pattern is Pattern.DEPENDENCY_DEBUGGING:
        return evidence.packages
    if pattern is Pattern.ABLATION:
        return evidence.parts or (evidence.trials if len(evidence.trials) > 1 else [])
    if pattern is Pattern.RECIPE_ITERATION and len(evidence.trials) < 2:
        return evidence.recipes
    if pattern is Pattern.TRAIN_UNTIL_METRIC and not _varies(evidence.trials):
        return []
    if (
        not _varies(evidence.trials)
        and evidence.parts
        and pattern is not Pattern.TRAIN_UNTIL_METRIC
        and not evidence.varied
    ):
        return evidence.parts
    return evidence.trials if _varies(evidence.trials) else []


def _varies(trials: list[Trial]) -> bool:
    return len(trials) > 1 or any(isinstance(value, dict) for trial in trials for value in trial.values())


def _settings(evidence: Evidence, trials: list[Trial]) -> dict[str, int | float | str | bool]:
    varied = {"recipe", *(name for trial in trials for name in trial)}
    return {name: value for name, value in evidence.settings.items() if name not in varied}


def _plan(pattern: Pattern, evidence: Evidence, trials: list[Trial]) -> Plan:
    plan = evidence.plan
    rule = evidence.rule
    if rule is not None:
        plan = replace(
            plan,
            note=f'the values follow the rule "{rule[2]}"'
            + ("" if rule[1] else ", from a value that the request does not name"),
        )
    if (
        any("seed" in trial for trial in trials)
        and plan.repeats is not None
        and pattern is not Pattern.ABLATION
    ):
        plan = replace(plan, repeats=None)
    return plan


# --- words --------------------------------------------------------------------------------------------------------


def _why(
    candidate: bool | None, evidence: Evidence, verdict: Verdict, trials: list[Trial], reason: Reason | None
) -> str:
    text = " ".join(evidence.request.asked.split())
    parts: list[str] = []
    if evidence.goals.target is not None:
        parts.append(f"a number to reach ({evidence.goals.target})")
    if len(trials) > 1:
        names = dict.fromkeys(name for trial in trials for name in trial)
        parts.append(f"{len(trials)} trials in {' and '.join(list(names)[:3])}")
    elif trials and evidence.packages is trials:
        parts.append(f"packages to change ({', '.join(map(str, trials[0]['packages']))})")  # type: ignore[arg-type]
    quotes = _quoted(text, verdict)
    if quotes:
        parts.append("the words " + ", ".join(f'"{quote}"' for quote in quotes))
    found = "; ".join(parts) or "no word that it knows"
    if candidate:
        return f"it asks for {found}" if parts else "it resembles requests for several training jobs"
    against = (
        f'; against it: {SAID[reason.kind]} ("{reason.quote}")' if reason is not None and reason.quote else ""
    )
    return f"not sure: it sees {found}{against}"


def _quoted(text: str, verdict: Verdict) -> list[str]:
    """The words of a text that weigh most, as they stand in it."""
    found: list[str] = []
    for feature in verdict.words:
        if not feature.startswith("w:") or not re.search(r"[^\W\d_]{2}", feature):
            continue
        words = [word for word in feature[2:].split(" ") if word not in {"^", "$"}]
        rule = r"\W{0,3}".join(r"[\d.,:e-]+" if word == "0" else re.escape(word) for word in words)
        match = re.search(rf"(?<!\w){rule}(?!\w)", text, re.IGNORECASE)
        if match is not None and not any(match.group() in other or other in match.group() for other in found):
            found.append(match.group())
        if len(found) == 3:
            break
    return found


_OFFER: Mapping[Pattern, str] = {
    Pattern.HYPERPARAMETER_SWEEP: "one training job for each setting",
    Pattern.CONFIG_GRID: "one training job for each configuration",
    Pattern.RECIPE_ITERATION: "one training job for each recipe",
    Pattern.ABLATION: "a baseline and its variants",
    Pattern.TRAIN_UNTIL_METRIC: "training jobs until the target is met",
    Pattern.DEPENDENCY_DEBUGGING: "attempts until one job completes",
}
_MISSING: Mapping[Pattern, str] = {
    Pattern.HYPERPARAMETER_SWEEP: "Which values shall it try?",
    Pattern.CONFIG_GRID: "Which values shall it try?",
    Pattern.RECIPE_ITERATION: "Which recipes, in which order?",
    Pattern.ABLATION: "Which parts shall it switch off?",
}
_ADVICE: Mapping[str, str] = {
    "spot": "Run it on demand to use a warm pool, or keep spot and accept a cold start for every job.",
    "serverless": "Use the serverless job as it is, or give the loop an instance type of its own.",
    "heterogeneous": "Run one loop for each instance type, each with its own pool.",
    "pool": "Run one loop for each instance type and count, each with its own pool.",
    "amt": "Let the tuning job manage its instances, or ask for a sweep without it.",
    "elsewhere": "Nothing to keep warm there.",
    "single": "A single job gains nothing from a warm pool: run it without keep-alive.",
    "declined": DECLINE,
}


def _refusal(why: str, kind: str) -> str:
    advice = _ADVICE.get(kind, "")
    return f"No warm pool: {why}.{' ' if advice else ''}{advice}"


def _with_message(found: Detection) -> Detection:
    where = found.instance_type or "one instance type"
    jobs = job_count(found)
    most = "up to " if found.pattern in {Pattern.TRAIN_UNTIL_METRIC, Pattern.DEPENDENCY_DEBUGGING} else ""
    counted = f"{most}{jobs} jobs: " if jobs is not None and jobs > 1 else ""
    what = f"{counted}{_OFFER[found.pattern]} on {where}"
    asked = _MISSING.get(found.pattern, "") if not found.trials else ""
    if found.pattern is Pattern.TRAIN_UNTIL_METRIC and found.target is None:
        asked = "Which number ends it?"
    if len(found.trials) == MAX_TRIALS:
        asked = f"Only the first {MAX_TRIALS} trials are listed."
    if found.candidate is None:
        text = f"You decide: this may be {what}. {RULE} {asked}"
    else:
        text = (
            f"This looks like {what}. A warm pool keeps the instance between jobs, so that only the first one starts cold; idle time is "
            f"billed until the pool is released, which the loop does and proves at its end. {asked}"
        )
    return replace(found, message=f"{text.strip()} {DECLINE}")


def job_count(found: Detection) -> int | None:
    """How many jobs the draft of a detection runs at most, if the request says so."""
    from wpfsm.adapters.detect.drafting import jobs_of

    return jobs_of(found)
