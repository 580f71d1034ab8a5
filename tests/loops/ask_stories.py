"""Open loops: whoever looks at the last result proposes the next trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from crash_checks import violations
from crash_stories import JOB, METRIC, POOL
from crash_world import LOOP_ID, Story, World
from strategy_stories import Outcome

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.records import Proposal


def proposal(
    source: str = "", base: str = "", *, again: bool = False, note: str = "", **params: Any
) -> Proposal:
    """A trial as ``wpfsm next`` proposes it; the source is the text of its script."""
    return Proposal(LOOP_ID, 0, 0, "trial", params, source, base, note, again)


DONE = Proposal(LOOP_ID, 0, 0, "done")


def learns(launch: Launch) -> Script:
    """Best with a rate of 0.1; a script that says `broken` fails, one that says `cosine` learns more."""
    members = cast("Mapping[str, Mapping[str, str]]", launch.request)
    source = members["Environment"]["TRAIN"]
    if "broken" in source:
        lines = [
            "Traceback (most recent call last):",
            '  File "train.py", line 1, in <module>',
            "KeyError: 'label'",
        ]
        return Script(seconds=10, lines=lines, exit_code=1)
    loss = abs(float(members["HyperParameters"]["lr"]) - 0.1) + (0.1 if "cosine" in source else 0.2)
    return Script(seconds=20, lines=[f"loss={loss:.3f}"])


def ask(*proposals: Proposal, **sections: Any) -> Story:
    """An open loop that starts with a rate of 0.5."""
    loop_file: dict[str, Any] = {
        "pool": POOL, "job": {**JOB, "hyperparameters": {"lr": 0.5}}, "metric": METRIC, "strategy": {"type": "ask"},
        **sections,
    }  # fmt: skip
    return Story(loop_file=loop_file, script=learns, source={"train.py": "train()\n"}, proposals=proposals)


@contextmanager
def world_of(story: Story) -> Iterator[World]:
    """The world of a story, gone afterwards."""
    world = World(story)
    try:
        yield world
    finally:
        world.close()


def run(*proposals: Proposal, **sections: Any) -> Outcome:
    """Every proposal in turn, and then done."""
    with world_of(ask(*proposals, DONE, **sections)) as world:
        result = world.finish(resumes=3 * len(proposals) + 5)
        assert list(violations(world, result)) == []
        return Outcome(world, result)
