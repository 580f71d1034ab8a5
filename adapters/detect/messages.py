"""What `detect` tells the user: what a candidate looks like, what to decide, and how to do without a warm pool."""

from __future__ import annotations

from dataclasses import replace

from wpfsm.adapters.detect.findings import Detection, Pattern
from wpfsm.adapters.detect.strategies import jobs_of
from wpfsm.adapters.detect.tables import texts
from wpfsm.adapters.detect.values import MAX_TRIALS

DECLINE = (
    "To do without a warm pool: start each job from a loop file with `strategy: {type: single}` (no keep-alive), once "
    "per job, or leave wpfsm out altogether."
)
_BILLED = "idle time is billed until the pool is released, which the loop does and proves at its end"
_PLAYED = "the local emulator plays the instance, and nothing is billed"
RULE = "Rule: two or more training jobs on one instance type, one after another, and nobody declined a warm pool: use one."


def refusal(why: str, kind: str) -> str:
    """The message for a request that a reason speaks against."""
    return f"No warm pool: {why}. {DECLINE if kind == 'declined' else texts('advice').get(kind, '')}".strip()


def with_message(found: Detection) -> Detection:
    """A detection with its message and how to decline."""
    until = found.pattern is Pattern.TRAIN_UNTIL_METRIC
    jobs = jobs_of(found)
    offer, _, missing = texts("offers")[found.pattern.value].partition(" |")
    most = "up to " if until or found.plan.mend_first or found.pattern is Pattern.DEPENDENCY_DEBUGGING else ""
    counted = f"{most}{jobs} jobs: " if jobs is not None and jobs > 1 else ""
    what = f"{counted}{offer} on {found.instance_type or 'one instance type'}"
    asked = "" if found.trials else missing.strip()
    if until and found.target is None:
        asked = "Which number ends it?"
    if len(found.trials) == MAX_TRIALS:
        asked = f"Only the first {MAX_TRIALS} trials are listed."
    if found.candidate is None:
        text = f"You decide: this may be {what}. {RULE} {asked}"
    else:
        text = (
            f"This looks like {what}. A warm pool keeps the instance between jobs, so that only the first one starts "
            f"cold; {_PLAYED if found.plan.local else _BILLED}. {asked}"
        )
    return replace(found, message=f"{text.strip()} {DECLINE}", decline=DECLINE)
