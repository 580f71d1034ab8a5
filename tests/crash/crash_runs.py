"""Runs of a story: undisturbed, killed at chosen boundaries, and what differs between the two."""

from __future__ import annotations

import contextlib
import functools
import os
from collections import Counter
from collections.abc import Iterator

from crash_checks import Account, account_of, violations
from crash_stories import STORIES
from crash_world import Crash, World

from wpfsm.fsm.controller import Result

SOAK = os.environ.get("WPFSM_SOAK", "0") != "0"


@functools.cache
def undisturbed(story: str) -> tuple[tuple[str, ...], Account]:
    """Every boundary of a story in order, and what came of it."""
    names: list[str] = []
    with world_of(story) as world:
        result = world.finish(names.append)
        assert list(violations(world, result)) == []
        return tuple(names), account_of(world, result)


class Fuse:
    """Hears of every boundary and kills the controller at one of them.

    Args:
        at: Which one, counted from 0 over all processes of the loop.
    """

    def __init__(self, at: int) -> None:
        self._left = at

    def __call__(self, name: str) -> None:
        """Crash when it is time."""
        self._left -= 1
        if self._left == -1:
            raise Crash(name)


@contextlib.contextmanager
def world_of(story: str) -> Iterator[World]:
    """The world of a story, gone afterwards."""
    world = World(STORIES[story])
    try:
        yield world
    finally:
        world.close()


def killed(world: World, at: int) -> Result | None:
    """Drive a loop with a crash at one boundary; what came of it when it was over before that."""
    try:
        return world.finish(Fuse(at))
    except Crash:
        return None


def survive(world: World, *at: int) -> Result:
    """Drive a loop with a crash after so many boundaries, for each number, and resume each time."""
    for each in at:
        if result := killed(world, each):
            return result
    return world.finish()


def differences(world: World, result: Result, story: str) -> list[str]:
    """What is wrong, or otherwise than without crashes; empty when all is well."""
    wrong = list(violations(world, result))
    _, expected = undisturbed(story)
    account = account_of(world, result)
    return wrong if account == expected else [*wrong, f"{account}\nis not\n{expected}"]


def point(story: str, at: int) -> str:
    """A crash point as a person names it: the boundary, and which time it was passed."""
    names, _ = undisturbed(story)
    return f"{names[at]} #{Counter(names[: at + 1])[names[at]]}"
