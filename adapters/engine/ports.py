"""Puts the ports of a shared loop together: on the user's machine for Preflight, in a function for its turns."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from wpfsm.adapters.aws.clients import Clients
from wpfsm.adapters.aws.logs import CloudWatchLogs
from wpfsm.adapters.aws.permissions import PolicySimulation
from wpfsm.adapters.aws.prices import PriceList, endpoint_region
from wpfsm.adapters.aws.quotas import ServiceQuotas
from wpfsm.adapters.aws.renderer import SdkRenderer
from wpfsm.adapters.aws.service import SageMakerTraining
from wpfsm.adapters.aws.targets import target_of
from wpfsm.adapters.engine.log_archive import SharedArchive
from wpfsm.adapters.engine.place import Place
from wpfsm.adapters.engine.sources import SharedSources
from wpfsm.adapters.host.resolver import PipResolver
from wpfsm.fsm.context import Ports
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.failpoints import Failpoints, Hook
from wpfsm.fsm.gateway import AWS, LOOPBACK, PollPolicy
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.ports import Clock, Notifier, Progress, RenderSpec, Request, StopReason
from wpfsm.fsm.records import JSON, Loop, Owner
from wpfsm.state.paths import siblings
from wpfsm.state.shared import loops, store
from wpfsm.state.shared.pools import SharedPoolLeases


class NobodyAsks:
    """Implements :class:`wpfsm.fsm.ports.StopRequest` where no signal comes: ``wpfsm stop`` asks through the rows."""

    reason: StopReason = ""


class NoRendering(SdkRenderer):
    """Implements :class:`wpfsm.fsm.ports.Renderer` in a function, which has no SageMaker SDK: it uploads sources."""

    def prepare(self) -> None:
        """Nothing to prepare."""

    def render(self, spec: RenderSpec) -> Request:
        """Upload the source; what Preflight has rendered is what its request is like.

        Raises:
            Refused: Preflight has rendered nothing that this source could be like.
        """
        if spec.like is None:
            what = f"entry {spec.entry or 'none'}, requirements {spec.requirements or 'none'}"
            raise Refused(
                f"the engine has no SageMaker SDK, and `wpfsm start` has rendered no request for {what}",
                fix="start the loop again with that source, or with the database of one machine",
            )
        return super().render(spec)


class NoCommand:
    """Implements :class:`wpfsm.fsm.ports.PatchCommand` where the user's programs are not: it ends in a hand-off."""

    def run(self, command: Sequence[str], packet: Mapping[str, JSON], folder: str, seconds: float) -> int:  # noqa: ARG002 - the port's signature
        """127, as a shell says that there is no such program."""
        return 127


SIBLINGS_SECONDS = 300.0
"""How long a lane's execution sleeps that waits for its siblings, unless one of them knocks."""


def pace_of(loop: Loop, *, engine: bool, loopback: bool) -> PollPolicy:
    """How often to look: an engine is woken when a job ends, and looks by itself only where something hangs on it."""
    base = LOOPBACK if loopback else AWS
    if not engine:
        return base
    # A sibling that moves on knocks: what is longer than a nap ends the turn, and the look is only the net.
    base = replace(base, siblings=SIBLINGS_SECONDS)
    if loopback:
        return base
    file = LoopFile.model_validate(loop.loop_file)
    most = 60.0 if file.early_stop else 300.0
    if file.job.silence:
        # A watchdog that looks less often than it waits would bark late.
        most = min(60.0, max(base.least, file.job.silence))
    return replace(base, most=most, woken=True)


@contextmanager
def ports_of(
    place: Place,
    loop: Loop,
    cache: Path,
    *,
    clock: Clock,
    stop: object,
    progress: Progress,
    notifier: Notifier,
    engine: bool,
    hook: Hook | None = None,
    forget_stop: bool = False,
    queue: bool = False,
) -> Iterator[Ports]:
    """Take the loop over and connect its ports, until the context ends.

    Args:
        place: Where the rows are.
        loop: The loop.
        cache: A path beside which copies of sources and logs are kept.
        clock: Sleeps on the user's machine, suspends in a function.
        stop: The user's signals, or nobody.
        progress: Who watches.
        notifier: Who is told.
        engine: Whether this is a function's turn.
        hook: Hears of every failpoint.
        forget_stop: A person resumes the loop.
        queue: Wait for a pool that another loop holds.
    """
    failpoints = Failpoints(hook)
    target = target_of(loop.backend, loop.region, cache, loop.endpoint_url)
    clients = Clients(target)
    base = Path(loop.loop_path).parent if loop.loop_path else Path.cwd()
    renderer = (
        NoRendering(target, base)
        if engine
        else SdkRenderer(target, base, lambda how: progress.waiting(how, None))
    )
    now = clock.now()
    owner = Owner(os.uname().nodename, os.getpid(), now, now)
    with failpoints.around("commit taken_over"):
        epoch = loops.take_over(place.table, place.blobs, loop.id, owner, forget_stop=forget_stop)
    archive = SharedArchive(siblings(cache, "logs"), place.blobs)
    rows = store.SharedStore(place.table, place.blobs, loop.id, epoch)
    try:
        yield Ports(
            store=rows,
            service=SageMakerTraining(clients),
            logs=CloudWatchLogs(clients),
            archive=archive,
            quotas=ServiceQuotas(clients.quotas),
            prices=PriceList(clients.pricing(endpoint_region(loop.region))),
            permissions=PolicySimulation(clients),
            renderer=renderer,
            sources=SharedSources(siblings(cache, "sources"), base, place.table, place.blobs, loop.group),
            leases=SharedPoolLeases(place.table),
            notifier=notifier,
            command=NoCommand(),
            clock=clock,
            stop=stop,  # type: ignore[arg-type]
            progress=progress,
            pace=pace_of(loop, engine=engine, loopback=target.loopback),
            failpoints=failpoints,
            queue=queue,
            resolver=None if engine else PipResolver(),
            renders_ahead=not engine,
        )
    finally:
        renderer.close()
