"""Time: what is due happens at its own moment, however the clock gets there."""

from __future__ import annotations

from typing import Any

import pytest
from emulator_requests import admin, send, training_job
from emulator_stage import MINUTE, Stage
from hypothesis import given, settings
from hypothesis import strategies as st

from wpfsm.adapters.emulator.engine.clock import ManualClock, RealClock
from wpfsm.adapters.emulator.engine.settings import Settings, Switches
from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.scripted import Script, ScriptedRunner

DAY = 86400


def test_a_month_passes_in_one_step(stage: Stage, sagemaker: Any) -> None:
    """Job, keep-alive and expiry have their own times although the clock jumped over all of them."""
    emulator = stage.show()
    begin = emulator.clock.now()
    sagemaker.create_training_job(**training_job("j"))
    emulator.advance(30 * DAY)
    answer = sagemaker.describe_training_job(TrainingJobName="j")
    assert answer["WarmPoolStatus"] == {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 600}
    assert answer["TrainingEndTime"].timestamp() == pytest.approx(begin + 2 + 60)
    (pool,) = emulator.pools()
    assert [(e.event, e.time - begin) for e in pool.history] == [
        ("launched", pytest.approx(2)),
        ("available", pytest.approx(62)),
        ("expired", pytest.approx(662)),
    ]


def test_a_chain_ends_after_28_days(stage: Stage, sagemaker: Any) -> None:
    """A pool that is reused again and again is gone 28 days after its launch, and its last job unharmed."""
    emulator = stage.show(script=lambda _: Script(seconds=DAY - 600))
    for day in range(30):
        long = {"stopping": {"MaxRuntimeInSeconds": 2 * DAY}}
        sagemaker.create_training_job(**training_job(f"j{day}", keep_alive=3600, **long))
        emulator.advance(DAY)
    first, second, *_ = emulator.pools()
    assert first.history[-1].event == "28 days"
    assert first.history[-1].time - first.launched == pytest.approx(28 * DAY, abs=DAY)
    assert "available" not in {event.event for event in first.history if event.time >= first.history[-1].time}
    assert second.history[0].event == "launched"
    assert {job.status for job in emulator.jobs()} == {"Completed"}


@pytest.mark.parametrize("update", [None, 21600])
def test_a_keep_alive_ends_with_the_28_days(stage: Stage, sagemaker: Any, update: int | None) -> None:
    """Keep-alive is cut at 28 days after the launch, whatever the job or an update says."""
    emulator = stage.show(script=lambda _: Script(seconds=28 * DAY - 100))
    long = {"stopping": {"MaxRuntimeInSeconds": 28 * DAY}}
    sagemaker.create_training_job(**training_job("j", keep_alive=3600, **long))
    emulator.advance(28 * DAY - 50)
    if update is not None:
        keep_alive = {"KeepAlivePeriodInSeconds": update}
        sagemaker.update_training_job(TrainingJobName="j", ResourceConfig=keep_alive)
    emulator.advance(200)
    (pool,) = emulator.pools()
    assert pool.history[-1].event == "28 days"
    assert pool.history[-1].time - pool.launched == pytest.approx(28 * DAY)


STEPS = st.lists(st.floats(0.1, 900, allow_nan=False), min_size=1, max_size=12)


FATES: list[dict[str, Any] | None] = [
    None,
    {"kind": "internal_error", "seconds": 33},
    {"kind": "slow_start", "seconds": 90},
    {"kind": "patch_update", "seconds": 70},
    {"kind": "stolen_pool", "seconds": 70},
]


@settings(max_examples=60, deadline=None)
@given(
    steps=STEPS,
    duration=st.floats(0, 1000),
    keep_alive=st.integers(0, 1000),
    limit=st.integers(1, 800),
    pull=st.sampled_from([0.0, 45.0]),
    fate=st.sampled_from(FATES),
)
def test_a_jump_and_a_creep_have_the_same_history(
    steps: list[float],
    duration: float,
    keep_alive: int,
    limit: int,
    pull: float,
    fate: dict[str, Any] | None,
) -> None:
    """However an interval is divided, jobs and pools go through the same moments, in order."""

    def history(parts: list[float]) -> Any:
        runner = ScriptedRunner(lambda _: Script(seconds=duration, lines=["a", "b", "c"]))
        settings = Settings(switches=Switches(image_pull_seconds=pull))
        with Emulator(settings, runner=runner) as emulator:
            emulator.inject(*([fate] if fate else []))
            for name, retries in (("j", 0), ("k", 1)):
                more = {"RetryStrategy": {"MaximumRetryAttempts": retries}} if retries else {}
                stopping = {"MaxRuntimeInSeconds": limit}
                request = training_job(name, keep_alive=keep_alive, stopping=stopping, **more)
                send(emulator, "sagemaker", "CreateTrainingJob", request)
            for part in parts:
                emulator.advance(part)
            emulator.clock.advance(max(0.0, 1_750_020_000.0 - emulator.clock.now()))
            transitions = [[(t.status, round(t.start, 3)) for t in j.transitions] for j in emulator.jobs()]
            pools = [[(e.event, round(e.time, 3)) for e in pool.history] for pool in emulator.pools()]
            return transitions, pools

    jumped = history([sum(steps)])
    assert history(steps) == jumped
    for story in (*jumped[0], *jumped[1]):
        assert [time for _, time in story] == sorted(time for _, time in story)


def test_the_clock_is_advanced_over_http(stage: Stage) -> None:
    """POST /_wpfsm/clock lets time pass; anything else is refused."""
    emulator = stage.show()
    _, before = admin(emulator, "GET", "clock")
    status, after = admin(emulator, "POST", "clock", {"advance": 3600})
    assert (status, after["now"] - before["now"]) == (200, 3600)
    endless = [{"advance": float(seconds)} for seconds in ("inf", "nan", "1e300")]
    for bad in ({}, {"advance": "much"}, {"advance": -1}, [1], *endless):
        assert admin(emulator, "POST", "clock", bad)[0] == 400
    assert admin(emulator, "GET", "clock")[1] == after


def test_a_scaled_clock_runs_that_much_faster() -> None:
    """A real clock with a scale passes so many seconds in one, never back, and starts where it is told."""
    clock = RealClock(scale=1000.0, not_before=5_000_000_000.0)
    begin = clock.now()
    assert begin >= 5_000_000_000.0
    clock.sleep(10)
    assert clock.now() - begin >= 10
    clock.advance(100)
    assert clock.now() - begin >= 110
    assert clock.real_seconds_until(clock.now() + 1000) == pytest.approx(1, abs=0.5)


@pytest.mark.parametrize("clock", [RealClock(), ManualClock()])
def test_time_does_not_go_back(clock: RealClock | ManualClock) -> None:
    """No clock can be set back."""
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)


def test_retained_seconds_grow_until_they_are_final(stage: Stage, sagemaker: Any) -> None:
    """Retained time counts from the job's end, and stops at reuse."""
    emulator = stage.show(script=lambda _: MINUTE)
    sagemaker.create_training_job(**training_job("j"))
    emulator.advance(2 + 60 + 100)

    def retained() -> int:
        answer = sagemaker.describe_training_job(TrainingJobName="j")
        return int(answer["WarmPoolStatus"]["ResourceRetainedBillableTimeInSeconds"])

    assert retained() == 100
    emulator.advance(50)
    assert retained() == 150
    sagemaker.create_training_job(**training_job("k"))
    emulator.advance(500)
    assert retained() == 150
