"""Releasing: discharges every obligation, and proves it by reading back.

For each job that may have left a pool: stop it if it runs, wait until it is terminal, wait until its pool is
Available, set the keep-alive to 0, and read until the service says Terminated. Reused is followed to the job
that took it over: ours has an obligation of its own, a stranger's pool is not ours to release.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Denied, NotConfirmed, ServiceError
from wpfsm.fsm.ports import JobReading
from wpfsm.fsm.records import JSON, Change, Intent, Job, Obligation
from wpfsm.fsm.steps.adopt_job import digest_tag
from wpfsm.fsm.steps.observe_job import observe, without_pool
from wpfsm.fsm.steps.service_writes import set_keep_alive, stop_job


@dataclass
class _Patience:
    """How long one release has taken, and when the service was last asked for something."""

    began: float
    absent_since: float | None = None
    stop_asked_at: float | None = None
    release_asked_at: float | None = None


def run(ctx: Context) -> Change:
    """Discharge what is owed, newest job first, and write the receipt.

    Raises:
        NotConfirmed: Within ``pace.release`` seconds the service did not confirm.
    """
    unconfirmed: list[str] = []
    for obligation in reversed(ctx.store.obligations()):
        try:
            _discharge(ctx, obligation)
        except (ServiceError, Denied, NotConfirmed) as error:
            unconfirmed.append(f"{obligation.job_name}: {error.message}")
    if unconfirmed:
        ctx.ports.notifier.notify("unconfirmed", ctx.loop, "; ".join(unconfirmed))
        raise NotConfirmed(
            f"release not confirmed, a pool may still bill: {'; '.join(unconfirmed)}",
            fix=f"wpfsm release {ctx.loop.id}",
        )
    receipt = _receipt(ctx)
    return Change(
        kind="released",
        why=f"released and read back: {len(receipt['jobs'])} job(s) hold no pool",  # type: ignore[arg-type]
        data={"jobs": receipt["jobs"], "guards": {"nothing_owed": True}},
        loop={"receipt": receipt, "closed_at": ctx.clock.now(), "hold_until": None},
        intents=_answered(ctx),
    )


def _discharge(ctx: Context, obligation: Obligation) -> None:
    job = ctx.store.job_named(obligation.job_name)
    assert job is not None, "an obligation and its job are written together"
    patience = _Patience(ctx.clock.now())
    while True:
        reading = ctx.gateway.describe(job.name)
        if reading is not None and not obligation.seen:
            if not _is_ours(ctx, job, reading):
                _write(ctx, obligation, job, "the job of this name is not ours; it was left alone")
                return
            obligation = _landed(ctx, obligation, job, reading)
        job, done = _look(ctx, obligation, job, reading, patience)
        if done:
            return
        if ctx.clock.now() - patience.began > _allowance(ctx, obligation):
            raise NotConfirmed(f"{job.status} {job.pool_status or 'without a reported pool'}".strip())
        ctx.clock.pause(ctx.pace.least)


def _allowance(ctx: Context, obligation: Obligation) -> float:
    return max(ctx.pace.release, 2 * ctx.pace.quiet) if not obligation.seen else ctx.pace.release


def _look(
    ctx: Context, obligation: Obligation, job: Job, reading: JobReading | None, patience: _Patience
) -> tuple[Job, bool]:
    """Act on one reading; True once the obligation is discharged."""
    if reading is None:
        return job, _not_found(ctx, obligation, job, patience)
    before, job = job, observe(job, reading, ctx.clock.now())
    if (before.status, before.pool_status) != (job.status, job.pool_status):
        ctx.record("pool_observed", f"{job.name} is {job.status}, its pool {job.pool_status or 'not reported'}",
                   jobs=(job,))  # fmt: skip
        ctx.progress.job(job, reading)
    # As it is now, not as it was last known: a pool that was InUse and is not mentioned any more is undecided.
    status = reading.pool.status if reading.pool else ""
    step = _STEPS.get(status, _wait) if job.is_terminal else _still_running
    return step(ctx, obligation, job, patience)


def _is_ours(ctx: Context, job: Job, reading: JobReading) -> bool:
    """A create whose answer was lost: the digest tag tells whether it was ours that landed."""
    return digest_tag(ctx, job.name, reading.arn) == job.request_digest


def _landed(ctx: Context, obligation: Obligation, job: Job, reading: JobReading) -> Obligation:
    """Note that the job exists: from here on, its absence from an answer proves nothing."""
    seen = replace(obligation, seen=True)
    answered = tuple(
        replace(i, status="done", answer=reading.arn)
        for i in ctx.store.intents()
        if i.kind == "create" and i.job_name == job.name
    )
    ctx.record("pool_observed", f"{job.name} exists: a create whose answer was lost had landed",
               jobs=(observe(job, reading, ctx.clock.now()),), obligations=(seen,), intents=answered)  # fmt: skip
    return seen


def _still_running(ctx: Context, _: Obligation, job: Job, patience: _Patience) -> tuple[Job, bool]:
    if job.status == "InProgress":
        ctx.progress.waiting(f"{job.name} to stop (up to 2 minutes for its SIGTERM, then the upload)", None)
        if _due(ctx, patience.stop_asked_at):
            patience.stop_asked_at = ctx.clock.now()
            job = stop_job(ctx, job, "release", "the loop is releasing")
    return job, False


def _terminated(ctx: Context, obligation: Obligation, job: Job, _: _Patience) -> tuple[Job, bool]:
    return job, _write(ctx, obligation, job, "Describe says Terminated")


def _reused(ctx: Context, obligation: Obligation, job: Job, _: _Patience) -> tuple[Job, bool]:
    successor = ctx.store.job_named(job.reused_by) if job.reused_by else None
    who = (
        f"{job.reused_by} of this loop"
        if successor
        else (job.reused_by or "a job that the service does not name")
    )
    return job, _write(ctx, obligation, job, f"Describe says Reused by {who}")


def _available(ctx: Context, _: Obligation, job: Job, patience: _Patience) -> tuple[Job, bool]:
    if _due(ctx, patience.release_asked_at):
        ctx.progress.waiting(f"the pool of {job.name} to be released", None)
        # After a refusal the next reading shows why; after an acceptance it takes a few readings.
        if set_keep_alive(ctx, job, 0, "release"):
            patience.release_asked_at = ctx.clock.now()
    return job, False


def _due(ctx: Context, asked_at: float | None) -> bool:
    """Whether to ask (again): never asked, or asked so long ago that the request seems to have been lost."""
    return asked_at is None or ctx.clock.now() - asked_at > max(ctx.pace.grace, 150.0)


def _wait(_: Context, __: Obligation, job: Job, ___: _Patience) -> tuple[Job, bool]:
    """InUse, or a status that this version does not know: nothing is concluded from it."""
    return job, False


def _undecided(ctx: Context, obligation: Obligation, job: Job, patience: _Patience) -> tuple[Job, bool]:
    """Terminal, and no word on a pool: late, or there never was one."""
    now = ctx.clock.now()
    if job.keep_alive == 0:
        return job, _write(ctx, obligation, job, "the job asked for no pool, and Describe shows none")
    patience.absent_since = patience.absent_since or now
    if now - patience.absent_since < ctx.pace.grace:
        ctx.progress.waiting(f"the pool of {job.name} to be reported", None)
        return job, False
    # Absence alone proves nothing. A pool that exists takes an update; the service refuses it where none is.
    if set_keep_alive(ctx, job, 0, "no pool was reported within the grace period"):
        patience.absent_since = now
        return job, False
    evidence = (
        f"no WarmPoolStatus for {ctx.pace.grace:.0f} s, and the service refused an update: no pool was left"
    )
    job = without_pool(job)
    return job, _write(ctx, obligation, job, evidence)


_Step = Callable[[Context, Obligation, Job, _Patience], tuple[Job, bool]]
_STEPS: dict[str, _Step] = {
    "Terminated": _terminated,
    "Reused": _reused,
    "Available": _available,
    "": _undecided,
}


def _not_found(ctx: Context, obligation: Obligation, job: Job, patience: _Patience) -> bool:
    """The service knows no such job. For one that was never seen that settles it, after a quiet time.

    The quiet time is measured by this controller: the clock may have jumped since the create was sent.
    """
    if obligation.seen:
        return False
    if obligation.sent_at is None:
        return _write(ctx, obligation, job, "the create was never sent")
    quiet = ctx.clock.now() - patience.began
    if quiet < ctx.pace.quiet:
        ctx.progress.waiting(f"whether create {job.name} has landed", patience.began + ctx.pace.quiet)
        return False
    _same_account(ctx, obligation)
    return _write(
        ctx, obligation, job, f"never seen, and unknown to the service for {quiet:.0f} s after the last send"
    )


def _same_account(ctx: Context, obligation: Obligation) -> None:
    """An account that never had the job does not know it either."""
    account = ctx.gateway.identity().account
    if account != obligation.account:
        raise NotConfirmed(
            f"these credentials are of account {account}, the job was sent to account {obligation.account}"
        )


def _write(ctx: Context, obligation: Obligation, job: Job, evidence: str) -> bool:
    now = ctx.clock.now()
    discharged = replace(
        obligation, status="discharged", evidence=evidence, checked_at=now, discharged_at=now
    )
    intents = tuple(
        replace(i, status="refused", answer=evidence)
        for i in ctx.store.intents()
        if i.job_name == job.name and i.kind == "create" and not job.arn
    )
    ctx.record("discharged", f"{job.name}: {evidence}", jobs=(job,), obligations=(discharged,), intents=intents,
               data={"job": job.name, "evidence": evidence})  # fmt: skip
    return True


def _answered(ctx: Context) -> tuple[Intent, ...]:
    """Intents whose answer a crash swallowed: what they were about has been read back by now."""
    return tuple(replace(i, status="done", answer="settled by the read-back") for i in ctx.store.intents())


def _receipt(ctx: Context) -> dict[str, JSON]:
    """The proof: for each job that could have left a pool, what was read, and when."""
    return {
        "released": True,
        "at": ctx.clock.now(),
        "account": ctx.loop.account,
        "region": ctx.loop.region,
        "endpoint_url": ctx.loop.endpoint_url,
        "jobs": [
            {"job": o.job_name, "evidence": o.evidence, "at": o.discharged_at}
            for o in ctx.store.obligations(owed_only=False)
        ],
    }
