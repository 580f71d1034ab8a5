"""Laws that hold for every sequence of jobs, stops, updates, faults and time."""

from __future__ import annotations

import itertools
from typing import Any

from emulator_requests import admin, send, training_job
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wpfsm.adapters.emulator.engine.match_key import match_key
from wpfsm.adapters.emulator.engine.records import Job, Pool, PoolStatus
from wpfsm.adapters.emulator.engine.settings import Settings
from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script, ScriptedRunner

TRAINING_QUOTA, POOL_QUOTA = 5, 3
PLACE = ("123456789012", "us-east-1")
TYPE = "ml.m5.large"
SCRIPTS = [
    Script(seconds=30),
    Script(seconds=30, exit_code=1, failure="bad"),
    Script(seconds=10_000),
    Script(refused="ClientError: no such data"),
    Script(seconds=0),
]
FATES: list[dict[str, Any] | None] = [
    None,
    {"kind": "internal_error", "seconds": 5},
    {"kind": "capacity_error"},
    {"kind": "patch_update", "seconds": 20},
    {"kind": "stolen_pool", "seconds": 20},
    {"kind": "pool_failed"},
]


def does(launch: Launch) -> Script:
    environment = launch.request["Environment"]
    assert isinstance(environment, dict)
    return SCRIPTS[int(str(environment["SCRIPT"]))]


class Account(RuleBasedStateMachine):
    """An account in which anything is asked at any time."""

    def __init__(self) -> None:
        super().__init__()
        quotas = {(TYPE, "training"): TRAINING_QUOTA, (TYPE, "warm_pool"): POOL_QUOTA}
        self.emulator = Emulator(Settings(quotas=quotas), runner=ScriptedRunner(does))  # type: ignore[arg-type]
        self.names: list[str] = []
        self.numbers = itertools.count()
        self.ended: dict[str, Job] = {}

    def ask(self, operation: str, request: dict[str, Any]) -> int:
        status, answer = send(self.emulator, "sagemaker", operation, request)
        assert answer.get("__type") != "EmulatorFailure", answer
        return status

    @rule(
        script=st.integers(0, len(SCRIPTS) - 1),
        fate=st.sampled_from(FATES),
        volume=st.integers(10, 11),
        count=st.integers(1, 2),
        keep_alive=st.sampled_from([None, 0, 60, 600]),
        limit=st.sampled_from([20, 3600]),
        retries=st.booleans(),
    )
    def create(
        self,
        script: int,
        fate: dict[str, Any] | None,
        volume: int,
        count: int,
        keep_alive: int | None,
        limit: int,
        retries: bool,
    ) -> None:
        name = f"j{next(self.numbers)}"
        if fate is not None:
            self.emulator.inject({**fate, "job": name, "times": 1})
        more = {"RetryStrategy": {"MaximumRetryAttempts": 1}} if retries else {}
        request = training_job(
            name,
            keep_alive=keep_alive,
            resources={"VolumeSizeInGB": volume, "InstanceCount": count},
            stopping={"MaxRuntimeInSeconds": limit},
            Environment={"SCRIPT": str(script)},
            **more,
        )
        if self.ask("CreateTrainingJob", request) == 200:
            self.names.append(name)

    @rule(seconds=st.sampled_from([0.1, 1, 3, 25, 70, 700, 20_000]))
    def wait(self, seconds: float) -> None:
        self.emulator.advance(seconds)

    @precondition(lambda self: self.names)
    @rule(data=st.data(), seconds=st.sampled_from([0, 60, 3600]))
    def update(self, data: st.DataObject, seconds: int) -> None:
        name = data.draw(st.sampled_from(self.names))
        before = self.job(name)
        status = self.ask(
            "UpdateTrainingJob",
            {"TrainingJobName": name, "ResourceConfig": {"KeepAlivePeriodInSeconds": seconds}},
        )
        if before.pool_status is not PoolStatus.AVAILABLE:
            assert status == 400

    @precondition(lambda self: self.names)
    @rule(data=st.data(), operation=st.sampled_from(["StopTrainingJob", "DescribeTrainingJob"]))
    def touch(self, data: st.DataObject, operation: str) -> None:
        self.ask(operation, {"TrainingJobName": data.draw(st.sampled_from(self.names))})

    @precondition(lambda self: self.names)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.names))
        before = self.job(name)
        if self.ask("DeleteTrainingJob", {"TrainingJobName": name}) == 200:
            assert before.status.terminal
            assert before.pool_status is not PoolStatus.AVAILABLE
            self.names.remove(name)
            self.ended.pop(name, None)

    @precondition(lambda self: self.names)
    @rule(data=st.data(), event=st.sampled_from(["patch_update", "steal"]))
    def strike(self, data: st.DataObject, event: str) -> None:
        admin(self.emulator, "POST", f"pools/{data.draw(st.sampled_from(self.names))}", {"event": event})

    def job(self, name: str) -> Job:
        found = self.emulator.engine.store.job(PLACE, name)
        assert found is not None
        return found

    @invariant()
    def pools_and_owners_agree(self) -> None:
        """A pool is Available or InUse exactly when its owner shows it, and no job shows a pool it does not own."""
        jobs, pools = {j.name: j for j in self.emulator.jobs()}, self.emulator.pools()
        for pool in pools:
            if pool.status is not PoolStatus.TERMINATED:
                assert jobs[pool.owner].pool_status is pool.status
                assert jobs[pool.owner].pool == pool.number
        owners = {pool.owner for pool in pools if pool.status is not PoolStatus.TERMINATED}
        for job in jobs.values():
            if job.pool_status in {PoolStatus.AVAILABLE, PoolStatus.IN_USE}:
                assert job.name in owners
                assert (job.pool_status is PoolStatus.AVAILABLE) == job.status.terminal

    @invariant()
    def a_pool_has_one_story(self) -> None:
        """A pool is launched first, alternates between available and reused, ends once, in order of time."""
        for pool in self.emulator.pools():
            self.check_story(pool)

    @staticmethod
    def check_story(pool: Pool) -> None:
        times = [event.time for event in pool.history]
        assert times == sorted(times)
        steps = [e.event for e in pool.history if e.event in {"launched", "available", "reused"}]
        assert steps[0] == "launched"
        assert all(a != b for a, b in itertools.pairwise(steps))

    @invariant()
    def quotas_hold(self) -> None:
        """Never more instances than the training quota, never more kept than the warm pool quota."""
        engine = self.emulator.engine
        assert engine.jobs.instances_in_use(PLACE, TYPE) <= TRAINING_QUOTA
        assert engine.pools.idle_instances(PLACE, TYPE) <= POOL_QUOTA

    @invariant()
    def what_has_ended_stays(self) -> None:
        """A job that has ended never changes but for its pool."""
        for job in self.emulator.jobs():
            if job.status.terminal:
                known = self.ended.setdefault(job.name, job)
                assert (job.status, job.reason, job.ended) == (known.status, known.reason, known.ended)
                if known.pool_status is PoolStatus.REUSED:
                    assert (job.pool_status, job.retained_seconds) == (
                        known.pool_status,
                        known.retained_seconds,
                    )
                self.ended[job.name] = job

    @invariant()
    def reuse_needs_a_match(self) -> None:
        """A job that was reused has the match key of the job that took its pool."""
        jobs = {job.name: job for job in self.emulator.jobs()}
        switches = self.emulator.engine.settings.switches
        for job in jobs.values():
            if job.reused_by in jobs:
                keys = {match_key(j.request, (), switches) for j in (job, jobs[job.reused_by])}
                assert len(keys) == 1
                assert job.ended is not None
                assert jobs[job.reused_by].created >= job.ended

    def teardown(self) -> None:
        """In the end, after a month, nothing runs and nothing is billed."""
        self.emulator.advance(40 * 86400)
        assert self.emulator.engine.idle()
        for job in self.emulator.jobs():
            assert job.status.terminal
            assert job.pool_status not in {PoolStatus.AVAILABLE, PoolStatus.IN_USE}
        self.emulator.close()


TestAccount = Account.TestCase
TestAccount.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
