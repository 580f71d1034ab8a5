"""Puts a controller together: which adapters, which target, which pace."""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from wpfsm.adapters.host.clock import WallClock
from wpfsm.adapters.host.log_archive import FileArchive
from wpfsm.adapters.host.patch_command import Subprocess
from wpfsm.adapters.host.price_cache import PriceCache
from wpfsm.adapters.host.sources import LocalSources
from wpfsm.adapters.host.stop_request import StopSignals
from wpfsm.adapters.targets import target_of
from wpfsm.fsm.context import Ports
from wpfsm.fsm.failpoints import Failpoints, Hook
from wpfsm.fsm.polling import AWS, LOOPBACK
from wpfsm.fsm.ports import Clock, Notifier, Progress
from wpfsm.fsm.records import Loop, Owner
from wpfsm.state import leases, store
from wpfsm.state.database import siblings
from wpfsm.state.history import History
from wpfsm.state.pool_leases import LocalPoolLeases


@dataclass
class Controller:
    """The ports of one loop, and the rights that go with driving it."""

    ports: Ports
    loop_lease: leases.Lease
    pool_leases: LocalPoolLeases
    cleanup: ExitStack

    def close(self) -> None:
        """Give back the rights and end what was started."""
        self.cleanup.close()
        self.pool_leases.release()
        self.loop_lease.release()


def connect(
    connection: sqlite3.Connection,
    database: Path,
    loop: Loop,
    *,
    progress: Progress,
    notifier: Notifier,
    signals: StopSignals,
    hook: Hook | None = None,
    forget_stop: bool = False,
    clock: Clock | None = None,
) -> Controller:
    """Take the loop over and connect its ports; ``forget_stop`` is for a person who resumes it.

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
    lease = leases.acquire(locks, f"loop-{loop.id}", what=f"loop {loop.id}", holder=loop.id)
    clock = clock or WallClock(signals)
    failpoints = Failpoints(hook)
    try:
        now = clock.now()
        leases.refuse_live_owner(History(connection).owner(loop.id), now, loop.id)
        owner = Owner(socket.gethostname(), os.getpid(), now, now)
        with failpoints.around("commit taken_over"):
            epoch = store.take_over(connection, database, loop.id, owner, forget_stop=forget_stop)
        target = target_of(loop.backend, loop.region, database, loop.endpoint_url)
    except BaseException:
        lease.release()
        raise
    clients = Clients(target)
    base = Path(loop.loop_path).parent if loop.loop_path else Path.cwd()
    renderer = SdkRenderer(target, base)
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
        # What an endpoint of one's own calls a price must not be taken for AWS's later.
        prices=listed if target.endpoint_url else PriceCache(listed, connection, database),
        permissions=PolicySimulation(clients),
        renderer=renderer,
        sources=LocalSources(siblings(database, "sources"), base),
        leases=pools,
        notifier=notifier,
        command=Subprocess(str(base), signals),
        clock=clock,
        stop=signals,
        progress=progress,
        pace=LOOPBACK if target.loopback else AWS,
        failpoints=failpoints,
    )
    return Controller(ports, lease, pools, cleanup)
