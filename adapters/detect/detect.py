"""Does a request ask for two or more training jobs on one instance type, and in which pattern?

Deterministic and offline. The rules (`evidence`) read the values, the target, the parts and the reasons that stand in
the text; a small linear model (`model`) weighs them and the words. `decide` puts the two together: false only for a
reason that can be quoted, true where the model is sure, and otherwise "you decide".
"""

from __future__ import annotations

import re
from dataclasses import replace

from wpfsm.adapters.detect.evidence import RequestEvidence, gather
from wpfsm.adapters.detect.features import features
from wpfsm.adapters.detect.findings import Detection, Pattern, Plan, Trial
from wpfsm.adapters.detect.messages import DECLINE, refusal, with_message
from wpfsm.adapters.detect.model import Verdict, judge, load
from wpfsm.adapters.detect.reasons import Reason
from wpfsm.adapters.detect.tables import rule, texts, word_set

_OVERRULED = 0.9
"""A hard reason ("spot") that stands beside so likely a candidate is for the reader to judge."""

_DOUBT = 0.1
"""How much surer the model must be where words such as "once" or "deploy" stand in the request."""


def detect(text: str) -> Detection:
    """Read a request and say whether a warm pool would serve it.

    Args:
        text: the request, as a user types it; of a longer one than 8,000 characters the beginning and the end are read.

    Returns:
        What is known. Never raises for a string.
    """
    evidence, tail = gather(text), None
    match = rule("on the best").search(text)
    if match is not None:
        head, tail = gather(text[: match.start()]), gather(text[match.end() :])
        if head.varies and (
            tail.varies or tail.goals.target is not None
        ):  # the values of the first phase are its own
            evidence = replace(evidence, trials=head.trials, rows=head.rows, settings=head.settings)
        else:
            tail = None
    model, verdict = load(), judge(features(evidence))
    candidate, pattern, reason = decide(evidence, verdict, model.yes, model.no)
    if candidate is False and reason is not None:
        why = texts("reasons")[reason.kind] + (f' ("{reason.quote}")' if reason.quote else "")
        said = refusal(why, reason.kind)
        return Detection(
            False, verdict.probability, Pattern.NONE, why, reason.kind, message=said, decline=DECLINE
        )
    following = _following(tail, verdict.probability) if tail is not None else None
    if following is not None and pattern is Pattern.TRAIN_UNTIL_METRIC:
        pattern = Pattern.HYPERPARAMETER_SWEEP  # what is to be reached is the second's
    trials = trials_for(pattern, evidence)
    reaches = pattern is Pattern.TRAIN_UNTIL_METRIC or (trials and following is None)
    varied = {"recipe", *(name for trial in trials for name in trial)}
    return with_message(
        Detection(
            candidate,
            verdict.probability,
            pattern,
            _why(candidate, evidence, verdict, trials, reason),
            reason.kind if reason else "",
            trials,
            evidence.goals.target if reaches else None,
            settings={name: value for name, value in evidence.settings.items() if name not in varied},
            instance_type=evidence.instance_type,
            varied=evidence.varied,
            plan=_plan(pattern, evidence, trials),
            following=following,
        )
    )


def _following(tail: RequestEvidence, probability: float) -> Detection:
    """The phase that goes on from the best trial of the one before: "..., then with the best one try dropout 0.1, 0.2"."""
    reach = tail.goals.target is not None and not tail.varies
    pattern = Pattern.TRAIN_UNTIL_METRIC if reach else Pattern.HYPERPARAMETER_SWEEP
    trials = tail.trials if tail.varies else []
    return Detection(
        True, probability, pattern, "", "", trials, tail.goals.target if reach else None, plan=tail.plan
    )


def decide(
    evidence: RequestEvidence, verdict: Verdict, yes: float, no: float
) -> tuple[bool | None, Pattern, Reason | None]:
    """The verdict: candidate or not or unknown, the pattern, and the reason where one speaks against it."""
    p, pattern = verdict.probability, _pattern(evidence, verdict.pattern)
    hard = next((reason for reason in evidence.reasons if reason.hard), None)
    soft = next((reason for reason in evidence.reasons if not reason.hard), None)
    if hard is not None:
        return (False if p < _OVERRULED or hard.kind in {"empty", "pool"} else None), pattern, hard
    doubt = _DOUBT if any(reason.kind != "question" for reason in evidence.reasons) else 0.0
    if p >= yes + doubt:
        return True, pattern, None
    if soft is not None and p < (no / 3 if evidence.varies else no):
        return False, Pattern.NONE, soft
    return None, pattern, soft


def _pattern(evidence: RequestEvidence, likely: Pattern) -> Pattern:
    """The model's pattern, but that listed values of two parameters, to be crossed, are a grid of configurations."""
    names = {name for trial in evidence.trials for name in trial} - {"seed"}
    if evidence.parts and evidence.seeds and evidence.trials == evidence.seeds:
        return Pattern.ABLATION  # with and without a part, several seeds each
    crossed = len(evidence.trials) > 2 and len(names) > 1 and not evidence.rows
    return Pattern.CONFIG_GRID if crossed and likely is Pattern.HYPERPARAMETER_SWEEP else likely


def trials_for(pattern: Pattern, evidence: RequestEvidence) -> list[Trial]:
    """The trials that a request of this pattern spells out."""
    listed = evidence.trials if evidence.varies else []
    if pattern is Pattern.DEPENDENCY_DEBUGGING:
        return evidence.packages
    if pattern is Pattern.ABLATION:
        return evidence.parts or listed
    if pattern is Pattern.TRAIN_UNTIL_METRIC or listed:
        return listed
    if pattern is Pattern.RECIPE_ITERATION and evidence.recipes:
        return evidence.recipes
    if evidence.plan.by_hand and evidence.settings and rule("begins").search(evidence.request.english):
        return [dict(evidence.settings)]
    return [] if evidence.varied or pattern is Pattern.RECIPE_ITERATION else evidence.parts


def _plan(pattern: Pattern, evidence: RequestEvidence, trials: list[Trial]) -> Plan:
    plan = evidence.plan
    if evidence.rule is not None:
        unsaid = "" if evidence.rule[1] else ", from a value that the request does not name"
        plan = replace(plan, note=f'the values follow the rule "{evidence.rule[2]}"{unsaid}')
    seeded = any("seed" in trial for trial in trials) and pattern is not Pattern.ABLATION
    return replace(plan, repeats=None) if seeded else plan


def _why(
    candidate: bool | None,
    evidence: RequestEvidence,
    verdict: Verdict,
    trials: list[Trial],
    reason: Reason | None,
) -> str:
    parts: list[str] = [f"a number to reach ({evidence.goals.target})"] if evidence.goals.target else []
    if len(trials) > 1:
        names = dict.fromkeys(name for trial in trials for name in trial)
        parts.append(f"{len(trials)} trials in {' and '.join(list(names)[:3])}")
    elif trials and evidence.packages is trials:
        parts.append(f"packages to change ({', '.join(map(str, evidence.packages[0]['packages']))})")  # type: ignore[arg-type]
    quotes = _quoted(" ".join(evidence.request.asked.split()), verdict)
    if quotes:
        parts.append("the words " + ", ".join(f'"{quote}"' for quote in quotes))
    if candidate:
        return (
            f"it asks for {'; '.join(parts)}" if parts else "it resembles requests for several training jobs"
        )
    against = (
        f'; against it: {texts("reasons")[reason.kind]} ("{reason.quote}")' if reason and reason.quote else ""
    )
    return f"not sure: it sees {'; '.join(parts) or 'no word that it knows'}{against}"


def _quoted(text: str, verdict: Verdict) -> list[str]:
    """The words of a text that weigh most, as they stand in it."""
    found: list[str] = []
    for feature in verdict.words:
        words = [word for word in feature[2:].split(" ") if word not in {"^", "$"}]
        if all(len(word) < 3 or word in word_set("english") for word in words if word.isascii()):
            continue
        written = r"\W{0,3}".join(r"[\d.,:e-]+" if word == "0" else re.escape(word) for word in words)
        match = re.search(rf"(?<!\w){written}(?!\w)", text, re.IGNORECASE)
        if match is not None and not any(match.group() in other or other in match.group() for other in found):
            found.append(match.group())
    return found[:3]
