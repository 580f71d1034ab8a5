"""Where pools may be: the places that this database's loops ran at, and whether an emulator among them is gone."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from wpfsm.adapters.aws.clients import Clients, Target, may_sign
from wpfsm.adapters.aws.service import SageMakerTraining
from wpfsm.adapters.aws.targets import DEFAULT_REGION, target_for
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.fsm.errors import NotFound, StoreError, Vanished
from wpfsm.fsm.ports import JobReading
from wpfsm.fsm.records import JSON, Loop
from wpfsm.state.database import open_existing
from wpfsm.state.history import History
from wpfsm.state.paths import siblings


def targets_for(given: Options, backend: str | None, region: str | None) -> list[Target]:
    """Every place that a verb about pools asks; none where nothing can bill. What is asked is said on stderr.

    One is asked when it was named. Otherwise the embedded emulator is asked if it runs, and every endpoint and region
    that a loop of this database ran at; AWS itself if one did, if there is no loop at all, or if there are credentials
    for it: a pool may be left there by another machine, or by a database that was lost.
    """
    if given.shared or given.endpoint_url or os.environ.get("AWS_ENDPOINT_URL") or backend or region:
        return _named(given, backend, region)
    found = [*_embedded(given.database)]
    ran_at = _ran_at(given.database)
    for kind, where, endpoint in ran_at:
        if kind == "local" and not endpoint:
            continue
        target = Target(where, endpoint, local=kind == "local")
        if target.loopback and nobody_listens(endpoint):
            continue
        if target not in found:
            found.append(target)
    if not found and not ran_at:
        found = _named(given, None, None)
    elif not any(kind == "aws" for kind, _, _ in ran_at) and may_sign():
        found += _named(given, "aws", None)
    hint(f"asked: {', '.join(map(in_words, found))}" if found else _ALL_GONE)
    return found


_ALL_GONE = (
    "asked: nobody; the loops of this database ran on emulators that do not run any more, and nothing can bill there "
    "(--backend aws asks AWS)"
)


def in_words(target: Target) -> str:
    """A place as a person calls it."""
    if target.token:
        return f"the embedded emulator, {target.endpoint_url}"
    return target.endpoint_url or f"AWS {target.region}"


def in_document(target: Target) -> dict[str, JSON]:
    """A place as it is shown in a document."""
    return {
        "backend": "local" if target.local else "aws",
        "region": target.region,
        "endpoint_url": target.endpoint_url or None,
    }


def _named(given: Options, backend: str | None, region: str | None) -> list[Target]:
    try:
        return [target_for(given, backend, region)]
    except NotFound as error:
        hint(f"{error} ({error.fix})")
        return []


def _embedded(database: Path) -> list[Target]:
    with contextlib.suppress(ImportError):
        from wpfsm.adapters.emulator.launch import find

        emulator = find(siblings(database, "emulator"))
        if emulator:
            where = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
            return [Target(where, emulator.url, local=True, token=emulator.token)]
    return []


def _ran_at(database: Path) -> list[tuple[str, str, str]]:
    """Backend, region and endpoint of the database's loops; none where it cannot be read."""
    try:
        with contextlib.closing(open_existing(database)) as connection:
            return [*History(connection).places()]
    except (NotFound, StoreError):
        return []


def nobody_listens(url: str) -> bool:
    """Whether a connection to an endpoint of this machine is refused. What else goes wrong proves nothing."""
    place = urlsplit(url)
    try:
        socket.create_connection((place.hostname or "", place.port or 80), timeout=1).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def vanished(database: Path, loop: Loop) -> str:
    """Why nothing of a loop can bill any more, whatever its rows say; empty where it must be read back.

    Only of a loop of the local backend: what an emulator plays costs nothing, and ends with it.
    """
    if loop.backend != "local":
        return ""
    endpoint = loop.endpoint_url or os.environ.get("AWS_ENDPOINT_URL", "")
    if endpoint:
        loopback = Target(loop.region, endpoint).loopback
        gone = loopback and nobody_listens(endpoint)
        return f"the emulator at {endpoint} does not run any more, and bills nothing" if gone else ""
    if _embedded(database) or (siblings(database, "emulator") / "emulator.lock").exists():
        return ""
    return "what the embedded emulator held is gone, and bills nothing"


class GoneEmulator(SageMakerTraining):
    """The service where the emulator that played it is gone: no job is there to be read, and none bills."""

    def __init__(self, clients: Clients, why: str) -> None:
        super().__init__(clients)
        self._why = why

    def describe(self, name: str) -> JobReading | None:  # noqa: ARG002 - the port's signature
        """There is nobody to ask.

        Raises:
            Vanished: Always.
        """
        raise Vanished("EmulatorGone", self._why, operation="DescribeTrainingJob")
