"""Submitting: the next trial becomes a job, exactly once.

Three steps, each safe to run again. *Intend*: one transaction writes the job row, the intent and the
obligation, behind the guards of the lock and the limits. *Send*: the intent is stamped, then the job is
created. *Answer*: the outcome is recorded. A create whose outcome is not known is read by its name, never
sent under another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from wpfsm.fsm.context import Context, release
from wpfsm.fsm.errors import Held, NameTaken, Rejected, ServiceDenied, ServiceError, Unknown, with_fix
from wpfsm.fsm.gateway import backoff
from wpfsm.fsm.machine import GuardFailed, MachineModel
from wpfsm.fsm.pool.owner import pool_owner
from wpfsm.fsm.ports import JobReading
from wpfsm.fsm.records import JSON, Change, Intent, Job, Obligation, Outcome, Trial
from wpfsm.fsm.request.compose import DIGEST_TAG, compose, free_members, job_name
from wpfsm.fsm.states.submitting.backoff import back_off
from wpfsm.fsm.steps import lanes
from wpfsm.fsm.steps.adopt_job import digest_tag
from wpfsm.fsm.steps.explain_pool_loss import mismatch_cost
from wpfsm.fsm.steps.next_trial import carried, carried_from, next_trial, params_for
from wpfsm.fsm.steps.obligations import discharge
from wpfsm.fsm.steps.observe_job import observe
from wpfsm.fsm.steps.open_question import at_limit, open_question
from wpfsm.fsm.steps.render_request import base_request


def run(ctx: Context) -> Change | None:
    """One step; None after an intent, so that the driver comes back to send it."""
    open_create = next((i for i in ctx.store.intents() if i.kind == "create"), None)
    if open_create:
        return _send(ctx, open_create)
    return _intend(ctx)


def _intend(ctx: Context) -> Change | None:
    back_off(ctx)
    if not ctx.file.keeps_pool:
        # A loop that keeps no pool matches one all the same: it must not take another's from under its hands.
        try:
            ctx.ports.leases.refuse_held(ctx.loop.pool_key, ctx.loop.group)
        except Held as held:
            return release(Outcome.HELD, with_fix(held.message, held.fix))
    trial = next_trial(ctx)
    if trial is None:
        return open_question(ctx, "ask", "the trials of the loop before are known, and no job was needed")
    last = ctx.store.last_job()
    number = ctx.next_number()
    base = base_request(ctx, trial)
    params = params_for(ctx, trial)
    members = free_members(
        ctx.file,
        base,
        loop_id=ctx.loop.group,
        number=number,
        trial=trial,
        params=params,
        keep_alive=ctx.keep_alive,
        carried_from=carried_from(ctx, trial),
    )
    name = job_name(ctx.loop.group, number)
    digest = _digest_in(members)
    now = ctx.clock.now()
    job = Job(
        loop_id=ctx.loop.group,
        lane=ctx.loop.lane,
        claims=lanes.claim_of(ctx, pool_owner(ctx.jobs())) if ctx.loop.lane else "",
        number=number,
        trial=trial.number,
        name=name,
        params=params,
        request=members,
        request_digest=digest,
        source_digest=trial.source_digest,
        keep_alive=ctx.keep_alive,
        max_runtime=ctx.file.job.max_runtime,
    )
    intent = Intent(
        loop_id=ctx.loop.group,
        kind="create",
        job_name=name,
        number=1,
        epoch=ctx.loop.epoch,
        argument=digest,
        lane=ctx.loop.lane,
    )
    obligation = Obligation(
        loop_id=ctx.loop.group,
        lane=ctx.loop.lane,
        job_name=name,
        account=ctx.loop.account,
        region=ctx.loop.region,
        endpoint_url=ctx.loop.endpoint_url,
        created_at=now,
    )
    guards = MachineModel(lock_differs=ctx.lock_differs(compose(base, members)), over_limit=ctx.over_limit())
    change = Change(
        kind="intended",
        why=f"job {number} for trial {trial.number} ({trial.label}){_taken_over(ctx, trial)}{_lost_checkpoint(ctx, trial, last)}",
        data={"job": name, "params": params, "guards": {"lock_unchanged": True, "limits_admit": True}},
        loop={"wait_until": None},
        trials=(replace(trial, state="running"),),
        jobs=(job,),
        intents=(intent,),
        obligations=(obligation,),
        together=True,
    )
    try:
        ctx.transition(change, guards)
    except GuardFailed as refusal:
        if not guards.lock_differs:
            return at_limit(ctx, str(refusal))
        return release(Outcome.REFUSED, f"locked: {refusal}: {mismatch_cost(ctx)}")
    return None


def _taken_over(ctx: Context, trial: Trial) -> str:
    """What the trial takes over from patches of earlier ones, in words."""
    values = [f"{name} {value} since {job}" for name, (value, job) in carried(ctx, trial).items()]
    return f", with {', '.join(values)} was patched" if values else ""


def _lost_checkpoint(ctx: Context, trial: Trial, last: Job | None) -> str:
    """The persistent cache goes with its pool: a trial that was to continue begins anew, and the history says so."""
    lost = trial.carry_checkpoint and last is not None and pool_owner(ctx.jobs()) is None
    return "; it begins anew, for the checkpoint went with the pool" if lost else ""


def _send(ctx: Context, intent: Intent) -> Change:
    job = ctx.store.job_named(intent.job_name)
    assert job is not None, "an intent and its job are written together"
    trial = ctx.store.trial(job.trial)
    request = compose(base_request(ctx, trial), job.request)
    attempt = 0
    uncertain = intent.sent_at is not None
    while True:
        if uncertain and (reading := ctx.gateway.describe(job.name)):
            return _adopt(ctx, job, intent, reading)
        intent = replace(intent, sent_at=ctx.clock.now(), epoch=ctx.loop.epoch)
        ctx.record("sent", f"create {job.name}", intents=(intent,), obligations=_stamped(ctx, intent))
        try:
            arn = ctx.gateway.call("service.create", lambda: ctx.ports.service.create(request))
        except (Unknown, NameTaken) as error:
            asked_since = ctx.since(f"the outcome of create {job.name}")
            if ctx.clock.now() - asked_since >= ctx.pace.outage:
                raise
            ctx.progress.waiting(
                f"the outcome of create {job.name} is not known ({error.code})", asked_since + ctx.pace.outage
            )
            ctx.clock.pause(backoff(ctx.pace, attempt))
            attempt += 1
            uncertain = True
        except (Rejected, ServiceDenied) as error:
            # A send before this one may have landed; only its absence makes the refusal final.
            if uncertain and (reading := _appears(ctx, job)):
                return _adopt(ctx, job, intent, reading)
            return _rejected(ctx, job, intent, error)
        else:
            return _submitted(
                ctx, replace(job, arn=arn, status="InProgress"), intent, "accepted by the service"
            )


def _appears(ctx: Context, job: Job) -> JobReading | None:
    """The job of an earlier send, if it lands within the quiet time, which is measured by this process."""
    began = ctx.clock.now()
    while True:
        if reading := ctx.gateway.describe(job.name):
            return reading
        if ctx.clock.now() - began >= ctx.pace.quiet:
            return None
        ctx.stay(ctx.pace.least, f"whether an earlier create {job.name} lands", began + ctx.pace.quiet)
        ctx.check_stop()


def _stamped(ctx: Context, intent: Intent) -> tuple[Obligation, ...]:
    owed = ctx.store.obligation(intent.job_name)
    return (replace(owed, sent_at=intent.sent_at),) if owed else ()


def _submitted(ctx: Context, job: Job, intent: Intent, why: str) -> Change:
    return Change(
        kind="submitted",
        why=f"{job.name} {why}",
        data={"job": job.name},
        loop={"pool_owner": job.name, "keep_alive": job.keep_alive},
        jobs=(job,),
        intents=(replace(intent, status="done", answer=job.arn),),
        obligations=_seen(ctx, job.name),
    )


def _seen(ctx: Context, name: str) -> tuple[Obligation, ...]:
    owed = ctx.store.obligation(name)
    return (replace(owed, seen=True),) if owed else ()


def _adopt(ctx: Context, job: Job, intent: Intent, reading: JobReading) -> Change:
    """The name exists. It is ours if it carries our digest; else somebody else has it, and we say so."""
    found = digest_tag(ctx, job.name, reading.arn)
    if found == job.request_digest:
        observed = observe(job, reading, ctx.clock.now())
        return _submitted(ctx, observed, intent, "adopted: an earlier try had created it")
    why = (
        f"a job called {job.name} exists and is not ours (digest tag {found!r}, ours {job.request_digest!r}); "
        "it was left alone"
    )
    stranger = discharge(ctx, job.name, "the job of this name is not ours")
    refused = release(Outcome.FAILED, why)
    return replace(
        refused,
        jobs=(replace(job, status="Rejected", failure_reason=why),),
        intents=(replace(intent, status="refused", answer=why),),
        obligations=stranger,
    )


def _rejected(ctx: Context, job: Job, intent: Intent, error: ServiceError) -> Change:
    discharged = discharge(ctx, job.name, f"create refused: {error.code}")
    return Change(
        kind="rejected",
        why=f"{job.name} was refused: {error.code}: {error.message}",
        data={"job": job.name, "code": error.code},
        jobs=(replace(job, status="Rejected", failure_reason=str(error), ended_at=ctx.clock.now()),),
        intents=(replace(intent, status="refused", answer=error.code),),
        obligations=discharged,
    )


def _digest_in(members: Mapping[str, JSON]) -> str:
    tags = members["Tags"]
    assert isinstance(tags, list)
    return next(str(tag["Value"]) for tag in tags if isinstance(tag, dict) and tag["Key"] == DIGEST_TAG)
