"""Where a loop's source comes from: what the user gave, and what they have changed of it since.

The loop works on snapshots of its own and patches those. What the user edits during a hand-off is laid over
the patches, so that taking up an edit loses none of them.
"""

from __future__ import annotations

from wpfsm.fsm.context import Context
from wpfsm.fsm.records import Trial


def user_digest(ctx: Context, trial: Trial) -> str:
    """The newest snapshot that the user made of this trial's folder: at the start, by an edit, or in a proposal."""
    trials = {t.number: t for t in ctx.store.trials()}
    proposals = {p.number: p for p in ctx.store.proposals(open_only=False)}
    step: Trial | None = trial
    while step is not None and step.proposal is not None:
        edits = [
            j.patch.given for j in ctx.group_jobs() if j.trial == step.number and j.patch and j.patch.given
        ]
        if edits:
            return edits[-1]
        brought = proposals[step.proposal].source_digest if step.proposal in proposals else ""
        if brought:
            return brought
        step = trials.get(step.base or 0)
    return _user_digest(ctx, step or trial)


def _user_digest(ctx: Context, trial: Trial) -> str:
    trials = {t.number for t in ctx.store.trials() if t.source == trial.source}
    mine = [job for job in ctx.group_jobs() if job.trial in trials]
    for job in reversed(mine):
        if job.patch and job.patch.given:
            return job.patch.given
    return mine[0].source_digest if mine else trial.source_digest


def rebase_edit(ctx: Context, patched: str, given: str, edited: str) -> str:
    """The loop's patches under the user's edit: a file that both changed is the user's.

    Args:
        ctx: The loop, owned.
        patched: The loop's newest snapshot.
        given: What the user gave before the edit.
        edited: What they give now.

    Returns:
        Digest of the user's files as they are now, with those of the patches that they did not touch.
    """
    if patched == given:
        return edited
    ours, before, after = (ctx.sources.files(digest) for digest in (patched, given, edited))
    patches = [name for name in ours.keys() | before.keys() if ours.get(name) != before.get(name)]
    untouched = [name for name in patches if after.get(name) == before.get(name)]
    files = {name: ours[name] for name in untouched if name in ours}
    without = [name for name in untouched if name not in ours]
    if not files and not without:
        return edited
    return ctx.gateway.call("sources.derive", lambda: ctx.sources.derive(edited, files, without))


def changed_names(ctx: Context, old: str, new: str) -> list[str]:
    """Text files that differ between two snapshots, by name."""
    before, after = ctx.sources.files(old), ctx.sources.files(new)
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
