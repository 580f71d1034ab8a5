"""A reading merged into a job's row: what the service left out stays as it was known."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.ports import JobReading, PoolReading, Transition
from wpfsm.fsm.records import Job
from wpfsm.fsm.steps.observe_job import finite, observe, startup_seconds, upload_seconds, without_pool

JOB = Job(
    loop_id="lr", number=1, trial=1, name="lr-001", params={}, request={}, request_digest="d", source_digest="s",
    keep_alive=600, max_runtime=3600,
)  # fmt: skip
SILENT = JobReading(name="lr-001", arn="", status="", secondary_status="")

times = st.none() | st.floats(0, 2e9)
readings = st.builds(
    JobReading, name=st.just("lr-001"), arn=st.sampled_from(["", "arn"]),
    status=st.sampled_from(["InProgress", "Completed", "Failed"]), secondary_status=st.sampled_from(["", "Training"]),
    failure_reason=st.sampled_from(["", "ClientError: x"]), created_at=times,
    training_started_at=times, ended_at=times, training_seconds=times, billable_seconds=times,
    metrics=st.dictionaries(st.sampled_from(["loss", "f1"]), st.floats(), max_size=2),
    pool=st.none() | st.builds(PoolReading, st.sampled_from(["Available", "Reused", "Terminated"]), times),
)  # fmt: skip


@given(readings, st.floats(0, 2e9))
def test_a_reading_that_says_nothing_changes_nothing_but_when_it_was_seen(
    reading: JobReading, now: float
) -> None:
    """No member that is absent becomes zero, empty or gone."""
    known = observe(JOB, reading, now)

    assert observe(known, SILENT, now + 1) == replace(known, seen_at=now + 1)


@given(readings, st.floats(0, 2e9))
def test_the_same_reading_twice_is_the_same_row(reading: JobReading, now: float) -> None:
    """A controller that died after reading may read again."""
    once = observe(JOB, reading, now)

    assert observe(once, reading, now) == once


@given(readings, st.floats(0, 2e9))
def test_a_job_that_is_over_has_an_end(reading: JobReading, now: float) -> None:
    """Where the service leaves all times out of a failed job, it ended when it was seen."""
    row = observe(JOB, reading, now)

    if row.is_terminal:
        assert row.ended_at == (now if reading.ended_at is None else reading.ended_at)


def test_a_pool_ends_when_its_billing_did() -> None:
    """The service says for how long the pool was retained; without that word it ended when it was seen to be over."""
    over = replace(SILENT, status="Completed", ended_at=1000.0)
    told = observe(JOB, replace(over, pool=PoolReading("Reused", 42.0, "lr-002")), 2000.0)
    untold = observe(JOB, replace(over, pool=PoolReading("Terminated")), 2000.0)

    assert (told.pool_ended_at, told.retained_seconds, told.reused_by) == (1042.0, 42.0, "lr-002")
    assert (untold.pool_ended_at, untold.retained_seconds) == (2000.0, None)
    assert not told.may_hold_pool


def test_a_job_that_left_no_pool_idled_for_nothing() -> None:
    """One whose pool was seen Available has idled, for an unknown time, and stays as it is."""
    ended = replace(JOB, status="Completed", ended_at=1000.0)
    available = replace(ended, pool_status="Available")

    assert without_pool(ended) == replace(ended, retained_seconds=0.0, pool_ended_at=1000.0)
    assert without_pool(available) is available


def stages(*given: tuple[str, float, float | None]) -> JobReading:
    """A reading with these secondary statuses."""
    return replace(SILENT, transitions=tuple(Transition(name, start, end, "") for name, start, end in given))


def test_startup_is_from_starting_to_training() -> None:
    """Until it trains nothing is known; clocks that disagree make it no negative time."""
    assert (
        startup_seconds(stages(("Starting", 10, 40), ("Downloading", 40, 55), ("Training", 55, None))) == 45
    )
    assert startup_seconds(stages(("Starting", 10, None))) is None
    assert startup_seconds(stages(("Starting", 10, 9), ("Training", 9, None))) == 0


def test_uploading_counts_when_it_is_over() -> None:
    """All of its spans together, and none while one goes on."""
    assert upload_seconds(stages(("Uploading", 10, 13), ("Uploading", 20, 24))) == 7
    assert upload_seconds(stages(("Uploading", 10, 13), ("Uploading", 20, None))) is None
    assert upload_seconds(SILENT) is None


def test_a_metric_that_is_no_number_is_null() -> None:
    """NaN and infinity are never compared."""
    assert finite({"a": 0.5, "b": float("nan"), "c": float("inf")}) == {"a": 0.5, "b": None, "c": None}
