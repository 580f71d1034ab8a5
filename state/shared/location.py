"""Where a shared table is, as ``WPFSM_DB`` names it. Imports nothing slow: every verb reads it."""

from __future__ import annotations

import re
from pathlib import Path

from wpfsm.fsm.errors import UsageError


def parse(url: str) -> tuple[str, str]:
    """Region and table of ``dynamodb://REGION/TABLE``.

    Raises:
        UsageError: It is not written so.
    """
    found = re.fullmatch(r"dynamodb://([a-z0-9-]+)/([A-Za-z0-9_.-]{3,255})", url)
    if not found:
        raise UsageError(f"{url} names no table", fix="dynamodb://us-east-1/wpfsm; wpfsm deploy prints it")
    return found[1], found[2]


def cache_of(url: str) -> Path:
    """A path on this machine, beside which copies of a shared place's sources and logs are kept."""
    import platformdirs

    region, table = parse(url)
    return Path(platformdirs.user_state_dir("wpfsm")) / "shared" / f"{region}-{table}.db"
