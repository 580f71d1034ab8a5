"""What must hold after a loop was killed and resumed, whatever the moment: read from the service's own records."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from crash_world import LOOP_ID, World

from wpfsm.adapters.emulator.engine.records import Job, PoolStatus
from wpfsm.fsm.controller import Result
from wpfsm.fsm.records import JSON, State

LIVE = frozenset({"InProgress", "Stopping"})


@dataclass(frozen=True)
class Account:
    """What came of a loop, as far as it must not depend on crashes."""

    exit_code: int
    outcome: str
    trials: tuple[tuple[int, str, str, float | None], ...]
    jobs: tuple[tuple[str, int, str, str | None, str, JSON, float | None], ...]
    metrics: tuple[JSON, ...]


def account_of(world: World, result: Result) -> Account:
    """The loop's trials, jobs and end, from its database."""
    with world.history() as history:
        trials, jobs = history.trials(LOOP_ID), history.jobs(LOOP_ID)
    return Account(
        exit_code=result.exit_code,
        outcome=str(result.loop.outcome),
        trials=tuple((t.number, t.label, t.state, t.metric) for t in trials),
        jobs=tuple(
            (j.name, j.trial, j.status, j.start, j.stopped_for,
             j.diagnosis and j.diagnosis.class_, None if j.stopped_for else j.billable_seconds)
            for j in jobs
        ),
        metrics=tuple(dict(j.metrics) for j in jobs),
    )  # fmt: skip


def violations(world: World, result: Result) -> Iterator[str]:
    """What is wrong after a loop has ended, in words; nothing when the promise was kept."""
    if result.loop.state is not State.CLOSED:
        yield f"ended in {result.loop.state} with exit code {result.exit_code}: {result.error}"
    yield from at_the_service(world)
    yield from in_the_database(world)
    if world.progress.troubles:
        yield f"unexpected errors: {world.progress.troubles}"


def at_the_service(world: World) -> Iterator[str]:
    """Jobs that exist twice, still run, or left a pool that bills."""
    yield from created_twice(world)
    ours = [job for job in world.emulator.jobs() if not job.foreign]
    yield from (f"{job.name} is still {job.status}" for job in ours if job.status in LIVE)
    yield from (f"{job.name} holds a pool: {job.pool_status}" for job in ours if _holds(job))
    for pool in world.emulator.pools():
        if pool.status is not PoolStatus.TERMINATED and pool.owner in {job.name for job in ours}:
            yield f"pool {pool.number} of {pool.owner} is {pool.status}"


def created_twice(world: World) -> Iterator[str]:
    """Names that were created more than once, and jobs that the database does not know."""
    created = Counter(world.emulator.created())
    yield from (f"{name} was created {count} times" for name, count in created.items() if count > 1)
    with world.history() as history:
        known = {job.name: job for job in history.jobs(LOOP_ID)}
    yield from (f"{name} is not in the database" for name in created if name not in known)
    yield from (
        f"{name} was accepted, and its row says {known[name].status}"
        for name in created
        if name in known and not known[name].arn
    )


def _holds(job: Job) -> bool:
    return job.pool_status in (PoolStatus.AVAILABLE, PoolStatus.IN_USE)


def in_the_database(world: World) -> Iterator[str]:
    """Gaps in the history, open obligations and open intents, a missing receipt."""
    with world.history() as history:
        events = list(history.events(LOOP_ID))
        owed = [o.job_name for o in history.obligations(LOOP_ID) if o.status == "owed"]
        intents = [(i.kind, i.job_name, i.number) for i in history.intents(LOOP_ID) if i.status == "open"]
        loop = history.find(LOOP_ID)
    if [event.seq for event in events] != list(range(1, len(events) + 1)):
        yield f"the history has a gap: {[event.seq for event in events]}"
    by_lane = sorted(events, key=lambda event: event.lane)
    for before, after in itertools.pairwise(by_lane):
        if before.lane == after.lane and before.target != after.source:
            yield f"event {after.seq} starts in {after.source}, and event {before.seq} ended in {before.target}"
    if [event for event in events if event.lane == loop.lane][-1].target != loop.state:
        yield f"the loop is {loop.state}, and its history ends in {events[-1].target}"
    if loop.state is State.CLOSED:
        yield from (f"closed with an obligation of {name}" for name in owed)
        yield from (f"closed with an open intent: {intent}" for intent in intents)
        if not loop.receipt:
            yield "closed without a receipt"
