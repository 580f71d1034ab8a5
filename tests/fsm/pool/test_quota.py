"""Quotas as headroom, and the command that asks for more."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wpfsm.fsm.pool.quota import (
    Holding,
    as_shell,
    headroom,
    increase_command,
    training_quota_name,
    warm_pool_quota_name,
)
from wpfsm.fsm.ports import QuotaReading

law = settings(deadline=None)
G5 = "ml.g5.xlarge"
TRAINING = QuotaReading("ml.g5.xlarge for training job usage", "L-B6D80D9C", 4.0, "applied")
WARM_POOL = QuotaReading("ml.g5.xlarge for training warm pool usage", "L-8E6F4665", 0.0, "default")


def test_names_are_exact() -> None:
    """The two quotas are found by these names and no others."""
    assert training_quota_name(G5) == TRAINING.name
    assert warm_pool_quota_name(G5) == WARM_POOL.name


def test_headroom_is_quota_minus_what_is_held() -> None:
    """Running jobs and idle pools of the type count; other types do not. The largest holder comes first."""
    holdings = [
        Holding("other", "ml.m5.xlarge", 9, "job", ours=False),
        Holding("trainer", G5, 1, "job", ours=False),
        Holding("idler", G5, 2, "pool", ours=False),
    ]

    room = headroom(TRAINING, holdings, 1, instance_type=G5)

    assert (room.held, room.free, room.verdict) == (3, 1.0, "ok")
    assert [holder.job_name for holder in room.holders] == ["idler", "trainer"]
    assert "is 4: 3 held, 1 free, 1 needed" in room.text
    assert "2 x idle pool of idler; 1 x running job trainer" in room.text


def test_too_little_room_is_short() -> None:
    """Fewer free instances than the next job needs: short, with the value that would be enough."""
    room = headroom(TRAINING, [Holding("a", G5, 3, "pool", ours=False)], 2, instance_type=G5)

    assert (room.free, room.verdict, room.enough) == (1.0, "short", 5)


def test_own_pool_is_in_nobodys_way() -> None:
    """The next job takes this loop's idle pool over, so it does not count against itself."""
    mine = [Holding("loop-001", G5, 4, "pool", ours=True)]

    assert headroom(TRAINING, mine, 4, instance_type=G5).verdict == "ok"
    assert (
        headroom(TRAINING, [Holding("x", G5, 4, "pool", ours=False)], 4, instance_type=G5).verdict == "short"
    )
    assert (
        headroom(TRAINING, [Holding("loop-001", G5, 4, "job", ours=True)], 4, instance_type=G5).verdict
        == "short"
    )


def test_zero_is_told_apart() -> None:
    """A warm pool quota of 0 is its own verdict, for with it a keep-alive silently does nothing."""
    room = headroom(WARM_POOL, [], 1, instance_type=G5, kinds=("pool",))

    assert (room.verdict, room.enough) == ("zero", 1)
    assert "(the service's default)" in room.text


def test_only_pools_count_against_the_warm_pool_quota() -> None:
    """Running jobs do not hold the quota of warm pools."""
    quota = QuotaReading(WARM_POOL.name, WARM_POOL.code, 2.0, "applied")
    holdings = [Holding("a", G5, 2, "job", ours=False), Holding("b", G5, 1, "pool", ours=False)]

    assert headroom(quota, holdings, 1, instance_type=G5, kinds=("pool",)).free == 1.0


def test_unknown_quota_is_unknown() -> None:
    """A quota that was not found is neither 0 nor enough."""
    room = headroom(None, [Holding("a", G5, 1, "job", ours=False)], 1, instance_type=G5)

    assert (room.free, room.verdict, room.held) == (None, "unknown", 1)
    assert "unknown" in room.text


def test_increase_command_is_ready_to_run() -> None:
    """The command names the service, the quota, the region and the value that is needed."""
    command = increase_command(WARM_POOL, "eu-west-1", 2)

    assert as_shell(command) == (
        "aws service-quotas request-service-quota-increase --service-code sagemaker --region eu-west-1 "
        "--quota-code L-8E6F4665 --desired-value 2"
    )


def test_without_a_code_the_command_finds_it() -> None:
    """A reading without a code cannot be raised by command: the command looks the code up."""
    command = increase_command(QuotaReading(WARM_POOL.name, None, 0.0, "default"), "eu-west-1", 2)

    assert command[:3] == ["aws", "service-quotas", "list-aws-default-service-quotas"]
    assert f"QuotaName=='{WARM_POOL.name}'" in as_shell(command).replace("'\"'\"'", "'")
    assert shlex.split(as_shell(command)) == command


def test_aws_command_line_understands_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The AWS command line accepts every option of the command (checked without sending anything)."""
    import awscli.clidriver

    command = [*increase_command(WARM_POOL, "eu-west-1", 2), "--generate-cli-skeleton", "output"]

    assert awscli.clidriver.create_clidriver().main(command[1:]) == 0
    assert "RequestedQuota" in capsys.readouterr().out


holdings_of = st.lists(
    st.builds(
        Holding,
        job_name=st.text("abc", min_size=1),
        instance_type=st.sampled_from([G5, "ml.m5.xlarge"]),
        instances=st.integers(1, 20),
        kind=st.sampled_from(["job", "pool"]),
        ours=st.booleans(),
    )
)


@law
@given(value=st.integers(0, 60), holdings=holdings_of, needed=st.integers(1, 20))
def test_enough_is_the_smallest_value_that_fits(value: int, holdings: list[Holding], needed: int) -> None:
    """Law: the next job fits exactly when the quota reaches the value that the command would ask for."""
    room = headroom(
        QuotaReading(TRAINING.name, None, float(value), "applied"), holdings, needed, instance_type=G5
    )

    if room.verdict == "zero":
        assert value == 0
    else:
        assert (room.verdict == "ok") == (value >= room.enough)
    assert room.held == sum(h.instances for h in holdings if h.instance_type == G5)
    assert room.free == value - room.held
