"""One lane is a loop as it is without lanes: what the group costs in calls and commits, only a group pays."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from crash_checks import violations
from crash_stories import STORIES, SWEEP
from crash_world import Story, World

FAILPOINTS = 260
CALLS = {
    "CreateTrainingJob": 5,
    "DescribeLogStreams": 6,
    "DescribeTrainingJob": 22,
    "GetCallerIdentity": 2,
    "GetLogEvents": 16,
    "GetProducts": 1,
    "ListServiceQuotas": 2,
    "ListTags": 1,
    "ListTrainingJobs": 4,
    "SimulatePrincipalPolicy": 3,
    "UpdateTrainingJob": 1,
}
"""What the story of three trials, with a patched failure and a create whose answer was lost, came to before there
were lanes."""


def run(story: Story) -> tuple[list[str], Counter[str]]:
    """Every failpoint of a loop in order, and its calls by operation."""
    world, passed = World(story), list[str]()
    try:
        result = world.finish(passed.append)
        assert list(violations(world, result)) == []
        return passed, Counter(call.operation for call in world.emulator.calls())
    finally:
        world.close()


@pytest.mark.parametrize("name", ["sweep", "stop"])
def test_one_lane_passes_the_same_failpoints_and_makes_the_same_calls(name: str) -> None:
    """``lanes: 1`` and no ``lanes`` at all are one path, failpoint by failpoint and call by call."""
    story = STORIES[name]
    assert run(replace(story, loop_file={**story.loop_file, "lanes": 1})) == run(story)


def test_lanes_have_added_no_failpoint_and_no_call_to_a_loop_without_them() -> None:
    """The figures are recorded: who changes them has changed what every loop without lanes does, and says why here."""
    passed, calls = run(SWEEP)
    assert dict(calls) == CALLS
    assert len(passed) == FAILPOINTS
