"""What the verbs of a shared loop do with its rows on this machine: Preflight, what needs the SDK, and a release."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from wpfsm.adapters.aws.targets import history_of
from wpfsm.adapters.engine import executions
from wpfsm.adapters.engine.bootstrap import own_loop
from wpfsm.adapters.engine.place import Place
from wpfsm.adapters.engine.ports import ports_of
from wpfsm.adapters.host.clock import WallClock
from wpfsm.adapters.host.stop_request import StopSignals
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.adapters.verbs.drive import on_signal
from wpfsm.adapters.watchers.audience import audience
from wpfsm.fsm import controller
from wpfsm.fsm.context import Context, Ports, StopRequested
from wpfsm.fsm.errors import StoreError, WpfsmError
from wpfsm.fsm.records import Loop, Outcome, State
from wpfsm.fsm.steps.render_request import render_ahead

PREFLIGHT_OVER = (State.SUBMITTING, State.RELEASING)
"""Behind Preflight the engine goes on; where it refuses, every lane is closed before the first one."""


@contextlib.contextmanager
def driving(
    given: Options, place: Place, loop: Loop, *, forget_stop: bool = False, queue: bool = False
) -> Iterator[Ports]:
    """Own the loop on this machine, with whoever watches."""
    signals = StopSignals(on_signal)
    signals.install()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.closing(signals))
        # For whoever looks from this machine, until the engine has the loop; beyond it the heartbeat tells.
        lease = own_loop(given.database, loop.id)
        stack.callback(lease.release)
        told = stack.enter_context(audience(given, loop, history_of(given)))
        yield stack.enter_context(
            ports_of(
                place,
                loop,
                given.database,
                clock=WallClock(signals),
                stop=signals,
                progress=told.progress,
                notifier=told.notifier,
                engine=False,
                hook=told.hook,
                forget_stop=forget_stop,
                queue=queue,
            )
        )


def what_needs_this_machine(ports: Ports, loop: Loop) -> controller.Turn | None:
    """The rest of a Preflight that never ended, or a new rendering of what was changed.

    Raises:
        WpfsmError: It could not be rendered; the loop has no driver then, and its next look counts as late.
    """
    if loop.generation == 0:
        return controller.turn(ports, until=PREFLIGHT_OVER)
    try:
        render_ahead(Context(ports))
    except StopRequested as asked:
        controller.abandon(ports, asked.outcome, asked.why)
        return controller.turn(ports, until=(State.RELEASING,))
    except WpfsmError:
        now = ports.clock.now()
        ports.store.rest(now - executions.GRACE_SECONDS, now)
        raise
    return None


def close_here(
    given: Options,
    place: Place,
    lanes: Sequence[Loop],
    outcome: Outcome | None = None,
    why: str = "",
) -> controller.Turn:
    """Release a loop, or every lane of a group, and close it; returns what the first lane came to.

    One after another, the first lane last, for it closes last; before it those that were let go, for a sibling may
    still be about to take their pool.

    Args:
        given: The verb's options.
        place: Where the rows are.
        lanes: By number; the loop alone where it has no lanes.
        outcome: How they end; None where they are on their way out.
        why: In words.
    """
    first, *others = lanes
    if outcome is not None:
        for each in lanes:
            if each.state is not State.CLOSED:
                with driving(given, place, each) as ports:
                    controller.abandon(ports, outcome, why)
    others.sort(key=lambda each: each.outcome is Outcome.LET_GO)
    for each in others:
        if each.state is not State.CLOSED:
            with driving(given, place, each) as ports:
                taken = controller.turn(ports)
            if taken.loop.state is not State.CLOSED:
                return taken
    with driving(given, place, first) as ports:
        return controller.turn(ports)


def begin(place: Place, loop: Loop) -> None:
    """Give the loop to the engine; where that does not answer, the sweep does it later."""
    try:
        executions.begin(place, loop.id, loop.generation)
    except StoreError as error:
        hint(f"note: {error.message}\n  {error.fix}")
