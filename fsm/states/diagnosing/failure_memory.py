"""Failure memory: fingerprint, patch, outcome, over every loop of the database.

A patch is remembered when it is made, as ``pending``. When the same failure comes back it ``failed``; when its
trial completes it ``worked``. A different failure says neither: in a cascade the next one only shows then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wpfsm.fsm.context import Context
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.patches import PastPatch, Patch
from wpfsm.fsm.patches.base import patch_of
from wpfsm.fsm.patches.hyperparameters import as_number, summary
from wpfsm.fsm.patches.scale import fitted
from wpfsm.fsm.records import JSON, Job, JobPatch, PatchAttempt, Trial

SMALLER = frozenset({"scale", "shorten"})
"""Fixes that change hyperparameters, and that another loop may begin with."""
EDITS = frozenset({"edit", "command"})
"""Fixes that somebody else made in the source."""


def worked(ctx: Context, fingerprint: str) -> Sequence[PatchAttempt]:
    """What cured this failure before, in any loop, newest first."""
    return [memory for memory in ctx.store.remembered(fingerprint) if memory.outcome == "worked"]


def history(ctx: Context, diagnosis: Diagnosis) -> Sequence[PastPatch]:
    """What was tried against this failure in this loop, and what worked in others.

    What a sibling lane is just trying says nothing yet: two lanes that meet the same failure mend it both.
    """
    own = {job.name for job in ctx.jobs()}
    return [
        PastPatch(r.fingerprint, r.class_, r.patch_key, r.outcome)
        for r in ctx.store.remembered(diagnosis.fingerprint)
        if (
            r.loop_id == ctx.loop.group and (r.outcome != "pending" or r.job_name in own or not ctx.loop.lane)
        )
        or r.outcome == "worked"
    ]


def remember(ctx: Context, job: Job, fingerprint: str, class_: str, patch: JobPatch) -> PatchAttempt:
    """The row of a patch that was just made in answer to a job's failure."""
    return PatchAttempt(
        fingerprint=fingerprint,
        loop_id=ctx.loop.group,
        job_name=job.name,
        class_=class_,
        patch_key=patch.key,
        patch=patch,
        outcome="pending",
        at=ctx.clock.now(),
    )


def failed_again(ctx: Context, job: Job, fingerprint: str) -> tuple[PatchAttempt, ...]:
    """The same failure came back in the same trial: what was tried against it did not help."""
    return tuple(
        replace(r, outcome="failed") for r in _pending(ctx, job.trial) if r.fingerprint == fingerprint
    )


def completed(ctx: Context, trial: int) -> tuple[PatchAttempt, ...]:
    """The trial completed: every patch on its way worked."""
    return tuple(replace(r, outcome="worked") for r in _pending(ctx, trial))


def _pending(ctx: Context, trial: int) -> Sequence[PatchAttempt]:
    jobs = {job.name: job for job in ctx.jobs() if job.trial == trial and job.diagnosis and job.patch}
    fingerprints = {job.diagnosis.fingerprint for job in jobs.values() if job.diagnosis}
    return [
        r
        for fingerprint in sorted(fingerprints)
        for r in ctx.store.remembered(fingerprint)
        if r.loop_id == ctx.loop.group and r.job_name in jobs and r.outcome == "pending"
    ]


def replay(
    ctx: Context, trial: Trial, params: Mapping[str, JSON], diagnosis: Diagnosis
) -> tuple[Patch, str, PatchAttempt] | None:
    """A fix that worked before, as it would be made now: the patch, the source with it, and its memory.

    Hyperparameters are taken over where they make the job smaller; an edit of the source where the files that
    it changed are still what they were. Pins and retries are proposed by their own rules, which know what worked.
    """
    past = history(ctx, diagnosis)
    for memory in worked(ctx, diagnosis.fingerprint):
        key = memory.patch_key
        if any(p.patch_key == key and p.outcome != "worked" for p in past):
            continue
        made = patch_of(memory.patch)
        if made.kind in SMALLER and _smaller(made, trial, params):
            values = fitted(made.hyperparameters, params)
            again = replace(made, hyperparameters=values, summary=summary(values, params), wait_seconds=0)
            return again, trial.source_digest, memory
        if made.kind in EDITS and (digest := _edited(ctx, trial, memory.patch)):
            return made, digest, memory
    return None


def _smaller(patch: Patch, trial: Trial, params: Mapping[str, JSON]) -> bool:
    """Whether it changes what the job was given, makes nothing larger that it made smaller, and may."""
    if not patch.hyperparameters or patch.hyperparameters.keys() & trial.params.keys():
        return False
    if not patch.hyperparameters.keys() <= params.keys():
        return False
    first, value = next(iter(patch.hyperparameters.items()))
    before, after = as_number(params[first]), as_number(value)
    return before is not None and after is not None and after < before


def _edited(ctx: Context, trial: Trial, patch: JobPatch) -> str:
    """The present source with the edit; empty when a file that the edit changed is another one now."""
    old, new = patch.base, patch.result
    if not (old and new and trial.source_digest) or old == new:
        return ""
    if trial.source_digest == old:
        return new
    before, after, now = (ctx.sources.files(digest) for digest in (old, new, trial.source_digest))
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if not changed or any(now.get(name) != before.get(name) for name in changed):
        return ""
    files = {name: after[name] for name in changed if name in after}
    return ctx.gateway.call(
        "sources.derive", lambda: ctx.sources.derive(trial.source_digest, files, changed - after.keys())
    )
