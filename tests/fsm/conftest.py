"""A place to play stories of loops in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest
from crash_world import Story, World


@pytest.fixture
def play() -> Iterator[Callable[[Story], World]]:
    """Make the world of a story; it is gone after the test."""
    with contextlib.ExitStack() as worlds:

        def begin(told: Story) -> World:
            world = World(told)
            worlds.callback(world.close)
            return world

        yield begin
