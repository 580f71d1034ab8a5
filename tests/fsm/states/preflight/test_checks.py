"""Preflight: what is found before anything is created, all of it at once, each with its fix."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Sequence

import pytest
from crash_checks import violations
from watched_world import TYPE, Watched, loop_file

from wpfsm.adapters.emulator.api import service_quotas
from wpfsm.adapters.emulator.engine import quotas
from wpfsm.adapters.emulator.engine.settings import Settings, Switches
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.controller import Result
from wpfsm.fsm.ports import Denial, Request
from wpfsm.fsm.request.compose import LOOP_TAG

INCREASE = "aws service-quotas request-service-quota-increase --service-code sagemaker --region us-east-1"
WARM_POOL_CODE = "L-8E6F4665"


def refused(world: Watched, exit_code: int = 3) -> str:
    """The loop ends in Preflight with nothing created; returns what the user reads."""
    result = world.run()
    assert result.exit_code == exit_code
    assert [name for name in world.emulator.created() if name.startswith("story")] == []
    assert "RequestServiceQuotaIncrease" not in {call.operation for call in world.emulator.calls()}
    page = world.inspect()
    assert all(line in page for line in result.loop.why.splitlines())
    return result.loop.why


def admitted(world: Watched) -> Result:
    result = world.run()
    assert result.exit_code == 0
    assert list(violations(world, result)) == []
    return result


def quota(**values: int) -> Settings:
    return Settings(quotas={(TYPE, usage): value for usage, value in values.items()})  # type: ignore[misc]


def test_warm_pool_quota_of_zero_stops_the_loop() -> None:
    """Value 0: exit 3, that keep-alive would silently do nothing, and the command that asks for more."""
    why = refused(Watched(settings=quota(warm_pool=0)))
    assert f"'{TYPE} for training warm pool usage' is 0: 0 held, 0 free, 1 needed" in why
    assert "keep-alive would silently do nothing" in why
    assert f"{INCREASE} --quota-code {WARM_POOL_CODE} --desired-value 1" in why


def test_headroom_counts_what_others_hold() -> None:
    """A quota of 1 with one idle pool on it has no room: the holder is named, the command asks for 2."""
    world = Watched(settings=quota(warm_pool=1))
    world.stranger("theirs", wait=1000)
    why = refused(world)
    assert "is 1: 1 held, 0 free, 1 needed. Held by 1 x idle pool of theirs" in why
    assert f"--quota-code {WARM_POOL_CODE} --desired-value 2" in why


def test_idle_pools_and_running_jobs_fill_the_training_quota() -> None:
    """The quota of training jobs is filled by jobs and by idle pools alike; each holder is named."""
    world = Watched(settings=quota(training=2))
    world.stranger("idle", wait=1000)
    world.stranger("busy", resources={"VolumeSizeInGB": 78})
    why = refused(world)
    assert f"'{TYPE} for training job usage' is 2: 2 held, 0 free, 1 needed" in why
    assert "1 x running job busy" in why
    assert "1 x idle pool of idle" in why
    assert "the service would refuse the job (ResourceLimitExceeded)" in why


def test_old_jobs_are_not_read() -> None:
    """Jobs that are too old to hold anything end the listing: a long history costs no pages."""
    world = Watched()
    for number in range(3):
        world.stranger(f"old-{number}", resources={"KeepAlivePeriodInSeconds": 0}, wait=1000)
    world.clock.advance(61 * 86400)
    for number in range(3):
        world.stranger(f"new-{number}", resources={"KeepAlivePeriodInSeconds": 0}, wait=1000)
    asked: list[str] = []
    listed = world.sagemaker.list_training_jobs

    def counted(**arguments: object) -> object:
        answer = listed(**{**arguments, "MaxResults": 2})
        asked.append(str([row["TrainingJobName"] for row in answer["TrainingJobSummaries"]]))
        return answer

    world.sagemaker.list_training_jobs = counted
    try:
        admitted_beside_strangers = world.run()
    finally:
        del world.sagemaker.list_training_jobs
    assert admitted_beside_strangers.exit_code == 0
    # The second asks for running jobs only, and shows that this service filters after it has paged.
    assert asked == ["['new-2', 'new-1']", "[]", "['new-0']"]


def test_job_that_is_being_stopped_still_holds_its_instances() -> None:
    """Stopping is not stopped: its instances count until it has ended."""
    world = Watched(
        script=lambda launch: Script(seconds=10_000, ignores_term=True), settings=quota(training=1)
    )
    world.stranger("stopping", wait=200)
    world.sagemaker.stop_training_job(TrainingJobName="stopping")
    assert "Held by 1 x running job stopping" in refused(world)


def test_room_for_every_instance_is_needed() -> None:
    """Quotas count instances: two of them do not fit into a quota of one."""
    why = refused(Watched(loop_file(pool={"instance_count": 2}), settings=quota(warm_pool=1)))
    assert "is 1: 0 held, 1 free, 2 needed" in why


def test_quota_that_was_never_applied_is_the_services_default() -> None:
    """Where no value was applied the default stands, and the loop is admitted when that has room."""
    world = Watched(settings=Settings(switches=Switches(untouched_quotas="omitted")))
    admitted(world)
    asked = {call.operation for call in world.emulator.calls()}
    assert {"ListServiceQuotas", "ListAWSDefaultServiceQuotas"} <= asked


def test_pool_of_a_dead_loop_in_the_way_is_pointed_out() -> None:
    """An idle pool that wpfsm left elsewhere and that fills the quota comes with the command that collects it."""
    world = Watched(settings=quota(warm_pool=1))
    world.stranger("old-1a2b3c-004", wait=1000, Tags=[{"Key": LOOP_TAG, "Value": "old-1a2b3c"}])
    why = refused(world)
    assert "the idle pool of old-1a2b3c-004, which the loop old-1a2b3c of wpfsm left or still uses" in why
    assert "fix: wpfsm gc --apply" in why


def test_declined_pool_needs_no_warm_pool_quota() -> None:
    """A loop of one job keeps no pool, so a quota of 0 is none of its business."""
    world = Watched(loop_file(strategy={"type": "single"}), settings=quota(warm_pool=0))
    admitted(world)
    assert "KeepAlivePeriodInSeconds" not in str(world.jobs()[0].request)


@pytest.mark.parametrize("position", [0, 1500, 2999])
def test_three_thousand_quotas_take_no_more_calls_than_pages(
    monkeypatch: pytest.MonkeyPatch, position: int
) -> None:
    """The account's listing is read page by page, as far as needed, and no page twice."""
    ours = {each.code: each for each in quotas.catalogue().values() if each.instance_type == TYPE}
    others = [quotas.Quota(f"L-{n:08X}", f"ml.x{n} for training job usage", f"ml.x{n}", "training")
              for n in range(3000 - len(ours))]  # fmt: skip
    listed = [*others[:position], *ours.values(), *others[position:]]
    assert len(listed) == 3000
    monkeypatch.setattr(service_quotas, "catalogue", lambda: {each.code: each for each in listed})
    world = Watched()
    admitted(world)
    calls = Counter(call.operation for call in world.emulator.calls() if "Quota" in call.operation)
    assert calls == {"ListServiceQuotas": min(30, (position + len(ours) - 1) // 100 + 1)}


class Denied:
    """Implements :class:`wpfsm.fsm.ports.Permissions`: a policy that caps the keep-alive."""

    def __init__(self, *lacking: str) -> None:
        self.asked: list[Request] = []
        self.lacking = lacking

    def missing(self, request: Request) -> Sequence[Denial]:
        """See the port."""
        self.asked.append(request)
        return [Denial("sagemaker:CreateTrainingJob (with sagemaker:KeepAlivePeriod = 600)", self.lacking)]


def test_keep_alive_is_part_of_the_permissions() -> None:
    """The simulation is asked with the loop's own keep-alive and role; a denial is exit 4 with the policy."""
    denied = Denied()
    role = "arn:aws:iam::123456789012:role/Train"
    world = Watched(loop_file(pool={"role": role}), permissions=denied)
    why = refused(world, 4)
    (asked,) = denied.asked
    assert asked["RoleArn"] == role
    assert asked["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 600  # type: ignore[index,call-overload]
    assert str(asked["TrainingJobName"]).startswith("story-")
    assert "may not sagemaker:CreateTrainingJob (with sagemaker:KeepAlivePeriod = 600)" in why
    assert "fix: attach the policy in docs/aws.md" in why


def test_denial_that_hangs_on_an_unknown_condition_is_a_warning() -> None:
    """A policy about the source address cannot be judged by a simulation: said, and the loop goes on."""
    world = Watched(permissions=Denied("aws:SourceIp"))
    admitted(world)
    assert "depends on aws:SourceIp, which a simulation cannot know" in world.events("admitted")[0].why


def test_simulator_that_may_not_be_asked_is_a_warning() -> None:
    """Not being allowed to simulate says nothing of the actions: said, and the loop goes on."""
    fault = {"kind": "error", "operation": "SimulatePrincipalPolicy", "code": "AccessDenied", "status": 403}
    world = Watched(faults=(fault,))
    admitted(world)
    assert (
        "the permissions could not be tried: iam:SimulatePrincipalPolicy" in world.events("admitted")[0].why
    )


def test_expired_credentials_end_the_loop() -> None:
    """Credentials are tried first: exit 4, and nothing else is asked of the account."""
    fault = {"kind": "error", "operation": "GetCallerIdentity", "code": "ExpiredToken", "status": 403}
    world = Watched(faults=(fault,))
    why = refused(world, 4)
    assert "sts:GetCallerIdentity: ExpiredToken" in why
    assert "sign in with `aws sso login`" in why
    assert "policy" not in why
    assert {call.operation for call in world.emulator.calls()} == {"GetCallerIdentity"}


def test_missing_sdk_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing extra is found before anything is uploaded, with the command that installs it."""
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sagemaker" else real(name))
    why = refused(Watched())
    assert "fix: pip install 'wpfsm[sagemaker]'" in why


def test_everything_is_found_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One start shows all that is wrong: extra, request, permissions, quota and limit, each with its fix."""
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sagemaker" else real(name))
    world = Watched(
        loop_file(pool={"instance_count": 2, "vpc": {"security_groups": ["sg 1"], "subnets": ["subnet-1"]}},
                  limits={"max_cost": 1}),
        settings=quota(warm_pool=1, training=1),
        permissions=Denied(),
    )  # fmt: skip
    why = refused(world, 4)
    for part in (
        "optional dependency 'sagemaker'", "pool.vpc.security_groups: 'sg 1'", "KeepAlivePeriod = 600",
        "for training job usage' is 1", "for training warm pool usage' is 1", "limits.max_cost",
    ):  # fmt: skip
        assert part in why
    assert why.count("  fix: ") >= 5
