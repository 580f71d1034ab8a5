"""A create that lands late, and a name that somebody else has: never two jobs for one attempt, never a stranger's."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import pytest
from crash_checks import at_the_service, violations
from crash_stories import patient
from crash_world import World, wire

from wpfsm.adapters.aws.service import SageMakerTraining
from wpfsm.fsm import controller
from wpfsm.fsm.errors import Rejected, Unknown
from wpfsm.fsm.ports import Identity, JobReading, Request
from wpfsm.fsm.records import Outcome, State
from wpfsm.fsm.request.compose import DIGEST_TAG


class LateService(SageMakerTraining):
    """The first create times out and is carried out some time later; the next ones are refused for the quota.

    Args:
        world: Whose clock decides.
        lag: Seconds until the job appears.
    """

    def __init__(self, world: World, lag: float) -> None:
        super().__init__(wire().clients)
        self._world = world
        self._lag = lag
        self._pending: tuple[float, Request] | None = None
        self.landed = False

    def create(self, request: Request) -> str:
        """See the class."""
        if self._pending is None:
            self._pending = (self._world.clock.now() + self._lag, request)
            raise Unknown("ReadTimeoutError", "no answer", operation="CreateTrainingJob")
        if not self.landed:
            raise Rejected("ResourceLimitExceeded", "no room", operation="CreateTrainingJob")
        return super().create(request)

    def describe(self, name: str) -> JobReading | None:
        """Whoever looks late enough sees it."""
        if self._pending and not self.landed and self._world.clock.now() >= self._pending[0]:
            self.landed = True
            super().create(self._pending[1])
        return super().describe(name)


@pytest.mark.parametrize("lag", [1, 15, 29])
def test_a_refusal_does_not_outrule_the_send_before_it(lag: float) -> None:
    """The second try is refused, the first one lands within the quiet time: it is adopted, and nothing is sent again."""
    world = World(patient())
    with contextlib.closing(world.controller()) as owned:
        late = LateService(world, lag)
        result = controller.drive(dataclasses.replace(owned.ports, service=late))
    assert late.landed
    assert list(violations(world, result)) == []
    assert result.loop.outcome is Outcome.COMPLETED
    assert world.emulator.created() == ["story-001", "story-002"]
    world.close()


@pytest.mark.parametrize("lag", [1, 15, 29])
def test_an_abort_waits_for_a_create_that_may_still_land(lag: float) -> None:
    """Ctrl-C while the outcome of a create is unknown: the job that lands within the quiet time is stopped."""
    world = World(patient())
    with contextlib.closing(world.controller()) as owned:
        late = LateService(world, lag)

        def interrupt(name: str) -> None:
            if name == "after call service.create":
                world.asked.reason = "interrupted"

        owned.ports.failpoints._hook = interrupt
        result = controller.drive(dataclasses.replace(owned.ports, service=late))
    assert late.landed
    assert list(violations(world, result)) == []
    assert result.exit_code == 130
    world.close()


def test_a_lost_create_that_was_seen_once_stays_owed() -> None:
    """Found while releasing, and then not found for longer than the quiet time: it is waited for, not written off."""
    world = World(patient())
    world.emulator.inject({"kind": "timeout_after_write", "operation": "CreateTrainingJob", "times": 1})

    with pytest.raises(KeyboardInterrupt):
        world.drive(_die_after_the_first_send)
    world.asked.reason = "interrupted"
    world.emulator.advance(12)  # it has its instances, so it leaves a pool when it is stopped

    def hook(name: str) -> None:
        if name == "after call service.stop":
            world.emulator.inject(
                {"kind": "error", "operation": "DescribeTrainingJob", "code": "ValidationException",
                 "message": "Requested resource not found.", "times": 8}
            )  # fmt: skip

    result = world.drive(hook)
    assert list(violations(world, result)) == []
    assert result.exit_code == 130
    world.close()


@pytest.mark.parametrize(("tags", "code", "words"), [
    ([{"Key": DIGEST_TAG, "Value": "another"}], 1, "is not ours"),
    ([{"Key": "team", "Value": "vision"}], 30, "whose it is cannot be told"),
])  # fmt: skip
def test_a_name_that_somebody_else_has(tags: list[dict[str, str]], code: int, words: str) -> None:
    """A stranger's job of our name is neither adopted nor stopped; one without a tag is not called a stranger's."""
    world = World(patient())
    wire().emulator = world.emulator
    sagemaker: Any = wire().clients.sagemaker
    sagemaker.create_training_job(
        TrainingJobName="story-001", RoleArn="arn:aws:iam::123456789012:role/Theirs",
        AlgorithmSpecification={"TrainingImage": "theirs", "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://theirs/out"}, StoppingCondition={"MaxRuntimeInSeconds": 86400},
        ResourceConfig={"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30,
                        "KeepAlivePeriodInSeconds": 3600},
        HyperParameters={"lr": "1"}, Environment={"REQUIREMENTS": "numpy"}, Tags=tags,
    )  # fmt: skip
    result = world.drive()
    assert result.exit_code == code
    assert words in f"{result.loop.why} {result.error}"
    theirs = world.emulator.jobs()[0]
    assert theirs.outcome is None or theirs.outcome.status == "Completed"
    assert world.emulator.created() == ["story-001"]
    assert not [
        call for call in world.emulator.calls() if call.operation in ("StopTrainingJob", "UpdateTrainingJob")
    ]
    world.close()


class Elsewhere(SageMakerTraining):
    """Credentials of another account, which knows none of our jobs."""

    def identity(self) -> Identity:
        """Another account."""
        return Identity("999999999999", "arn:aws:iam::999999999999:user/x")

    def describe(self, name: str) -> JobReading | None:
        """It never had the job."""
        return None


@pytest.mark.parametrize("leaving", [False, True])
def test_another_accounts_ignorance_proves_nothing(leaving: bool) -> None:
    """A resume with credentials of another account is refused, and a release with them is not confirmed."""
    world = World(patient())
    world.emulator.inject({"kind": "timeout_after_write", "operation": "CreateTrainingJob"})
    with (
        contextlib.suppress(KeyboardInterrupt),
        contextlib.closing(world.controller(_die_after_the_first_send)) as one,
    ):
        controller.drive(one.ports)
    world.heal()
    with contextlib.closing(world.controller()) as two:
        ports = dataclasses.replace(two.ports, service=Elsewhere(wire().clients))
        if leaving:
            controller.abandon(ports, Outcome.ABANDONED, "abandoned")
            result = controller.drive(ports)
            assert (result.exit_code, result.loop.state) == (30, State.RELEASING)
            assert "999999999999" in str(result.error)
        else:
            with pytest.raises(Exception, match="999999999999") as refusal:
                controller.drive(ports)
            assert getattr(refusal.value, "exit_code", None) == 4
    assert list(violations(world, world.finish())) == []
    assert list(at_the_service(world)) == []
    world.close()


def _die_after_the_first_send(name: str) -> None:
    if name == "after call service.create":
        raise KeyboardInterrupt
