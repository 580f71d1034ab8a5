"""Does a request imply two or more training jobs on one instance type, and in which pattern?

Deterministic and offline. The text goes through a small grammar: `tokens` (words, quantities), `grammar` (phrases of
`vocabulary`), `clauses` (what is asked for; what is denied, past or about something else), `quantities` (which values
belong to which parameter). On that stand the recognisers: `targets`, `package_changes`, `ablations`, `variations`.
The order of precedence among them is that of `_candidates`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from wpfsm.adapters.detect.ablations import ablation
from wpfsm.adapters.detect.clauses import Sentence, Shape, read
from wpfsm.adapters.detect.drafting import draft
from wpfsm.adapters.detect.findings import Detection, Finding, Pattern, Target
from wpfsm.adapters.detect.intervals import MAX_TRIALS
from wpfsm.adapters.detect.package_changes import dependency
from wpfsm.adapters.detect.patterns import Rule
from wpfsm.adapters.detect.quantities import Assignment, assignments
from wpfsm.adapters.detect.targets import until
from wpfsm.adapters.detect.variations import search, varied
from wpfsm.adapters.detect.vocabulary import Kind

__all__ = ["Detection", "Pattern", "Target", "detect", "draft"]


# --- what no warm pool can serve ------------------------------------------------------------------------------------

_REASONS: Mapping[str, str] = {
    "spot": "managed spot training cannot use a warm pool",
    "serverless": "serverless customization has no instances of its own, so there is nothing to keep warm",
    "heterogeneous": "a heterogeneous cluster, or more than one instance type, cannot share one warm pool",
    "pool": "the instance count and type are part of what a warm pool must match, so jobs that vary them cannot share one",
    "amt": "SageMaker automatic model tuning keeps its own instances warm between its jobs",
    "elsewhere": "it does not run as SageMaker training jobs",
    "question": "it asks a question and requests no training",
    "other": "it is not about running training jobs",
    "past": "it tells of jobs that have run already and requests no new ones",
    "single": "it is a single training job",
    "empty": "there is no request",
}

_ADVICE: Mapping[str, str] = {
    "spot": "Run it on demand to use a warm pool, or keep spot and accept a cold start for every job.",
    "serverless": "Use the serverless job as it is, or give the loop an instance type of its own.",
    "heterogeneous": "Run one loop for each instance type, each with its own pool.",
    "pool": "Run one loop for each instance type and count, each with its own pool.",
    "amt": "Let the tuning job manage its instances, or ask for a sweep without it.",
    "elsewhere": "Nothing to keep warm there.",
    "single": "A single job gains nothing from a warm pool: run it without keep-alive.",
}

_BLOCKERS: tuple[tuple[str, Rule], ...] = (
    (
        "spot",
        Rule(
            r" spot (?:instance|train|capacity|job|price|pricing|fleet|market|mode|vm|machine|node|request"
            r"|gpu|discount|INST)"
            r"| (?:on|use|using|with|via|through|managed|over to|as) (?:\S+ )?spot "
        ),
    ),
    ("serverless", Rule(r" serverless(?:ly)? ")),
    (
        "amt",
        Rule(
            r" (?:hyperparametertuner|amt|automatic model (?:tune|tuning)|automatic tuning"
            r"|createhyperparametertuningjob|tuner"
            r"|(?:hyperparameter|sagemaker|automatic|a) tune (?:job|service|api)|model tune job) "
        ),
    ),
    (
        "heterogeneous",
        Rule(
            r" (?:heterogeneous|heterogenous|instance_group|instance group|mixed instance|instancegroup) "
            r"|(?:instance_count|PARAM) group "
        ),
    ),
    (
        "elsewhere",
        Rule(
            r" (?:on|in|inside|with|via) (?:my |a |an |the |our |your |google |own |local |this |jupyter )*"
            r"(?:laptop|colab|macbook|workstation|notebook|hyperpod|kubernetes|eks|slurm|vertex|databricks"
            r"|desktop|kaggle|desk) | locally "
        ),
    ),
)
_ON_DEMAND = Rule(r" on demand ")
_REVIVES = Rule(
    r" (?:run|try|train|test|go|check|compare|launch|do|submit|measure|sweep|retrain|rerun) (?:it |them "
    r"|please )*"
    r"(?:without|both|them|each|all|it|these|those|two|one|NUM|VAL|through|next|side by side|for|against|with|to) "
    r"| (?:one|a) (?:run |job |model )?with(?:out)? | let (?:find|see|test|try|check) | (?:run|train|try"
    r"|test) (?:\S+ ){0,6}(?:and|vs|or) "
    r"| (?:run|try|train|test|check|compare) (?:it |them )(?:STOP|and|with|on|both|out|$)"
)
_OWN_REVIVAL = Rule(r" (?:run|try|train|test) (?:both|each|all|them) ")
_TRAINING = Rule(
    r" (?:train|retrain|finetune|pretrain|fit|run|rerun|job|launch|submit|resubmit|epoch|start|resume) "
)


def detect(text: str) -> Detection:
    """Reads a request and says whether a warm pool would serve it.

    Args:
        text: the request, as a user types it; read up to 8,000 characters.

    Returns:
        The detection; `Detection.pattern` is `Pattern.NONE` when it is no candidate. Never raises for a string.
    """
    sentences = _with_revived_questions(read(text))
    live = [sentence.live if not sentence.question else Shape(()) for sentence in sentences]
    assigned = assignments(sentences, live)
    named = _instance_types(sentences)
    finding = next(_candidates(sentences, assigned), None)
    reason = _declined(sentences, assigned, named, finding)
    if finding is None or reason:
        return _none(reason or "single")
    settings = _settings(assigned, finding)
    detection = Detection(
        True,
        finding.pattern,
        finding.why,
        finding.trials,
        finding.target,
        "",
        settings,
        next(iter(named), None),
        finding.varied,
    )
    return replace(detection, message=_message(detection))


def _candidates(sentences: Sequence[Sentence], assigned: Sequence[Assignment]) -> Iterator[Finding]:
    """The findings, in order of precedence; lazily, the first is taken."""
    values = varied(assigned, sentences)
    explicit = values if values is not None and values.trials else None
    goal = until(sentences)
    if goal is not None:
        yield replace(goal, trials=values.trials if values else [])
    rules: tuple[Callable[[], Finding | None], ...] = (
        lambda: dependency(sentences),
        lambda: ablation(sentences),
        lambda: explicit,
        lambda: values,
        lambda: search(sentences),
    )
    for rule in rules:
        finding = rule()
        if finding is not None:
            yield finding


def _with_revived_questions(sentences: list[Sentence]) -> list[Sentence]:
    """A question followed by "run both" is a request."""
    revived = any(sentence.live.has(_REVIVES) for sentence in sentences if not sentence.question)
    return [
        replace(sentence, question=sentence.question and not (revived or sentence.live.has(_OWN_REVIVAL)))
        for sentence in sentences
    ]


def _instance_types(sentences: Sequence[Sentence]) -> list[str]:
    found = [str(item.value) for sentence in sentences for item in sentence.said.items if item.tag == "INST"]
    return list(dict.fromkeys(found))


def _declined(
    sentences: Sequence[Sentence],
    assigned: Sequence[Assignment],
    named: Sequence[str],
    finding: Finding | None,
) -> str:
    """Why the request is no candidate, or "" when nothing stands against it."""
    if not any(sentence.said.items for sentence in sentences):
        return "empty"
    for reason, pattern in _BLOCKERS:
        if any(sentence.said.has(pattern) for sentence in sentences):
            if reason == "spot" and any(sentence.said.has(_ON_DEMAND) for sentence in sentences):
                continue
            return reason
    if len(named) > 1:
        return "heterogeneous"
    if any(
        found.parameter is not None and found.parameter.kind is Kind.POOL and found.varies
        for found in assigned
    ):
        return "pool"
    if finding is not None:
        return ""
    if any(sentence.other for sentence in sentences):
        return "other"
    if all(sentence.question or not sentence.live.items for sentence in sentences):
        return "question" if any(sentence.question for sentence in sentences) else "past"
    return "single" if any(sentence.live.has(_TRAINING) for sentence in sentences) or assigned else "other"


def _none(reason: str) -> Detection:
    why = _REASONS[reason]
    advice = _ADVICE.get(reason, "")
    return Detection(False, Pattern.NONE, why, message=f"No warm pool: {why}.{' ' if advice else ''}{advice}")


def _settings(assigned: Sequence[Assignment], finding: Finding) -> dict[str, int | float | str | bool]:
    unsettled = {"recipe", *(name for trial in finding.trials for name in trial)}
    return {
        found.parameter.name: found.values[0]
        for found in assigned
        if found.parameter is not None and len(found.values) == 1 and not found.varied
        and found.parameter.kind not in {Kind.POOL, Kind.FIXED} and found.parameter.name not in unsettled
    }  # fmt: skip


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
}


def _message(detection: Detection) -> str:
    where = detection.instance_type or "one instance type"
    most = "up to " if detection.pattern is Pattern.TRAIN_UNTIL_METRIC else ""
    jobs = f"{most}{len(detection.trials)} jobs: " if len(detection.trials) > 1 else ""
    offer = (
        f"This looks like {jobs}{_OFFER[detection.pattern]} on {where}. A warm pool keeps the instance between jobs, so that only"
        " the first one starts cold; idle time is billed until the pool is released, which the loop does and proves at its end."
    )
    asked = _MISSING.get(detection.pattern, "") if not detection.trials else ""
    if detection.pattern is Pattern.TRAIN_UNTIL_METRIC and detection.target is None:
        asked = "Which number ends it?"
    if len(detection.trials) == MAX_TRIALS:
        asked = f"Only the first {MAX_TRIALS} trials are listed."
    return f"{offer} {asked}".strip()
