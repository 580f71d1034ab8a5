"""Where a verb that is about an account, and not about one loop, looks."""

from __future__ import annotations

import os

from wpfsm.adapters.aws.clients import Target
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.fsm.errors import NotFound
from wpfsm.state.database import siblings

DEFAULT_REGION = "us-east-1"


def target_for(given: Options, backend: str | None, region: str | None) -> Target:
    """The endpoint that was named, the embedded emulator, or AWS.

    Without ``--backend`` the embedded emulator of this database is meant while it runs, else AWS.

    Raises:
        NotFound: ``--backend local``, and no emulator of this database runs.
    """
    where = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or DEFAULT_REGION
    endpoint = given.endpoint_url or os.environ.get("AWS_ENDPOINT_URL", "")
    if endpoint:
        return Target(where, endpoint, local=backend == "local")
    if backend != "aws":
        from wpfsm.adapters.emulator.launch import find

        emulator = find(siblings(given.database, "emulator"))
        if emulator:
            hint(f"looking at the embedded emulator, {emulator.url} (--backend aws looks at AWS)")
            return Target(where, emulator.url, local=True)
        if backend == "local":
            raise NotFound("the embedded emulator of this database is not running, so nothing can bill there",
                           fix="--backend aws looks at AWS")  # fmt: skip
    return Target(where)
