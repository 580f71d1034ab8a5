"""Releasing: discharges every obligation, and proves it by reading back.

For each job that may have left a pool: stop it if it runs, wait until it is terminal, wait until its pool is
Available, set the keep-alive to 0, and read until the service says Terminated. Reused is followed to the job
that took it over: ours has an obligation of its own, a stranger's pool is not ours to release.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Literal

from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Denied, NotConfirmed, ServiceError, Vanished
from wpfsm.fsm.pool.read_back import ReleaseStep, proof, proof_of_no_pool, release_step
from wpfsm.fsm.ports import JobReading
from wpfsm.fsm.records import Change, Intent, Job, Obligation, Receipt, ReceiptLine
from wpfsm.fsm.states.releasing.await_lanes import await_lanes
from wpfsm.fsm.steps import lanes
from wpfsm.fsm.steps.adopt_job import digest_tag
from wpfsm.fsm.steps.lanes import LanesWait
from wpfsm.fsm.steps.observe_job import observe, without_pool
from wpfsm.fsm.steps.service_writes import set_keep_alive, stop_job
from wpfsm.fsm.units import duration


def run(ctx: Context) -> Change:
    """Discharge what is owed, newest job first, and write the receipt.

    Raises:
        NotConfirmed: Within ``pace.release`` seconds the service did not confirm.
        LanesWait: A pool is left to a lane that waits in a hand-off.
    """
    unconfirmed: list[str] = []
    left: LanesWait | None = None
    for obligation in reversed(ctx.store.obligations()):
        try:
            _discharge(ctx, obligation)
        except LanesWait as waits:
            left = waits  # the others are released all the same
        except (ServiceError, Denied, NotConfirmed) as error:
            unconfirmed.append(f"{obligation.job_name}: {error.message}")
    if unconfirmed:
        ctx.ports.notifier.notify("unconfirmed", ctx.loop, "; ".join(unconfirmed))
        raise NotConfirmed(
            f"release not confirmed, a pool may still bill: {'; '.join(unconfirmed)}",
            fix=f"wpfsm release {ctx.loop.group}",
        )
    if left is not None:
        raise left
    ended = await_lanes(ctx)
    receipt = _receipt(ctx)
    return Change(
        kind="released",
        why=f"released and read back: {len(receipt.jobs)} job(s) hold no pool",
        data={"jobs": [asdict(line) for line in receipt.jobs], "guards": {"nothing_owed": True}},
        loop={"receipt": receipt, "closed_at": ctx.clock.now(), "hold_until": None, **ended},
        intents=_answered(ctx),
    )


def _discharge(ctx: Context, obligation: Obligation) -> None:
    job = ctx.store.job_named(obligation.job_name)
    assert job is not None, "an obligation and its job are written together"
    began = ctx.clock.now()
    while True:
        try:
            reading = ctx.gateway.describe(job.name)
        except Vanished as gone:
            _write(ctx, obligation, job, gone.message)
            return
        if reading is not None and not obligation.seen:
            if not _is_ours(ctx, job, reading):
                _write(ctx, obligation, job, "the job of this name is not ours; it was left alone")
                return
            obligation = _landed(ctx, obligation, job, reading)
        if reading is None:
            done = _not_found(ctx, obligation, job, began)
        else:
            job, done = _look(ctx, obligation, job, reading)
        if done:
            return
        if ctx.clock.now() - ctx.since(f"the release of {job.name}") > _allowance(ctx, obligation):
            raise NotConfirmed(f"{job.status} {job.pool_status or 'without a reported pool'}".strip())
        if reading is None:
            ctx.clock.sleep(ctx.pace.least)
        else:
            ctx.clock.pause(ctx.pace.least)


def _allowance(ctx: Context, obligation: Obligation) -> float:
    return max(ctx.pace.release, 2 * ctx.pace.quiet) if not obligation.seen else ctx.pace.release


def _look(ctx: Context, obligation: Obligation, job: Job, reading: JobReading) -> tuple[Job, bool]:
    """Act on one reading; True once the obligation is discharged."""
    before, job = job, observe(job, reading, ctx.clock.now())
    if (before.status, before.pool_status) != (job.status, job.pool_status):
        ctx.record(
            "pool_observed",
            f"{job.name} is {job.status}, its pool {job.pool_status or 'not reported'}",
            jobs=(job,),
        )
        ctx.progress.job(job, reading)
    # As it is now, not as it was last known: a pool that was InUse and is not mentioned any more is undecided.
    status = reading.pool.status if reading.pool else ""
    return _ACTS[release_step(status, ended=job.is_terminal)](ctx, obligation, job)


def _is_ours(ctx: Context, job: Job, reading: JobReading) -> bool:
    """A create whose answer was lost: the digest tag tells whether it was ours that landed."""
    return digest_tag(ctx, job.name, reading.arn) == job.request_digest


def _landed(ctx: Context, obligation: Obligation, job: Job, reading: JobReading) -> Obligation:
    """Note that the job exists: from here on, its absence from an answer proves nothing."""
    seen = replace(obligation, seen=True)
    answered = tuple(
        replace(i, status="done", answer=reading.arn)
        for i in ctx.store.intents_of(job.name, "create")
        if i.status == "open"
    )
    ctx.record(
        "pool_observed",
        f"{job.name} exists: a create whose answer was lost had landed",
        jobs=(observe(job, reading, ctx.clock.now()),),
        obligations=(seen,),
        intents=answered,
    )
    return seen


def _still_running(ctx: Context, _: Obligation, job: Job) -> tuple[Job, bool]:
    if job.status == "InProgress" and _due(ctx, job, "stop"):
        job = stop_job(ctx, job, "release", "the loop is releasing")
    _waiting(ctx, job, f"{job.name} to stop (up to 2 minutes for its SIGTERM, then the upload)")
    return job, False


def _waiting(ctx: Context, job: Job, what: str) -> None:
    """Say what is waited for, and until when at most."""
    ctx.progress.waiting(what, ctx.since(f"the release of {job.name}") + ctx.pace.release)


def _over(ctx: Context, obligation: Obligation, job: Job) -> tuple[Job, bool]:
    taker = job.reused_by or ""
    if taker and any(each.name == taker for each in ctx.group_jobs()):
        taker = f"{taker} of this {'group' if ctx.loop.lane else 'loop'}"
    return job, _write(ctx, obligation, job, proof(job.pool_status, taker))


def _available(ctx: Context, _: Obligation, job: Job) -> tuple[Job, bool]:
    if ctx.loop.lane and lanes.is_left_to_others(ctx, job):
        lanes.leave_to_whoever_asks(ctx, job)
        ctx.waited_enough(f"the release of {job.name}")
        ctx.progress.waiting(f"a sibling to take the pool of {job.name}", None)
        return job, False
    if _due(ctx, job, "update"):
        # After a refusal the next reading shows why; after an acceptance it takes a few readings.
        set_keep_alive(ctx, job, 0, "release")
    _waiting(ctx, job, f"the pool of {job.name} to be released")
    return job, False


def _due(ctx: Context, job: Job, kind: Literal["stop", "update"]) -> bool:
    """Whether to ask (again): never accepted, or so long ago that the request seems to have been lost."""
    accepted = [
        ctx.clock.now() - intent.sent_at
        for intent in ctx.store.intents_of(job.name, kind)
        if intent.status == "done"
        and (kind == "stop" or intent.argument == "0")
        and intent.sent_at is not None
    ]
    return not any(0 <= seconds <= max(ctx.pace.grace, 150.0) for seconds in accepted)


def _wait(ctx: Context, _: Obligation, job: Job) -> tuple[Job, bool]:
    """InUse, or a status that this version does not know: nothing is concluded from it."""
    _waiting(ctx, job, f"the pool of {job.name}, which is {job.pool_status}")
    return job, False


def _undecided(ctx: Context, obligation: Obligation, job: Job) -> tuple[Job, bool]:
    """Terminal, and no word on a pool: late, or there never was one."""
    if job.keep_alive == 0:
        return job, _write(ctx, obligation, job, "the job asked for no pool, and Describe shows none")
    what = f"the pool of {job.name} to be reported"
    if ctx.clock.now() - ctx.since(what) < ctx.pace.grace:
        ctx.progress.waiting(what, ctx.since(what) + ctx.pace.grace)
        return job, False
    if set_keep_alive(ctx, job, 0, "no pool was reported within the grace period"):
        ctx.waited_enough(what)
        return job, False
    job = without_pool(job)
    return job, _write(ctx, obligation, job, proof_of_no_pool(ctx.pace.grace))


_Act = Callable[[Context, Obligation, Job], tuple[Job, bool]]
_ACTS: dict[ReleaseStep, _Act] = {
    ReleaseStep.END_THE_JOB: _still_running,
    ReleaseStep.UPDATE_TO_ZERO: _available,
    ReleaseStep.WAIT: _wait,
    ReleaseStep.ASK_BY_UPDATE: _undecided,
    ReleaseStep.DONE: _over,
}


def _not_found(ctx: Context, obligation: Obligation, job: Job, began: float) -> bool:
    """The service knows no such job. For one that was never seen that settles it, after a quiet time.

    The quiet time is measured by this process, from ``began`` on: the clock may have jumped since the create was
    sent.
    """
    if obligation.seen:
        return False
    if obligation.sent_at is None:
        return _write(ctx, obligation, job, "the create was never sent")
    quiet = ctx.clock.now() - began
    if quiet < ctx.pace.quiet:
        ctx.progress.waiting(f"whether create {job.name} has landed", began + ctx.pace.quiet)
        return False
    _same_account(ctx, obligation)
    return _write(
        ctx,
        obligation,
        job,
        f"never seen, and unknown to the service for {duration(quiet)} after the last send",
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
    discharged = replace(obligation, status="discharged", evidence=evidence, discharged_at=now)
    intents = tuple(
        replace(i, status="refused", answer=evidence)
        for i in ctx.store.intents_of(job.name, "create")
        if i.status == "open" and not job.arn
    )
    ctx.record(
        "discharged",
        f"{job.name}: {evidence}",
        jobs=(job,),
        obligations=(discharged,),
        intents=intents,
        data={"job": job.name, "evidence": evidence},
    )
    return True


def _answered(ctx: Context) -> tuple[Intent, ...]:
    """Intents whose answer a crash swallowed: what they were about has been read back by now."""
    return tuple(replace(i, status="done", answer="settled by the read-back") for i in ctx.store.intents())


def _receipt(ctx: Context) -> Receipt:
    """The proof: for each job that could have left a pool, what was read, and when."""
    return Receipt(
        at=ctx.clock.now(),
        account=ctx.loop.account,
        region=ctx.loop.region,
        endpoint_url=ctx.loop.endpoint_url,
        jobs=tuple(ReceiptLine(o.job_name, o.evidence, o.discharged_at) for o in _of_receipt(ctx)),
    )


def _of_receipt(ctx: Context) -> Sequence[Obligation]:
    """The first lane, which closes last, answers for the jobs of every lane."""
    return ctx.store.group_obligations() if ctx.loop.lane == 1 else ctx.store.obligations(owed_only=False)
