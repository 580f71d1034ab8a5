"""Draws the next trial from the strategy, and says what its jobs are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wpfsm.fsm.context import Context
from wpfsm.fsm.records import JSON, Job, Trial
from wpfsm.fsm.strategies import TrialRow


def ask_next_trial(ctx: Context, trials: list[Trial]) -> Trial | None:
    """The trial that the strategy asks for after ``trials``; None when there is none left.

    Raises:
        MissingExtra: The strategy needs an optional dependency.
    """
    proposal = ctx.strategy.next([row_of(trial) for trial in trials])
    if proposal is None:
        return None
    source = proposal.source or ""
    return Trial(
        loop_id=ctx.loop.id,
        number=len(trials) + 1,
        params=dict(proposal.params),
        label=proposal.label,
        smoke=proposal.smoke,
        carry_checkpoint=proposal.carry_checkpoint,
        repeat=proposal.repeat,
        source=source,
        entry=proposal.entry or "",
        source_digest=_digest(ctx, source, trials),
        environment=dict(proposal.environment),
    )


def params_for(ctx: Context, trial: Trial) -> dict[str, JSON]:
    """The hyperparameters of the trial's next job.

    The loop file's, then what patches made of them for earlier trials, then what the strategy chose, then what
    patches made of those for this trial.
    """
    return {**ctx.file.job.hyperparameters, **{k: v for k, (v, _) in carried(ctx, trial).items()}, **trial.params,
            **_own(ctx, trial)}  # fmt: skip


def carried(ctx: Context, trial: Trial) -> Mapping[str, tuple[JSON, str]]:
    """What this trial takes over from patches of earlier ones: the value and the job that was patched.

    A batch that did not fit in one trial does not fit in the next. What the strategy chooses for this trial
    is its own, and so is what the user has changed in the loop file since.
    """
    found: dict[str, tuple[JSON, str]] = {}
    for job in ctx.jobs():
        if job.trial < trial.number:
            found |= {
                name: (value, job.name) for name, value in _patched(ctx, job) if name not in trial.params
            }
    return found


def _own(ctx: Context, trial: Trial) -> Mapping[str, JSON]:
    return {
        name: value for job in ctx.jobs() if job.trial == trial.number for name, value in _patched(ctx, job)
    }


def _patched(ctx: Context, job: Job) -> Iterator[tuple[str, JSON]]:
    """The hyperparameters that a job's patch changed and that the loop file still gives as it did then."""
    if job.patch is None:
        return
    given = ctx.file.job.hyperparameters
    for name, value in job.patch.hyperparameters.items():
        if job.patch.replaces.get(name) == given.get(name):
            yield name, value


def _digest(ctx: Context, source: str, trials: list[Trial]) -> str:
    """The snapshot: the newest patched one of the same folder, else the one taken at the start."""
    if not source:
        return ctx.loop.source_digest
    known = next((t.source_digest for t in reversed(trials) if t.source == source), "")
    return known or ctx.sources.snapshot(source)


def row_of(trial: Trial) -> TrialRow:
    """A trial as a strategy sees it; a drawn one counts as running."""
    return TrialRow(
        number=trial.number,
        params=dict(trial.params),  # type: ignore[arg-type]
        label=trial.label,
        smoke=trial.smoke,
        state="running" if trial.state == "pending" else trial.state,
        metric=trial.metric,
        fingerprint=trial.fingerprint or None,
        repeat=trial.repeat,
        source=trial.source or None,
    )


def next_trial(ctx: Context) -> Trial:
    """The trial that needs a job: the first that is drawn or running."""
    return next(t for t in ctx.store.trials() if t.state in ("pending", "running"))
