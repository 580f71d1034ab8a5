"""Where a team's loops are: the table that ``WPFSM_DB=dynamodb://REGION/TABLE`` names, and what was deployed with it."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.config import Config

from wpfsm.adapters.aws.clients import Clients, Target
from wpfsm.fsm.errors import NotFound
from wpfsm.state.shared.dynamo import DynamoTable, S3Blobs
from wpfsm.state.shared.location import parse
from wpfsm.state.shared.table import Item, Update, Value

SHARED_SCHEMA = 1
"""Of the shared rows; a table of a newer one is left alone."""
DEPLOYED, SWEPT = "DEPLOYED", "SWEPT"
"""``pk`` of what was deployed, and of when the sweep ran last."""


@dataclass(frozen=True)
class Place:
    """A shared table with its bucket and its engine.

    Attributes:
        table: The rows.
        blobs: Sources, logs and large rows.
        function: The durable function that takes the turns, with its alias; empty without an engine.
        version: The wpfsm that was deployed.
        extras: Which of its extras the function has.
        clients: Of the same region and endpoint.
    """

    table: DynamoTable
    blobs: S3Blobs
    function: str
    version: str
    clients: Clients
    extras: frozenset[str] = frozenset()

    @functools.cached_property
    def functions(self) -> Any:
        """Lambda's client; ``AWS_ENDPOINT_URL_LAMBDA`` names another endpoint than AWS's."""
        return self.clients.session.client("lambda", config=_patient())


def connect(url: str, endpoint_url: str = "") -> Place:
    """Open a shared place that was deployed.

    Raises:
        NotFound: There is no such table, or nothing was deployed with it.
        Denied: The credentials may not read it.
    """
    region, name = parse(url)
    clients = Clients(Target(region, endpoint_url or _endpoint()))
    table = DynamoTable(client_of(clients, "dynamodb"), region, name)
    deployed = table.get(DEPLOYED, DEPLOYED)
    if deployed is None:
        raise NotFound(f"{url} was not made by wpfsm deploy", fix="wpfsm deploy, or another WPFSM_DB")
    if int(deployed["schema"]) > SHARED_SCHEMA:
        raise NotFound(
            f"{url} was deployed by a newer wpfsm ({deployed['version']})", fix="pip install --upgrade wpfsm"
        )
    blobs = S3Blobs(client_of(clients, "s3"), str(deployed["bucket"]))
    extras = frozenset(str(deployed.get("extras") or "").split())
    return Place(table, blobs, str(deployed.get("function", "")), str(deployed["version"]), clients, extras)


def client_of(clients: Clients, service: str) -> Any:
    """A client that tries again by itself: rows may be read and written twice."""
    endpoint = clients.target.endpoint_url or None
    session: Any = clients.session
    return session.client(service, config=_patient(), endpoint_url=endpoint)


def note_deployment(
    table: DynamoTable, *, bucket: str, function: str, version: str, extras: Sequence[str] = ()
) -> None:
    """Write down what was deployed with a table."""
    values: dict[str, Value | None] = {
        "bucket": bucket,
        "function": function,
        "version": version,
        "extras": " ".join(extras),
        "schema": SHARED_SCHEMA,
    }
    table.update(Update(DEPLOYED, DEPLOYED, values))


def last_sweep(place: Place) -> Item | None:
    """When the sweep ran last, and what it found."""
    return place.table.get(SWEPT, SWEPT)


def _endpoint() -> str:
    return os.environ.get("AWS_ENDPOINT_URL", "")


def _patient() -> Config:
    return Config(retries={"mode": "standard", "total_max_attempts": 8}, connect_timeout=5, read_timeout=30)
