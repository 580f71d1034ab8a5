"""Where a verb that is about an account, and not about one loop, looks."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.fsm.errors import MissingExtra, NotFound, StoreError
from wpfsm.state.paths import siblings
from wpfsm.state.private import private_folder

if TYPE_CHECKING:
    from wpfsm.adapters.aws import clients
    from wpfsm.adapters.engine.place import Place
    from wpfsm.adapters.host.log_archive import FileArchive
    from wpfsm.adapters.host.sources import LocalSources
    from wpfsm.fsm.ports import History
    from wpfsm.fsm.records import Loop

DEFAULT_REGION = "us-east-1"


def history_of(given: Options) -> History:
    """What a verb reads: this machine's database, or the table of a team.

    Raises:
        NotFound: There is none.
    """
    if given.shared:
        from wpfsm.state.shared.history import SharedHistory

        place = place_of(given)
        return SharedHistory(place.table, place.blobs)
    from wpfsm.state.database import open_existing
    from wpfsm.state.history import History

    return History(open_existing(given.database))


@functools.cache
def place_of(given: Options) -> Place:
    """The shared place that the options name."""
    from wpfsm.adapters.engine.place import connect

    return connect(given.shared, given.endpoint_url)


def archive_of(given: Options) -> FileArchive:
    """Where a verb reads logs."""
    from wpfsm.adapters.host.log_archive import FileArchive

    folder = siblings(given.database, "logs")
    if not given.shared:
        return FileArchive(folder)
    from wpfsm.adapters.engine.log_archive import SharedArchive

    return SharedArchive(folder, place_of(given).blobs)


def sources_of(given: Options, loop: Loop) -> LocalSources:
    """Where a verb reads a loop's sources."""
    from wpfsm.adapters.host.sources import LocalSources

    folder, base = siblings(given.database, "sources"), Path(loop.loop_path).parent
    if not given.shared:
        return LocalSources(folder, base)
    from wpfsm.adapters.engine.sources import SharedSources

    place = place_of(given)
    return SharedSources(folder, base, place.table, place.blobs, loop.id)


def target_for(given: Options, backend: str | None, region: str | None) -> clients.Target:
    """The endpoint that was named, the embedded emulator, or AWS.

    Without ``--backend`` the embedded emulator of this database is meant while it runs, else AWS.

    Raises:
        NotFound: ``--backend local``, and no emulator of this database runs.
    """
    from wpfsm.adapters.aws.clients import Target

    where = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    endpoint = given.endpoint_url or os.environ.get("AWS_ENDPOINT_URL", "")
    if endpoint:
        return Target(where, endpoint, local=backend == "local")
    if backend != "aws":
        from wpfsm.adapters.emulator.launch import find

        emulator = find(siblings(given.database, "emulator"))
        if emulator:
            hint(f"looking at the embedded emulator, {emulator.url} (--backend aws looks at AWS)")
            return Target(where, emulator.url, local=True, token=emulator.token)
        if backend == "local":
            raise NotFound(
                "the embedded emulator of this database is not running, so nothing can bill there",
                fix="--backend aws looks at AWS",
            )
    return Target(where)


EMULATOR_OPTIONS = ("--stop-grace", "5")
"""The service gives a job 120 s after SIGTERM; nobody wants to wait that long for a laptop."""


def target_of(backend: str, region: str, database: Path, endpoint_url: str = "") -> clients.Target:
    """Where a loop's calls go; starts the embedded emulator when the backend is local and none is named.

    Raises:
        MissingExtra: The embedded emulator's dependencies are not installed.
    """
    from wpfsm.adapters.aws.clients import Target

    given = endpoint_url or os.environ.get("AWS_ENDPOINT_URL", "")
    if backend != "local":
        return Target(region, given)
    if given:
        return Target(region, given, local=True)
    try:
        from wpfsm.adapters.emulator.launch import EmulatorStartError, ensure
    except ImportError as error:
        raise MissingExtra("local", "the embedded emulator") from error
    try:
        emulator = ensure(private_folder(siblings(database, "emulator")), options=EMULATOR_OPTIONS)
    except (EmulatorStartError, OSError) as error:
        fix = "look at its log, or name an endpoint with --endpoint-url"
        raise StoreError(f"the embedded emulator did not start: {error}", fix=fix) from error
    return Target(region, emulator.url, local=True, token=emulator.token)
