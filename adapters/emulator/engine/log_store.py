"""The log lines of training jobs, and the metrics read from them.

Lines live in the emulator's own table and not in the fallback's memory, so that they survive a restart and
follow the emulator's clock. ``cloudwatch.py`` answers CloudWatch Logs requests from here.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wpfsm.adapters.emulator.engine.clock import Clock
from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.metrics import MetricReader
from wpfsm.adapters.emulator.engine.records import Job, Metric, Place
from wpfsm.adapters.emulator.engine.store import Store
from wpfsm.adapters.emulator.runner.base import LogLine

logger = logging.getLogger(__name__)

GROUP = "/aws/sagemaker/TrainingJobs"
ESCAPES = {ord(character): f"#{ord(character):03o}" for character in "\t\r\x1b"}
"""How public logs of the service show characters that steer a terminal."""


@dataclass
class _Watch:
    """What is known of a job that is printing."""

    metrics: MetricReader
    late: float


@dataclass(frozen=True)
class Stream:
    """One log stream; times in milliseconds since the epoch."""

    identifier: int
    name: str
    first: int
    last: int
    ingested: int
    lines: int


@dataclass(frozen=True)
class Event:
    """One stored line; times in milliseconds since the epoch."""

    number: int
    stream: str
    time: int
    ingested: int
    message: str


class LogStore:
    """Takes lines from runners (see ``runner.Logs``) and hands them to readers."""

    def __init__(self, store: Store, clock: Clock, *, escapes: bool = False) -> None:
        self._store = store
        self._clock = clock
        self._escapes = ESCAPES if escapes else {}
        self._watches: dict[str, _Watch] = {}

    def watch(self, job: Job) -> None:
        """Begin to read a job's metrics from its lines."""
        with self._store.lock:
            self._watches[job.key] = _Watch(MetricReader(job), job.fate.late_logs)

    def unwatch(self, job: Job) -> tuple[Metric, ...]:
        """Stop reading a job's metrics and return the last value of each."""
        with self._store.lock:
            watch = self._watches.pop(job.key, None)
        return watch.metrics.latest() if watch else ()

    def write(self, account: str, region: str, stream: str, lines: Sequence[LogLine]) -> None:
        """Append lines whose times are real time."""
        moved = [(int(self._clock.from_real(ms / 1000) * 1000), text) for ms, text in lines]
        self.write_at(account, region, stream, moved)

    def write_at(self, account: str, region: str, stream: str, lines: Sequence[LogLine]) -> None:
        """Append lines whose times are the emulator's."""
        if not lines:
            return
        if self._escapes:
            lines = [(ms, text.translate(self._escapes)) for ms, text in lines]
        job = stream.partition("/")[0]
        with self._store.lock:
            watch = self._watches.get(f"{account}/{region}/{job}")
        found = watch.metrics.read(lines) if watch else []  # may take its time: not under the lock
        with self._store.lock:
            now = self._clock.now()
            visible = now + (watch.late if watch else 0.0)
            try:
                self._insert((account, region, stream), lines, int(now * 1000), visible)
                self._store.add_points((account, region), job, found)
                self._store.commit()
            except (sqlite3.Error, ServiceError) as error:
                # A job must not stand still because nobody can note what it prints.
                if isinstance(error, sqlite3.Error):
                    self._store.undo()
                logger.warning("%d line(s) of %s are lost: %s", len(lines), stream, error)

    def _insert(
        self, address: tuple[str, str, str], lines: Sequence[LogLine], ingested: int, visible: float
    ) -> None:
        self._store.begin()
        times = [ms for ms, _ in lines]
        identifier, count = self._store.db.execute(
            "INSERT INTO log_streams (account, region, name, first, last, ingested, visible, lines)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, region, name) DO UPDATE SET"
            " last = max(last, excluded.last), ingested = excluded.ingested,"
            " lines = lines + excluded.lines RETURNING id, lines",
            (*address, min(times), max(times), ingested, visible, len(lines)),
        ).fetchone()
        first = count - len(lines)
        self._store.db.executemany(
            "INSERT INTO log_lines VALUES (?, ?, ?, ?, ?, ?)",
            [(identifier, first + i, ms, ingested, visible, text) for i, (ms, text) in enumerate(lines)],
        )

    def exists(self, place: Place) -> bool:
        """Tell whether the log group exists, which the first job of an account and region makes."""
        for table in ("jobs", "log_streams"):  # a job may be deleted, its lines are not
            row = self._store.db.execute(
                f"SELECT 1 FROM {table} WHERE account = ? AND region = ? LIMIT 1",  # noqa: S608 - the names are ours
                place,
            ).fetchone()
            if row is not None:
                return True
        return False

    def streams(self, place: Place, prefix: str) -> list[Stream]:
        """Return the streams whose names begin with ``prefix``, by name."""
        rows = self._store.db.execute(
            "SELECT id, name, first, last, ingested, lines FROM log_streams"
            " WHERE account = ? AND region = ? AND name >= ? AND name < ? AND visible <= ? ORDER BY name",
            (*place, prefix, prefix + "\U0010ffff", self._clock.now()),
        )
        return [Stream(*row) for row in rows]

    def stream(self, place: Place, name: str) -> Stream | None:
        """Return a stream by its whole name."""
        return next((s for s in self.streams(place, name) if s.name == name), None)

    def events(self, stream: Stream, after: int, before: int, *, newest: bool, limit: int) -> list[Event]:
        """Return visible lines with ``after < number < before``, in order.

        When there are more than ``limit``, they are the ``newest`` of them or else the oldest.
        """
        order = "DESC" if newest else "ASC"
        rows = self._store.db.execute(
            "SELECT number, time, ingested, message FROM log_lines"  # noqa: S608 - only the order is put in
            f" WHERE stream = ? AND number > ? AND number < ? AND visible <= ? ORDER BY number {order} LIMIT ?",
            (stream.identifier, after, before, self._clock.now(), limit),
        ).fetchall()
        found = [Event(row[0], stream.name, *row[1:]) for row in rows]
        return found[::-1] if newest else found

    def search(self, streams: Iterable[Stream]) -> list[Event]:
        """Return every visible line of the streams, in order of time."""
        found = [e for s in streams for e in self.events(s, -1, 1 << 60, newest=False, limit=-1)]
        return sorted(found, key=lambda e: (e.time, e.stream, e.number))
