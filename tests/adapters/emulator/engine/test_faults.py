"""Faults on demand: each kind does what it says, when it is told, and again in the next run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from emulator_requests import admin, send, training_job
from emulator_stage import MINUTE, Stage
from hypothesis import given, settings
from hypothesis import strategies as st

from wpfsm.adapters.emulator.engine.faults import (
    JOB_KINDS,
    UNKNOWN_VALUE,
    FaultRule,
    Faults,
    Kind,
    read_rules,
)
from wpfsm.adapters.emulator.engine.settings import Settings
from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.scripted import ScriptedRunner

ONCE = Config(retries={"total_max_attempts": 1})


@pytest.fixture
def once(stage: Stage) -> Any:
    """A SageMaker client that does not try again."""
    emulator = stage.emulator
    assert emulator is not None
    return emulator.session().client("sagemaker", config=ONCE)


def inject(stage: Stage, *faults: dict[str, Any]) -> Emulator:
    assert stage.emulator is not None
    stage.emulator.inject(*faults)
    return stage.emulator


def fails(client: Any, name: str = "j") -> tuple[str, int]:
    with pytest.raises(ClientError) as failed:
        client.create_training_job(**training_job(name))
    response = failed.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        ({"kind": "throttle"}, "ThrottlingException", 400),
        ({"kind": "error_5xx"}, "InternalFailure", 500),
        ({"kind": "error_5xx", "status": 503}, "InternalFailure", 503),
        ({"kind": "resource_limit"}, "ResourceLimitExceeded", 400),
        ({"kind": "error", "code": "AccessDeniedException", "message": "no"}, "AccessDeniedException", 400),
    ],
)
def test_refusals(stage: Stage, once: Any, fault: dict[str, Any], code: str, status: int) -> None:
    """Throttling, 5xx, limits and any other error are answered, and nothing was done."""
    emulator = inject(stage, {**fault, "operation": "CreateTrainingJob", "times": 1})
    assert fails(once) == (code, status)
    assert not emulator.jobs()
    once.create_training_job(**training_job("j"))


def test_a_limit_names_what_was_asked_for(stage: Stage, sagemaker: Any) -> None:
    """ResourceLimitExceeded on demand has the service's words, with the instance type of the request."""
    inject(stage, {"kind": "resource_limit", "nth": 1})
    words = "service limit 'ml.m5.large for training job usage' is 0 Instances, with current utilization of 0"
    with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded, match=words):
        sagemaker.create_training_job(**training_job("j"))


def test_a_client_s_retries_get_through_throttling(stage: Stage) -> None:
    """A throttled call that is tried again succeeds: the fault is on the wire, not in the client."""
    emulator = inject(stage, {"kind": "throttle", "operation": "ListTrainingJobs", "times": 1})
    emulator.session().client("sagemaker").list_training_jobs()
    assert [call.outcome for call in emulator.calls()] == ["ThrottlingException", "ok"]


@pytest.mark.parametrize(("kind", "written"), [("timeout_before_write", 0), ("timeout_after_write", 1)])
def test_a_cut_connection(stage: Stage, once: Any, kind: str, written: int) -> None:
    """The client gets no answer either way; the job exists only if the cut came after the write."""
    emulator = inject(stage, {"kind": kind, "operation": "CreateTrainingJob", "nth": 1})
    with pytest.raises(ReadTimeoutError):
        once.create_training_job(**training_job("j"))
    assert len(emulator.jobs()) == len(emulator.created()) == written


def test_a_retry_after_the_write_meets_its_own_job(stage: Stage) -> None:
    """A client that tries again after an answer was lost gets ResourceInUse for the job it made itself."""
    inject(stage, {"kind": "timeout_after_write", "operation": "CreateTrainingJob", "nth": 1})
    sagemaker = stage.client("sagemaker")
    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        sagemaker.create_training_job(**training_job("j"))


def test_slow_takes_its_time(stage: Stage, sagemaker: Any) -> None:
    """A slow call lets the clock pass before it does anything."""
    emulator = inject(stage, {"kind": "slow", "seconds": 7, "operation": "List*"})
    before = emulator.clock.now()
    sagemaker.list_training_jobs()
    assert emulator.clock.now() - before == 7


def test_late_logs_come_after_the_end(stage: Stage, sagemaker: Any) -> None:
    """Lines stay invisible for so many seconds, past the end of the job, and then are all there."""
    emulator = inject(stage, {"kind": "late_logs", "seconds": 120})
    sagemaker.create_training_job(**training_job("j"))
    emulator.advance(100)
    logs = stage.client("logs")
    ask = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": "j/"}
    assert emulator.jobs()[0].status == "Completed"
    assert logs.filter_log_events(**ask)["events"] == []
    emulator.advance(120)
    assert [event["message"] for event in logs.filter_log_events(**ask)["events"]] == list(MINUTE.lines)


def test_answers_are_spoiled(stage: Stage, sagemaker: Any) -> None:
    """A member is dropped, or gets a value that no client knows, also inside lists."""
    emulator = inject(
        stage,
        {"kind": "drop_member", "operation": "DescribeTrainingJob", "member": "TrainingJobStatus", "nth": 1},
        {
            "kind": "unknown_enum",
            "operation": "ListTrainingJobs",
            "member": "TrainingJobSummaries.TrainingJobStatus",
        },
        {"kind": "drop_member", "operation": "DescribeTrainingJob", "nth": 2},
    )
    sagemaker.create_training_job(**training_job("j"))
    emulator.advance(100)
    assert "TrainingJobStatus" not in sagemaker.describe_training_job(TrainingJobName="j")
    (row,) = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    assert row["TrainingJobStatus"] == UNKNOWN_VALUE
    spoiled = sagemaker.describe_training_job(TrainingJobName="j")
    intact = sagemaker.describe_training_job(TrainingJobName="j")
    assert len(spoiled) == len(intact) - 1


def test_rules_by_endpoint(stage: Stage, sagemaker: Any) -> None:
    """Rules are added, listed with what they did, and cleared over HTTP; a bad one is refused by name."""
    emulator = stage.show()
    rule = {"kind": "absent_pool_status", "job": "j*", "seconds": 5}
    assert admin(emulator, "POST", "faults", {"faults": [rule]}) == (200, {"added": [1]})
    sagemaker.create_training_job(**training_job("j1"))
    _, listed = admin(emulator, "GET", "faults")
    assert listed["faults"] == [{"number": 1, "seen": 1, "fired": 1, **rule}]
    for bad in (
        {"kind": "meteor"},
        {"kind": ["slow"]},
        {"kind": "slow", "hurry": 1},
        {"kind": "slow", "seconds": "x"},
        {"kind": "slow", "seconds": float("nan")},
        {"kind": "throttle", "operation": 5},
        {"kind": "throttle", "nth": 0},
        {"kind": "throttle", "times": True},
        {"kind": "error", "code": 5},
        {"kind": "error", "status": 200},
        {"kind": "error", "status": 999},
        {"kind": "drop_member", "member": ["a"]},
        [7],
    ):
        assert admin(emulator, "POST", "faults", bad)[0] == 400, bad
    assert admin(emulator, "GET", "faults")[1]["faults"] == listed["faults"]
    assert admin(emulator, "DELETE", "faults")[0] == 200
    assert admin(emulator, "GET", "faults") == (200, {"faults": []})


def test_rules_by_file(tmp_path: Path) -> None:
    """A file holds a rule, a list of rules, or an object with a list."""
    path = tmp_path / "faults.json"
    rules = [{"kind": kind.value} for kind in Kind]
    for document in (rules, {"faults": rules}):
        path.write_text(json.dumps(document))
        assert [rule.kind for rule in read_rules(path)] == list(Kind)


def test_which_kinds_make_a_job_s_fate() -> None:
    """Kinds that concern a job strike the CreateTrainingJob that makes it, whatever operation they name."""
    for kind in Kind:
        assert FaultRule(kind, operation="ListTrainingJobs").matches("CreateTrainingJob", "j") == (
            kind in JOB_KINDS
        )


@settings(deadline=None)
@given(seed=st.integers(), chance=st.floats(0.05, 0.95), times=st.none() | st.integers(0, 20))
def test_draws_are_repeatable(seed: int, chance: float, times: int | None) -> None:
    """The same seed draws the same faults; ``times`` is a limit."""
    rule = FaultRule(Kind.THROTTLE, probability=chance, times=times)

    def draws() -> list[bool]:
        faults = Faults(seed)
        faults.add([rule])
        return [bool(faults.draw("Any").rules) for _ in range(50)]

    first = draws()
    assert first == draws()
    assert times is None or sum(first) <= times


def test_a_faulty_run_can_be_repeated() -> None:
    """Two emulators with one seed and one story have the same calls with the same outcomes."""

    def story() -> list[str]:
        with Emulator(Settings(seed=7), runner=ScriptedRunner(lambda _: MINUTE)) as emulator:
            emulator.inject(
                {"kind": "throttle", "probability": 0.3}, {"kind": "error_5xx", "probability": 0.2}
            )
            for i in range(40):
                send(emulator, "sagemaker", "CreateTrainingJob", training_job(f"j{i}"))
            return [call.outcome for call in emulator.calls()]

    first = story()
    assert first == story()
    assert set(first) == {"ok", "ThrottlingException", "InternalFailure"}
