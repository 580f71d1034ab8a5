"""Proposals: what somebody outside the loop asks for becomes its next trial.

They are run in the order in which they were made, before the strategy is asked. One whose point was tried before is
refused with the result of that time: the same job would cost the same again and show nothing new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wpfsm.fsm.context import Context
from wpfsm.fsm.records import Proposal, Trial
from wpfsm.fsm.steps import source_edits
from wpfsm.fsm.steps.next_trial import current_digest, params_for, rows_of
from wpfsm.fsm.steps.source_edits import changed_names
from wpfsm.fsm.strategies.base import label_for
from wpfsm.fsm.strategies.phases import reached
from wpfsm.fsm.strategies.verdict import start_of


@dataclass(frozen=True)
class Queued:
    """What the open proposals come to.

    Attributes:
        trial: The next trial; None when none is proposed.
        done: Somebody said that no further trial comes.
        skipped: Somebody gave up the failed trial.
        rows: The proposals that were answered, to be written with whatever follows.
    """

    trial: Trial | None = None
    done: bool = False
    skipped: bool = False
    rows: tuple[Proposal, ...] = ()


def take(ctx: Context, trials: Sequence[Trial], failed: Trial | None = None) -> Queued:
    """Answer the open proposals up to the first that can be run.

    Args:
        ctx: The loop, owned.
        trials: Every trial, the newest with its end.
        failed: At a failure hand-off, the trial that a proposal stands in for.
    """
    rows: list[Proposal] = []
    for proposal in ctx.store.proposals():
        if proposal.kind == "done":
            return Queued(done=True, rows=(*rows, replace(proposal, status="taken")))
        if proposal.kind == "skip" and failed is not None:
            return Queued(skipped=True, rows=(*rows, replace(proposal, status="taken")))
        if proposal.kind == "skip":
            rows.append(replace(proposal, status="refused", answer="no failed trial waits to be skipped"))
            continue
        trial = _trial(ctx, proposal, trials, failed)
        twin = None if proposal.again else _tried(ctx, trial, trials)
        if twin is None:
            rows.append(replace(proposal, status="taken", trial=trial.number))
            return Queued(trial, rows=tuple(rows))
        rows.append(replace(proposal, status="refused", answer=_result(twin)))
    return Queued(rows=tuple(rows))


def _trial(ctx: Context, proposal: Proposal, trials: Sequence[Trial], failed: Trial | None) -> Trial:
    keep = ctx.file.asks.keep if ctx.file.asks else "better"
    base = start_of(proposal.base, trials, ctx.goal, keep, failed)
    before = base.source_digest if base else current_digest(ctx)
    digest = before
    if proposal.source_digest:
        given = source_edits.user_digest(ctx, base or trials[0]) if trials else before
        digest = source_edits.rebase_edit(ctx, before, given, proposal.source_digest)
    params = {**(base.params if base else {}), **proposal.params}
    label = _label(ctx, proposal, before, digest)
    return Trial(
        loop_id=ctx.loop.group,
        lane=ctx.loop.lane,
        number=len(trials) + 1,
        params=params,
        label=label,
        repeat=sum(t.label == label for t in trials),
        source=base.source if base else "",
        entry=base.entry if base else "",
        source_digest=digest,
        environment=base.environment if base else {},
        phase=reached(ctx.strategy, rows_of(trials)) + 1,
        base=base.number if base else None,
        proposal=proposal.number,
        note=proposal.note,
    )


def _label(ctx: Context, proposal: Proposal, before: str, after: str) -> str:
    """What the proposal changes, in a few words."""
    words = [label_for(proposal.params)] if proposal.params else []
    if before != after:
        names = changed_names(ctx, before, after)
        words.append(f"edit of {', '.join(names[:3])}{' and others' * (len(names) > 3)}" if names else "edit")
    return "; ".join(words) or "as its base"


def _tried(ctx: Context, trial: Trial, trials: Sequence[Trial]) -> Trial | None:
    """A trial of this loop that ran the same values on the same source, and is over."""
    ran = {job.trial: job for job in ctx.group_jobs()}
    params = params_for(ctx, trial)
    for other in trials:
        known = other.number in ran or bool(other.taken_loop)
        over = other.state in ("completed", "failed") and known and not other.smoke
        alike = (other.source_digest, other.source, other.entry) == (
            trial.source_digest,
            trial.source,
            trial.entry,
        )
        if (
            over
            and alike
            and dict(ran[other.number].params if other.number in ran else other.params) == params
        ):
            return other
    return None


def _result(trial: Trial) -> str:
    came = f"metric {trial.metric:.6g}" if trial.metric is not None else trial.state
    verdict = f", {trial.verdict}" if trial.verdict and trial.verdict != trial.state else ""
    return (
        f"tried before: trial {trial.number} ({trial.label}) has the same values and source: {came}{verdict}"
    )
