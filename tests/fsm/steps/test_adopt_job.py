"""Whose a job of our name is, as its tags tell."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from watched_world import Watched

from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Unknown
from wpfsm.fsm.steps.adopt_job import digest_tag


@pytest.fixture
def world() -> Iterator[Watched]:
    """A loop that has run."""
    world = Watched()
    world.run()
    yield world
    world.close()


def test_a_job_of_ours_carries_the_digest_of_its_request(world: Watched) -> None:
    """The row and the service agree on what was sent."""
    with contextlib.closing(world.controller()) as owned:
        ctx = Context(owned.ports)
        for job in world.jobs():
            assert digest_tag(ctx, job.name, job.arn) == job.request_digest


def test_a_job_without_the_tag_is_given_time_and_then_nobodys(world: Watched) -> None:
    """A listing of tags may be late: only after the grace period is it an error, and never "not ours"."""
    world.stranger("theirs")
    arn = world.sagemaker.describe_training_job(TrainingJobName="theirs")["TrainingJobArn"]
    began = world.clock.now()
    with contextlib.closing(world.controller()) as owned:
        ctx = Context(owned.ports)
        with pytest.raises(Unknown, match="whose it is cannot be told"):
            digest_tag(ctx, "theirs", arn)
        assert world.clock.now() - began >= ctx.pace.grace
