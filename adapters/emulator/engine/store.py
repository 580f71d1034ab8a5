"""The emulator's SQLite file: jobs, pools, tags, quotas and log lines survive a killed emulator.

One connection, used under one lock. There is one writer (a kernel lock on the state directory sees to it),
and a commit that the operating system has taken survives the death of the process, so WAL with NORMAL is
safe and quick.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from wpfsm.adapters.emulator.engine.errors import not_stored
from wpfsm.adapters.emulator.engine.records import (
    Job,
    Metric,
    Place,
    Pool,
    PoolEvent,
    PoolStatus,
    dump,
    load_job,
    load_pool,
)

APPLICATION_ID = 0x77704675
SCHEMA_VERSION = 2
SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
    created REAL NOT NULL, modified REAL NOT NULL, status TEXT NOT NULL, live INTEGER NOT NULL,
    request TEXT NOT NULL, document TEXT NOT NULL, UNIQUE (account, region, name)) STRICT;
CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (account, region, created, id);
CREATE INDEX IF NOT EXISTS jobs_by_status ON jobs (account, region, status, id);
CREATE INDEX IF NOT EXISTS jobs_alive ON jobs (live) WHERE live;
CREATE TABLE IF NOT EXISTS pools (
    number INTEGER PRIMARY KEY, ended INTEGER NOT NULL, document TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS pool_events (
    id INTEGER PRIMARY KEY, pool INTEGER NOT NULL, time REAL NOT NULL, event TEXT NOT NULL,
    job TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS pool_events_in_order ON pool_events (pool, id);
CREATE TABLE IF NOT EXISTS tags (
    arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (arn, key)) STRICT;
CREATE TABLE IF NOT EXISTS quotas (
    account TEXT NOT NULL, region TEXT NOT NULL, code TEXT NOT NULL, value REAL NOT NULL,
    PRIMARY KEY (account, region, code)) STRICT;
CREATE TABLE IF NOT EXISTS quota_requests (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, code TEXT NOT NULL,
    value REAL NOT NULL, status TEXT NOT NULL, created REAL NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS log_streams (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, ingested INTEGER NOT NULL, visible REAL NOT NULL,
    lines INTEGER NOT NULL, UNIQUE (account, region, name)) STRICT;
CREATE TABLE IF NOT EXISTS log_lines (
    stream INTEGER NOT NULL, number INTEGER NOT NULL, time INTEGER NOT NULL, ingested INTEGER NOT NULL,
    visible REAL NOT NULL, message TEXT NOT NULL, PRIMARY KEY (stream, number)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS metric_points (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, job TEXT NOT NULL, name TEXT NOT NULL,
    value REAL NOT NULL, time REAL NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS metric_points_in_order ON metric_points (account, region, id);
"""


class Store:
    """The emulator's memory.

    Jobs that run and pools that are not ended are kept decoded; everything else is read when asked for.

    Args:
        path: The SQLite file; None keeps everything in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        if path is not None:
            _set_aside_another_version(path)
        self.db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        if path is not None:
            self.db.execute("PRAGMA journal_mode=WAL")
            self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.executescript(SCHEMA)
        self.db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        self.db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        self._live: dict[str, Job] = {}
        self._open: dict[int, Pool] = {}
        self._load()

    def _load(self) -> None:
        """Decode what is live."""
        self._live = {job.key: job for job in self._jobs("WHERE live", ())}
        pools = self.db.execute("SELECT document FROM pools WHERE NOT ended ORDER BY number")
        self._open = {pool.number: pool for pool in (load_pool(row[0]) for row in pools)}

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self.commit()
            self.db.close()

    def begin(self) -> None:
        """Open a transaction unless one is open."""
        if not self.db.in_transaction:
            self.db.execute("BEGIN")

    def commit(self) -> bool:
        """Make what was written since the last commit durable, and tell whether anything was.

        Raises:
            ServiceError: It could not be written. Nothing of it is remembered, in memory neither.
        """
        written = self.db.in_transaction
        if written:
            try:
                self.db.execute("COMMIT")
            except sqlite3.Error as error:
                self.undo()
                raise not_stored(str(error)) from error
        return written

    def undo(self) -> None:
        """Forget what was not committed: what the disk does not hold did not happen, and is tried again."""
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        self._load()

    def latest(self) -> float:
        """Return the latest moment on record, 0.0 when there is none."""
        row = self.db.execute("SELECT max(modified) FROM jobs").fetchone()
        return float(row[0] or 0.0)

    # Jobs

    def insert_job(self, job: Job) -> None:
        """Add a job whose name is free."""
        self.begin()
        self.db.execute(
            "INSERT INTO jobs (account, region, name, created, modified, status, live, request, document)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *job.place,
                job.name,
                job.created,
                job.modified,
                job.status,
                1,
                json.dumps(job.request),
                dump(job),
            ),
        )
        self._live[job.key] = job

    def save_job(self, job: Job) -> None:
        """Write a changed job."""
        self.begin()
        self.db.execute(
            "UPDATE jobs SET modified = ?, status = ?, live = ?, document = ?"
            " WHERE account = ? AND region = ? AND name = ?",
            (job.modified, job.status, not job.status.terminal, dump(job), *job.place, job.name),
        )
        if job.status.terminal:
            self._live.pop(job.key, None)
        else:
            self._live[job.key] = job

    def delete_job(self, job: Job) -> None:
        """Forget a job and its tags."""
        self.begin()
        self.db.execute(
            "DELETE FROM jobs WHERE account = ? AND region = ? AND name = ?", (*job.place, job.name)
        )
        self.db.execute("DELETE FROM tags WHERE arn = ?", (job.arn,))

    def job(self, place: Place, name: str) -> Job | None:
        """Return a job by name."""
        alive = self._live.get(f"{place[0]}/{place[1]}/{name}")
        if alive is not None:
            return alive
        found = self._jobs("WHERE account = ? AND region = ? AND name = ?", (*place, name))
        return next(found, None)

    def live_jobs(self) -> list[Job]:
        """Return the jobs that have not ended, oldest first."""
        return list(self._live.values())

    def all_jobs(self) -> Iterator[Job]:
        """Yield every job, oldest first."""
        return self._jobs("ORDER BY id", ())

    def jobs_of(self, place: Place) -> Iterator[Job]:
        """Yield every job of an account and region, oldest first."""
        rows = self.db.execute(
            "SELECT document, request FROM jobs WHERE account = ? AND region = ? ORDER BY id", place
        )
        return (load_job(document, request) for document, request in rows)

    def page(self, clause: str, values: Iterable[object]) -> list[tuple[int, Job]]:
        """Return rows of the job table with their ids, for a listing."""
        rows = self.db.execute(f"SELECT id, document, request FROM jobs {clause}", tuple(values))  # noqa: S608 - clauses are ours, values are bound
        return [(number, load_job(document, request)) for number, document, request in rows]

    def _jobs(self, clause: str, values: Iterable[object]) -> Iterator[Job]:
        return (job for _, job in self.page(clause, values))

    # Pools

    def new_pool_number(self) -> int:
        """Return a number that no pool has."""
        row = self.db.execute("SELECT coalesce(max(number), 0) + 1 FROM pools").fetchone()
        return int(row[0])

    def save_pool(self, pool: Pool, event: PoolEvent | None = None) -> None:
        """Write a new or changed pool, and a line of its history."""
        self.begin()
        if event is not None:
            self.db.execute(
                "INSERT INTO pool_events (pool, time, event, job) VALUES (?, ?, ?, ?)",
                (pool.number, event.time, event.event, event.job),
            )
        ended = pool.status is PoolStatus.TERMINATED
        self.db.execute("INSERT OR REPLACE INTO pools VALUES (?, ?, ?)", (pool.number, ended, dump(pool)))
        if ended:
            self._open.pop(pool.number, None)
        else:
            self._open[pool.number] = pool

    def pool(self, number: int) -> Pool | None:
        """Return a pool that has not ended."""
        return self._open.get(number)

    def open_pools(self) -> list[Pool]:
        """Return the pools that have not ended, oldest first."""
        return list(self._open.values())

    def all_pools(self) -> list[Pool]:
        """Return every pool that ever was with its history, oldest first."""
        histories: dict[int, list[PoolEvent]] = {}
        for number, *event in self.db.execute("SELECT pool, time, event, job FROM pool_events ORDER BY id"):
            histories.setdefault(number, []).append(PoolEvent(*event))
        rows = self.db.execute("SELECT number, document FROM pools ORDER BY number")
        return [load_pool(document, tuple(histories.get(number, ()))) for number, document in rows]

    # Metrics

    def add_points(self, place: Place, job: str, points: Iterable[Metric]) -> None:
        """Remember values of a job's metrics; CloudWatch takes none that is not finite."""
        finite = (each for each in points if math.isfinite(each.value))
        rows = [(*place, job, each.name, each.value, each.time) for each in finite]
        if rows:
            self.begin()
            self.db.executemany(
                "INSERT INTO metric_points (account, region, job, name, value, time) VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )

    def points(self, place: Place, after: int, limit: int) -> list[tuple[int, str, Metric]]:
        """Return number, job and value of each metric's values that came after a number, oldest first."""
        rows = self.db.execute(
            "SELECT id, job, name, value, time FROM metric_points"
            " WHERE account = ? AND region = ? AND id > ? ORDER BY id LIMIT ?",
            (*place, after, limit),
        )
        return [(number, job, Metric(name, value, time)) for number, job, name, value, time in rows]

    # Tags

    def tags(self, arn: str) -> dict[str, str]:
        """Return a job's tags, sorted by key."""
        return dict(self.db.execute("SELECT key, value FROM tags WHERE arn = ? ORDER BY key", (arn,)))

    def add_tags(self, arn: str, tags: dict[str, str]) -> None:
        """Add tags or replace their values."""
        self.begin()
        rows = [(arn, key, value) for key, value in tags.items()]
        self.db.executemany("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", rows)

    def delete_tags(self, arn: str, keys: Iterable[str]) -> None:
        """Remove tags; those that are not there are no error."""
        self.begin()
        self.db.executemany("DELETE FROM tags WHERE arn = ? AND key = ?", [(arn, key) for key in keys])


def _set_aside_another_version(path: Path) -> None:
    """Rename the file of an emulator with another schema: what it remembers is made up and not migrated."""
    if not path.exists():
        return
    db = sqlite3.connect(path, isolation_level=None)
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in {0, SCHEMA_VERSION}:
            db.execute("PRAGMA journal_mode=DELETE")  # folds the write-ahead log into the file
    finally:
        db.close()
    if version not in {0, SCHEMA_VERSION}:
        path.replace(path.with_name(f"{path.name}.version-{version}"))
