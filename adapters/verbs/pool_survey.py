"""Every warm pool of an account and region: whose it is, what it burns, and whether anybody owns it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wpfsm.adapters.aws.account import Account
from wpfsm.adapters.aws.targets import history_of
from wpfsm.adapters.documents.liveness import look
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.fsm.errors import NotFound, WpfsmError, with_fix
from wpfsm.fsm.ports import History, JobReading
from wpfsm.fsm.records import JSON, TERMINAL, Loop
from wpfsm.fsm.states.releasing.orphan import loop_of
from wpfsm.fsm.units import stamp
from wpfsm.state.leases import anybody_drives
from wpfsm.state.paths import siblings

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
    for summary in account.holders:
        if summary.pool is None or summary.pool.status not in ("Available", "InUse"):
            continue
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


def survey_running(account: Account, database: Path, history: History | None) -> list[PoolView]:
    """Jobs of wpfsm that run, or are being stopped, and whose loop nobody drives as far as is known here."""
    now = account.clock.now()
    views = []
    for summary in account.holders:
        # The names of our jobs end in their number; asking for the tags of everybody's would take long.
        if summary.status in TERMINAL or not OUR_NAMES.search(summary.name):
            continue
        loop = loop_of(account, summary.arn)
        holder = _holder(loop, database, history, now)
        if holder in ("dead", "unknown") and (reading := account.describe(summary.name)):
            views.append(PoolView(reading, loop, holder, _burn(account, reading), now))
    return views


OUR_NAMES = re.compile(r"-\d{3,}$")


def _holder(loop_id: str, database: Path, history: History | None, now: float) -> Holder:
    if not loop_id:
        return "stranger"
    if is_locked(database, loop_id):
        return "live"  # whatever the database says of it, if there is one
    try:
        loop = _known(loop_id, history)
        if loop is None or history is None:
            return "unknown"
        if look(history, database, loop, now).alive is not False:
            return "live"
        return "handoff" if is_held(history, loop, now) else "dead"
    except Exception:  # noqa: BLE001 - whatever is wrong inside the file, the pool bills all the same
        return "unknown"


def is_held(history: History, loop: Loop, now: float) -> bool:
    """Whether it waits in a hand-off, within its hold; of a group, whether any lane does."""
    rows = history.lanes(loop.id) or (loop,)
    return any(each.handoff and (each.hold_until or 0) > now for each in rows)


def is_locked(database: Path, loop_id: str) -> bool:
    """Whether a process on this host holds the loop's lock: then it lives, whatever a database says."""
    with contextlib.suppress(OSError):
        return anybody_drives(siblings(database, "locks"), loop_id)
    return False


def _known(loop_id: str, history: History | None) -> Loop | None:
    with contextlib.suppress(NotFound):
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


@dataclass(frozen=True)
class PlaceSurvey:
    """What one place answered.

    Attributes:
        account: The place.
        pools: Its warm pools, and who holds each.
        running: Jobs of ours that run for a loop that nobody here drives, where they were asked for.
        error: Why it did not answer.
    """

    account: Account
    pools: Sequence[PoolView] = ()
    running: Sequence[PoolView] = ()
    error: WpfsmError | None = None


def survey(
    given: Options, backend: str | None, region: str | None, *, running: bool = False
) -> list[PlaceSurvey]:
    """Every warm pool of the places that the options name, else of those that this database's loops ran at.

    Raises:
        WpfsmError: The only place that is asked does not answer.
    """
    from wpfsm.adapters.aws.account import Account
    from wpfsm.adapters.aws.places import targets_for

    history, found = history_if_any(given), list[PlaceSurvey]()
    accounts = [Account(target) for target in targets_for(given, backend, region)]
    for account in accounts:
        try:
            pools = survey_pools(account, given.database, history)
            jobs = survey_running(account, given.database, history) if running else ()
            found.append(PlaceSurvey(account, pools, jobs))
        except WpfsmError as error:
            if len(accounts) == 1:
                raise
            found.append(PlaceSurvey(account, error=error))
    return found


def say_silent(asked: Sequence[PlaceSurvey]) -> int:
    """Say which places did not answer, among others that did; returns the worst exit code, or 0."""
    from wpfsm.adapters.aws.places import in_words

    silent = [(one.account.target, one.error) for one in asked if one.error]
    for target, error in silent:
        hint(with_fix(f"error: {in_words(target)} was not read: {error}", error.fix))
    return max((error.exit_code for _, error in silent), default=0)


def release_command(given: Options, backend: str | None, region: str | None, job: str) -> str:
    """The command that releases the pool of one job there where the options look."""
    words = ["wpfsm release --job", job]
    words += [f"--endpoint-url {given.endpoint_url}"] if given.endpoint_url else []
    words += [f"--backend {backend}"] if backend else []
    words += [f"--region {region}"] if region else []
    return " ".join(words)


def history_if_any(given: Options) -> History | None:
    """The database if it can be used; pools are found without it too."""
    try:
        return history_of(given)
    except NotFound:
        return None
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the file, what bills is found without it
        hint(f"warning: {error}; going on without it")
        return None
