"""Every warm pool of an account and region: whose it is, what it burns, and whether anybody owns it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wpfsm.adapters.aws.account import Account
from wpfsm.adapters.documents.liveness import look
from wpfsm.adapters.targets import history_of
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.fsm.errors import NotFound, StoreError
from wpfsm.fsm.ports import History, JobReading
from wpfsm.fsm.records import JSON, Loop, State
from wpfsm.fsm.states.releasing.orphan import loop_of
from wpfsm.fsm.units import stamp
from wpfsm.state.database import siblings
from wpfsm.state.leases import is_held

if TYPE_CHECKING:
    from wpfsm.adapters.aws.account import Account

Holder = Literal["live", "dead", "handoff", "unknown", "stranger"]


@dataclass(frozen=True)
class PoolView:
    """One warm pool.

    Attributes:
        reading: What Describe said of its owner job.
        loop: Id of the loop that the owner job belongs to; empty for a stranger's.
        holder: ``live`` (a controller of this database drives the loop), ``dead`` (none does),
            ``handoff`` (waiting, within its hold), ``unknown`` (ours, and not in this database),
            ``stranger`` (not ours).
        burn: USD an hour while it idles; None when the price is not known.
    """

    reading: JobReading
    loop: str
    holder: Holder
    burn: float | None
    now: float

    @property
    def idle_seconds(self) -> float | None:
        """How long it has idled; None while a job runs on it."""
        if self.reading.pool and self.reading.pool.status == "Available" and self.reading.ended_at:
            return max(0.0, self.now - self.reading.ended_at)
        return None

    def to_json(self) -> dict[str, JSON]:
        """As plain JSON."""
        resources = _resources(self.reading)
        keep_alive = resources.get("KeepAlivePeriodInSeconds")
        ends = (
            self.reading.ended_at + keep_alive
            if self.reading.ended_at and isinstance(keep_alive, int)
            else None
        )
        return {
            "job": self.reading.name,
            "status": self.reading.pool.status if self.reading.pool else None,
            "instance_type": resources.get("InstanceType"),
            "instance_count": resources.get("InstanceCount"),
            "keep_alive_seconds": keep_alive,
            "idle_seconds": self.idle_seconds,
            "expires_at": stamp(ends),
            "burn_usd_per_hour": self.burn,
            "ours": bool(self.loop),
            "loop": self.loop or None,
            "holder": self.holder,
        }


def survey_pools(account: Account, database: Path, history: History | None) -> list[PoolView]:
    """Pools that idle or are in use, by ListTrainingJobs: every page, and an empty page is not the end."""
    now = account.clock.now()
    found: dict[str, JobReading] = {}
    for status in ("Available", "InUse"):
        for summary in account.list_jobs(pool_status=status):
            reading = account.describe(summary.name)
            if reading and reading.pool and reading.pool.status in ("Available", "InUse"):
                found[reading.name] = reading
    views = []
    for reading in found.values():
        loop = loop_of(account, reading.arn)
        views.append(
            PoolView(reading, loop, _holder(loop, database, history, now), _burn(account, reading), now)
        )
    return views


def _holder(loop_id: str, database: Path, history: History | None, now: float) -> Holder:
    if not loop_id:
        return "stranger"
    if _locked(database, loop_id):
        return "live"  # whatever the database says of it, if there is one
    loop = _known(loop_id, history)
    if loop is None or history is None:
        return "unknown"
    if look(history, database, loop, now).alive:
        return "live"
    waiting = loop.state is State.DIAGNOSING and loop.hold_until is not None and loop.hold_until > now
    return "handoff" if waiting else "dead"


def _locked(database: Path, loop_id: str) -> bool:
    with contextlib.suppress(OSError):
        return is_held(siblings(database, "locks"), f"loop-{loop_id}")
    return False


def _known(loop_id: str, history: History | None) -> Loop | None:
    with contextlib.suppress(NotFound, StoreError):
        loop = history.find(loop_id) if history else None
        return loop if loop and loop.id == loop_id else None
    return None


def _burn(account: Account, reading: JobReading) -> float | None:
    resources = _resources(reading)
    price = account.price_here(str(resources.get("InstanceType", "")))
    count = resources.get("InstanceCount")
    return price.usd_per_hour * (count if isinstance(count, int) else 1) if price else None


def _resources(reading: JobReading) -> dict[str, JSON]:
    resources = reading.request.get("ResourceConfig")
    return dict(resources) if isinstance(resources, dict) else {}


def survey(given: Options, backend: str | None, region: str | None) -> list[PoolView]:
    """Every warm pool of the account and region that the options name, and who holds it."""
    from wpfsm.adapters.aws.account import Account
    from wpfsm.adapters.targets import target_for

    account = Account(target_for(given, backend, region))
    return survey_pools(account, given.database, history_if_any(given))


def history_if_any(given: Options) -> History | None:
    """The database if it can be used; pools are found without it too."""
    try:
        return history_of(given)
    except NotFound:
        return None
    except StoreError as error:
        hint(f"warning: {error}; going on without it")
        return None
