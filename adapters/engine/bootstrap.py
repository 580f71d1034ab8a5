"""Puts a controller together: which adapters, which target, which pace."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from wpfsm.adapters.aws.targets import target_of
from wpfsm.adapters.host.clock import WallClock
from wpfsm.adapters.host.log_archive import FileArchive
from wpfsm.adapters.host.patch_command import Subprocess
from wpfsm.adapters.host.price_cache import PriceCache
from wpfsm.adapters.host.resolver import PipResolver
from wpfsm.adapters.host.sources import LocalSources
from wpfsm.adapters.host.stop_request import StopSignals
from wpfsm.fsm.context import Ports
from wpfsm.fsm.failpoints import Failpoints, Hook
from wpfsm.fsm.gateway import AWS, LOOPBACK
from wpfsm.fsm.ports import Clock, Notifier, Progress
from wpfsm.fsm.records import Loop, Owner
from wpfsm.state import leases, store
from wpfsm.state.connection import Patience, PatientConnection
from wpfsm.state.history import History
from wpfsm.state.paths import siblings
from wpfsm.state.pool_leases import LocalPoolLeases


@dataclass
class Controller:
    """The ports of one loop, and the rights that go with driving it."""

    ports: Ports
    loop_lease: leases.Lease
    pool_leases: LocalPoolLeases
    cleanup: ExitStack

    def close(self, *, keep_loop: bool = False) -> None:
        """Give back the rights and end what was started.

        Args:
            keep_loop: Keep the right to drive the loop, which another process is about to inherit.
        """
        self.cleanup.close()
        self.pool_leases.release()
        if not keep_loop:
            self.loop_lease.release()


INHERITED_LOCK = "WPFSM_LOOP_LOCK"
"""Names, to the background half of ``--detach``, the descriptor of the loop's lock that it inherits."""


def own_loop(database: Path, loop_id: str) -> leases.Lease:
    """Take the right to drive a loop, or go on with the one that the parent process handed down.

    Raises:
        Held: Another live controller drives the loop.
    """
    locks, name = siblings(database, "locks"), f"loop-{loop_id}"
    descriptor = os.environ.pop(INHERITED_LOCK, "")
    if descriptor.isdigit() and (
        lease := leases.inherit(locks, name, descriptor=int(descriptor), holder=loop_id)
    ):
        return lease
    return leases.acquire(locks, name, what=f"loop {loop_id}", holder=loop_id)


def _newest(history: History, loop: Loop) -> float:
    """When the loop's newest row was written."""
    last = history.last_event(loop.id)
    return max(loop.updated_at, last.at if last else 0.0)


def connect(
    connection: PatientConnection,
    database: Path,
    loop: Loop,
    *,
    progress: Progress,
    notifier: Notifier,
    signals: StopSignals,
    hook: Hook | None = None,
    forget_stop: bool = False,
    lease: leases.Lease | None = None,
    clock: Clock | None = None,
) -> Controller:
    """Take the loop over and connect its ports.

    Args:
        connection: One that may write.
        database: The SQLite file.
        loop: The loop.
        progress: Told of what happens.
        notifier: Told of what a person should know.
        signals: What asks the controller to stop.
        hook: Hears of every boundary.
        forget_stop: A person resumes it: a stop that was asked before does not hold any more.
        lease: The right to drive the loop, where the caller has taken it already.
        clock: Another than the wall's: one that ends turns.

    Raises:
        Held: Another live controller drives the loop.
    """
    from wpfsm.adapters.aws.clients import Clients
    from wpfsm.adapters.aws.logs import CloudWatchLogs
    from wpfsm.adapters.aws.permissions import PolicySimulation
    from wpfsm.adapters.aws.prices import PriceList, endpoint_region
    from wpfsm.adapters.aws.quotas import ServiceQuotas
    from wpfsm.adapters.aws.renderer import SdkRenderer
    from wpfsm.adapters.aws.service import SageMakerTraining

    locks = siblings(database, "locks")
    lease = lease or own_loop(database, loop.id)
    failpoints = Failpoints(hook)
    try:
        clock = clock or WallClock(signals, not_before=_newest(History(connection), loop))
        now = clock.now()
        leases.refuse_live_owner(History(connection).owner(loop.id), now, loop.id)
        owner = Owner(os.uname().nodename, os.getpid(), now, now)
        with failpoints.around("commit taken_over"):
            epoch = store.take_over(connection, database, loop.id, owner, forget_stop=forget_stop)
        target = target_of(loop.backend, loop.region, database, loop.endpoint_url)
    except BaseException:
        lease.release()
        raise
    pace = LOOPBACK if target.loopback else AWS
    # From here on there is a job or a pool to lose, and between two commits no call: waiting is safe.
    connection.patience = Patience(
        AWS.outage, lambda what, seconds: progress.waiting(what, clock.now() + seconds)
    )
    clients = Clients(target)
    base = Path(loop.loop_path).parent if loop.loop_path else Path.cwd()
    renderer = SdkRenderer(target, base, lambda how: progress.waiting(how, None))
    cleanup = ExitStack()
    cleanup.callback(renderer.close)
    pools = LocalPoolLeases(locks, History(connection))
    listed = PriceList(clients.pricing(endpoint_region(loop.region)))
    ports = Ports(
        store=store.LoopStore(connection, database, loop.id, epoch),
        service=SageMakerTraining(clients),
        logs=CloudWatchLogs(clients),
        archive=FileArchive(siblings(database, "logs")),
        quotas=ServiceQuotas(clients.quotas),
        # Do not cache prices of a custom endpoint: they would later pass for AWS prices.
        prices=listed if target.endpoint_url else PriceCache(listed, connection, database),
        permissions=PolicySimulation(clients),
        renderer=renderer,
        resolver=PipResolver(),
        sources=LocalSources(siblings(database, "sources"), base),
        leases=pools,
        notifier=notifier,
        command=Subprocess(str(base), signals),
        clock=clock,
        stop=signals,
        progress=progress,
        pace=pace,
        failpoints=failpoints,
    )
    return Controller(ports, lease, pools, cleanup)
