"""A hand-off is closed by an edit, and by nothing less."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from watched_world import Watched, loop_file

from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.states.diagnosing.handoff import take_up


@pytest.fixture
def world() -> Iterator[Watched]:
    """A loop in a hand-off."""
    rules = [{"when": "any", "do": "handoff"}]
    broken = Script(seconds=50, lines=["ValueError: the shapes do not fit"], exit_code=1)
    world = Watched(loop_file(on_failure=rules), script=lambda _: broken)
    assert world.run().exit_code == 10
    yield world
    world.close()


def answered(world: Watched, **more: bool) -> None:
    """Take up the folder as it is now."""
    digest = world.sources().snapshot("src")
    with contextlib.closing(world.controller()) as owned:
        take_up(Context(owned.ports), digest, **more)


def test_the_history_says_what_waits_and_what_to_do(world: Watched) -> None:
    """The class, the line that matters, and until when the pool is held."""
    (event,) = world.events("handed_off")

    assert event.why.startswith("hand-off: script_error: ValueError: the shapes do not fit: ")
    assert event.data["hold_until"] == world.loop().hold_until


def test_an_unchanged_source_is_refused(world: Watched) -> None:
    """The same job would fail again; the hand-off stays open, and the fix names the ways out."""
    with pytest.raises(Refused, match="unchanged since story-001 failed") as refusal:
        answered(world)

    assert "--abandon" in refusal.value.fix
    assert world.loop().handoff is not None


def test_an_edit_closes_it_and_is_recorded_as_a_diff(world: Watched) -> None:
    """So that the next loop that meets the failure can make the same change."""
    (world.folder / "src" / "train.py").write_text("print('mended')\n")
    answered(world)

    patch = world.jobs()[0].patch
    assert patch is not None
    assert (patch.kind, patch.files) == ("edit", ("train.py",))
    assert "+print('mended')" in patch.diff
    assert patch.base != patch.result == patch.given == world.loop().source_digest
    assert (world.loop().handoff, world.loop().hold_until) == (None, None)


def test_changed_settings_close_it_too(world: Watched) -> None:
    """The source may stay as it is; then nothing of it is recorded as changed."""
    answered(world, settings_changed=True)

    patch = world.jobs()[0].patch
    assert patch is not None
    assert (patch.files, patch.diff) == ((), "")
    assert world.loop().handoff is None
