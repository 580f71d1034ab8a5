"""Chaos is the same for the same seed, holds every kind of fault, and lets a patient tool through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator_requests import send, training_job

from wpfsm.adapters.emulator.engine.chaos import chaos
from wpfsm.adapters.emulator.engine.errors import ConnectionCut
from wpfsm.adapters.emulator.engine.faults import Faults, Kind
from wpfsm.adapters.emulator.engine.settings import Settings
from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.scripted import Script, ScriptedRunner

TRIES = 60


def struck(faults: Faults, calls: list[tuple[str, str]]) -> dict[tuple[str, str, int], list[Kind]]:
    """Return which faults strike each call, by operation, job and how many such calls came before."""
    found: dict[tuple[str, str, int], list[Kind]] = {}
    for operation, job in calls:
        number = sum(1 for key in found if key[:2] == (operation, job))
        found[operation, job, number] = [rule.kind for rule in faults.draw(operation, job).rules]
    return found


def test_another_order_of_calls_meets_the_same_faults() -> None:
    """Two runs of a tool poll at other moments: what befalls one job does not depend on the others."""
    calls = [
        (operation, f"job-{number % 5}")
        for number in range(200)
        for operation in ("DescribeTrainingJob", "CreateTrainingJob")
    ]
    outcomes = []
    for order in (calls, sorted(calls), calls[::-1]):
        faults = Faults(7)
        faults.add(chaos(7))
        outcomes.append(struck(faults, order))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert any(outcomes[0].values())
    assert chaos(7) != chaos(8)


def test_every_kind_of_fault_is_among_them() -> None:
    """Only the general ``error`` is left out, which has no code of its own."""
    assert {rule.kind for rule in chaos(1)} == set(Kind) - {Kind.ERROR}


def patiently(call: Callable[[], tuple[int, Any]], enough: Callable[[Any], bool]) -> Any:
    """Call until the answer is enough, as a patient client does."""
    for _ in range(TRIES):
        try:
            _, answer = call()
        except ConnectionCut:
            continue
        if enough(answer):
            return answer
    raise AssertionError("the chaos does not let a patient client through")


def test_a_patient_tool_gets_through() -> None:
    """Ten jobs under chaos: each is created once and reaches an end; the same seed brings the same ends."""

    def ends() -> list[tuple[str, str]]:
        runner = ScriptedRunner(lambda _: Script(seconds=60))
        found = []
        with Emulator(Settings(seed=3), runner=runner) as emulator:
            emulator.app.faults.add(chaos(3))
            for number in range(10):
                name = f"job-{number}"
                patiently(
                    lambda n=name: send(emulator, "sagemaker", "CreateTrainingJob", training_job(n)),  # type: ignore[misc]
                    lambda answer: "TrainingJobArn" in answer or answer.get("__type") == "ResourceInUse",
                )
                emulator.advance(1000)
                job = patiently(
                    lambda n=name: send(emulator, "sagemaker", "DescribeTrainingJob", {"TrainingJobName": n}),  # type: ignore[misc]
                    lambda answer: "TrainingJobStatus" in answer,
                )
                found.append((job["TrainingJobStatus"], job.get("FailureReason", "")))
            assert len(emulator.created()) == len(set(emulator.created())) == 10
        return found

    first = ends()
    assert {status for status, _ in first} <= {"Completed", "Failed"}
    assert "Completed" in {status for status, _ in first}
    assert first == ends()
