"""The names of every point at which a controller may die.

Before and after each commit and each call that leaves the process, :class:`Failpoints` passes the name of
the point to one hook. The crash tests enumerate the names of :data:`POINTS` and fail when one is never
reached; a name that is not in the list raises, so no new boundary goes untested.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

Hook = Callable[[str], None]

TRANSITIONS = (
    "admitted",
    "intended",
    "submitted",
    "rejected",
    "ended",
    "handed_off",
    "proceed",
    "verified",
    "release",
    "released",
)
RECORDS = (
    "taken_over",
    "heartbeat",
    "checked",
    "rendered",
    "sent",
    "observed",
    "metric_warned",
    "settled",
    "stop_intended",
    "stop_answered",
    "update_intended",
    "update_answered",
    "pool_observed",
    "discharged",
    "edited",
    "accepted",
    "waiting",
    "proposed",
    "proposal_refused",
    "judged",
)
CALLS = (
    "service.identity",
    "service.create",
    "service.describe",
    "service.tags",
    "service.stop",
    "service.set_keep_alive",
    "service.list_jobs",
    "logs.read",
    "quotas.read",
    "prices.price",
    "permissions.missing",
    "renderer.render",
    "sources.derive",
    "command.run",
)
NAMES = frozenset(
    [*(f"commit {name}" for name in (*TRANSITIONS, *RECORDS)), *(f"call {name}" for name in CALLS)]
)
POINTS = frozenset(f"{side} {name}" for name in NAMES for side in ("before", "after"))


class Failpoints:
    """Announces each boundary to a hook."""

    def __init__(self, hook: Hook | None = None) -> None:
        self._hook = hook

    @contextlib.contextmanager
    def around(self, name: str) -> Iterator[None]:
        """Announce ``before name``, and ``after name`` once the body has succeeded or failed by itself.

        Raises:
            KeyError: The name is not listed.
        """
        if name not in NAMES:
            raise KeyError(f"{name!r} is not a listed boundary")
        if self._hook:
            self._hook(f"before {name}")
        try:
            yield
        except Exception:
            if self._hook:
                self._hook(f"after {name}")
            raise
        if self._hook:
            self._hook(f"after {name}")
