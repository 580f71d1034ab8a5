"""Drives a loop from its checkpoint to Closed, a turn at a time.

A turn runs activities until something must be waited for. Where the clock sleeps, one turn is the whole loop;
where it suspends, an engine takes the next turn when it is due.

Load the row, run the state's activity, let the machine check the event, commit, again. Nothing else
changes a state. Whatever goes wrong in an activity becomes a transition to Releasing, so that every way out
passes through it; only a controller that was taken over, or whose database fails, stops where it is, because
it may not or cannot write.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from wpfsm.fsm.context import Context, Ports, StopRequested, release
from wpfsm.fsm.errors import (
    Denied,
    Fenced,
    NotConfirmed,
    Overtaken,
    ServiceDenied,
    StoreError,
    Suspended,
    Unknown,
    WpfsmError,
    with_fix,
)
from wpfsm.fsm.ports import Store
from wpfsm.fsm.records import EXIT_CODES, Change, Loop, Outcome, State
from wpfsm.fsm.records.handoff import FailureHandoff
from wpfsm.fsm.states.diagnosing import activity as diagnosing
from wpfsm.fsm.states.preflight import activity as preflight
from wpfsm.fsm.states.releasing import activity as releasing
from wpfsm.fsm.states.releasing.await_lanes import NOT_CONFIRMED
from wpfsm.fsm.states.running import activity as running
from wpfsm.fsm.states.submitting import activity as submitting
from wpfsm.fsm.states.verifying import activity as verifying
from wpfsm.fsm.steps.lanes import LanesWait
from wpfsm.fsm.strategies import missing_extra

HANDED_OFF = 10

Activity = Callable[[Context], Change | None]
ACTIVITIES: Mapping[State, Activity] = {
    State.PREFLIGHT: preflight.run,
    State.SUBMITTING: submitting.run,
    State.RUNNING: running.run,
    State.DIAGNOSING: diagnosing.run,
    State.VERIFYING: verifying.run,
    State.RELEASING: releasing.run,
}


@dataclass(frozen=True)
class Result:
    """Where a controller left its loop."""

    loop: Loop
    exit_code: int
    error: WpfsmError | None = None


@dataclass(frozen=True)
class Turn:
    """What a turn came to.

    Attributes:
        loop: The loop as it now is.
        exit_code: How it ended; None while it goes on.
        look_at: When the next turn is due; None when it has ended.
        error: Why it is not confirmed released, where it is not.
    """

    loop: Loop
    exit_code: int | None = None
    look_at: float | None = None
    error: WpfsmError | None = None


def drive(ports: Ports) -> Result:
    """Run a loop until it is Closed, handed off, or not confirmed released, with a clock that sleeps.

    Raises: as :func:`turn`.
    """
    taken = turn(ports)
    assert taken.exit_code is not None, "a clock that sleeps never ends a turn"
    return Result(taken.loop, taken.exit_code, taken.error)


def turn(ports: Ports, *, until: Collection[State] = ()) -> Turn:
    """Run activities until the loop ends, is handed off, or its clock ends the turn.

    Args:
        ports: The adapters.
        until: Stop before the first activity of these states too, and leave it to others.

    Raises:
        MissingExtra: The strategy needs what is not installed here; nothing was done.
        Denied: The credentials are of another account than the loop's jobs; nothing was done.
        Held: Another live loop uses the pool key; nothing was done.
        Fenced: Another controller took the loop over.
        StoreError: The database failed; what was committed stands.
        Unknown: The service could not say whose credentials these are; nothing was done.
    """
    ctx = Context(ports)
    try:
        return _run(ctx, until)
    except StoreError as error:
        error.fix = _with_jobs(ctx, error.fix)
        raise
    except Suspended as pause:
        now = ports.clock.now()
        # No failpoint: only the sweep reads it, and without it takes the loop for one whose controller died.
        ports.store.rest(now + pause.seconds, now)
        return Turn(ctx.refresh(), look_at=now + pause.seconds)


def _with_jobs(ctx: Context, fix: str) -> str:
    """What to do when the database failed, with the jobs that the controller knows and nobody else may know now."""
    resume = f"wpfsm resume {ctx.loop.group} goes on as soon as the database can be used; {fix}"
    if not ctx.owed:
        return resume
    loop = ctx.loop
    where = f" --endpoint-url {loop.endpoint_url}" if loop.endpoint_url else ""
    where += f" --backend {loop.backend} --region {loop.region}"
    commands = ", ".join(f"wpfsm release --job {job}{where}" for job in ctx.owed)
    return f"{resume}; what may run or bill now is released by {commands}"


def _run(ctx: Context, until: Collection[State]) -> Turn:
    ports = ctx.ports
    try:
        _take_up_rights(ctx)
    except StopRequested as asked:
        # The service may stay out of reach for minutes here, and somebody may tire of waiting.
        ctx.transition(release(asked.outcome, asked.why))
    while ctx.refresh().state is not State.CLOSED:
        waiting = ctx.loop.handoff is not None
        if waiting and not has_answer(ctx.loop, ctx.store):
            if ended := ctx.group_ended():
                ctx.transition(release(ended.outcome, ended.why))
                continue
            return Turn(ctx.loop, HANDED_OFF)
        if ctx.loop.state in until:
            return Turn(ctx.loop, look_at=ctx.clock.now())
        ctx.meet()
        try:
            change = _step(ctx)
        except Overtaken:
            continue
        except LanesWait:
            return Turn(ctx.loop, HANDED_OFF)
        except NotConfirmed as error:
            ctx.forget_waits()
            if ctx.loop.lane > 1:
                ctx.since(NOT_CONFIRMED)  # the first lane gives up too, and says so
            return Turn(ctx.refresh(), error.exit_code, error=error)
        if change is None:
            if waiting and ctx.loop.handoff is not None:
                return Turn(ctx.loop, HANDED_OFF)
            continue
        try:
            loop = ctx.transition(change)
        except Overtaken:
            continue  # a sibling was faster: the activity asks again
        if change.kind == "handed_off":
            ports.notifier.notify("handoff", loop, change.why)
    ports.notifier.notify("closed", ctx.loop, ctx.loop.why)
    assert ctx.loop.outcome is not None, "a closed loop has an outcome"
    return Turn(ctx.loop, EXIT_CODES[ctx.loop.outcome])


def _take_up_rights(ctx: Context) -> None:
    """Re-check the account and take the pool lease again when a loop is resumed after Preflight.

    Releasing needs neither: it discharges what is its own, and concludes nothing from another account.
    """
    loop = ctx.loop
    waiting = loop.handoff is not None and not has_answer(loop, ctx.store)
    if waiting or loop.state in (State.PREFLIGHT, State.RELEASING, State.CLOSED):
        return
    if missing := missing_extra(ctx.file.strategy):
        raise missing
    try:
        account = ctx.gateway.identity().account
    except Unknown as error:
        error.fix = f"nothing was changed, its job and pool go on; try again with wpfsm resume {loop.group}"
        raise
    if account != loop.account:
        raise Denied(
            f"these credentials are of account {account}; the jobs of {loop.group} are in account {loop.account}",
            fix=f"use credentials of account {loop.account}, then wpfsm resume {loop.group}",
        )
    if ctx.file.keeps_pool:
        ctx.ports.leases.take(loop.pool_key, loop.group, lanes=bool(loop.lane))


def has_answer(loop: Loop, store: Store) -> bool:
    """Whether an open hand-off has what it waits for: a proposal, a limit that was raised, a changed strategy."""
    handoff = loop.handoff
    if isinstance(handoff, FailureHandoff):
        return handoff.redraw or bool(store.proposals())
    raised = handoff is not None and handoff.kind == "limit" and bool(handoff.accepted)
    return raised or bool(store.proposals())


def _step(ctx: Context) -> Change | None:
    """One activity. In Releasing, what goes wrong is a release that is not confirmed."""
    if ctx.loop.state is State.RELEASING:
        return _releasing(ctx)
    try:
        ctx.check_stop()
        return ACTIVITIES[ctx.loop.state](ctx)
    except (Fenced, StoreError, Overtaken, LanesWait):
        raise
    except StopRequested as asked:
        return release(asked.outcome, asked.why)
    except ServiceDenied as error:
        return release(Outcome.DENIED, with_fix(str(error), error.fix))
    except Unknown as error:
        return release(Outcome.TRANSIENT, f"the service stayed out of reach: {error}")
    except WpfsmError as error:
        return release(Outcome.FAILED, with_fix(str(error), error.fix))
    except Exception as error:  # noqa: BLE001 - rule: every way out goes through Releasing
        ctx.progress.trouble(error)
        return release(Outcome.FAILED, f"unexpected {type(error).__name__} in {ctx.loop.state}: {error}")


def _releasing(ctx: Context) -> Change | None:
    try:
        return releasing.run(ctx)
    except (Fenced, StoreError, NotConfirmed, LanesWait):
        raise
    except Exception as error:
        ctx.progress.trouble(error)
        raise NotConfirmed(
            f"release not confirmed, a pool may still bill: {type(error).__name__}: {error}",
            fix=f"wpfsm release {ctx.loop.group}",
        ) from error


def abandon(ports: Ports, outcome: Outcome, why: str) -> None:
    """Send a loop to Releasing, from wherever it stands."""
    ctx = Context(ports)
    if ctx.loop.state in (State.RELEASING, State.CLOSED):
        return
    ctx.transition(release(outcome, why))
