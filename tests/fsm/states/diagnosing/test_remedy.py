"""Loops that mend themselves, driven in this process: what is patched, what is left alone, what is remembered."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from itertools import pairwise

from crash_world import LOOP_ID, Story, World
from patching_stories import ALLOWED, failing, fits, jobs, members, story, sweep

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.records.handoff import FailureHandoff
from wpfsm.fsm.states.diagnosing.handoff_packet import MEMBERS
from wpfsm.fsm.states.diagnosing.remedy import MOST_TIMES


def test_what_the_strategy_varies_is_not_patched(play: Callable[[Story], World]) -> None:
    """A batch size that a sweep asks for and that does not fit is a failed trial, never another batch size."""
    world = play(story(fits(16), strategy=sweep(batch_size=[64, 32, 8])))
    assert world.drive().exit_code == 0
    assert [job.params["batch_size"] for job in jobs(world)] == [64, 32, 8]
    with world.history() as history:
        assert [trial.state for trial in history.trials(LOOP_ID)] == ["failed", "failed", "completed"]


def test_a_row_that_names_the_values_itself_may_change_what_is_varied(play: Callable[[Story], World]) -> None:
    """`set` is the user's own word."""
    rule = {"when": "oom", "do": "scale", "set": {"batch_size": "x0.5"}}
    world = play(story(fits(16), strategy=sweep(batch_size=[32]), on_failure=[rule]))
    assert world.drive().exit_code == 0
    assert [job.params["batch_size"] for job in jobs(world)] == [32, 16]


def test_a_row_without_a_bound_has_one(play: Callable[[Story], World]) -> None:
    """`retry` without `times` does not go on for ever: the next rule has its turn."""
    world = play(story(failing("ValueError: no"), strategy={"type": "fix"},
                       on_failure=[{"when": "any", "do": "retry"}]))  # fmt: skip
    assert world.drive().exit_code == 10
    assert len(jobs(world)) == MOST_TIMES + 1
    with world.history() as history:
        packet = history.find(LOOP_ID).handoff
    assert isinstance(packet, FailureHandoff)
    assert set(packet.to_json()) == set(MEMBERS), "what the documentation lists"
    tried = packet.tried
    assert tried[0].startswith("job 1: the same configuration again")
    assert tried[0].endswith("the same failure again")
    assert f"used up ({MOST_TIMES} times" in tried[-1]


def test_a_pin_that_did_not_help_is_not_tried_again(play: Callable[[Story], World]) -> None:
    """The same fingerprint after the same patch: the next candidate, and in the end a hand-off."""
    missing = "ModuleNotFoundError: No module named 'chartkit'"
    world = play(story(failing(missing), strategy={"type": "fix"}, on_failure=ALLOWED))
    assert world.drive().exit_code == 10
    patches = [job.patch.key for job in jobs(world) if job.patch]
    assert len(patches) == len(set(patches)) == 1
    assert remembered(world) == {"pin_requirement:chartkit": "failed"}


def remembered(world: World) -> dict[str, str]:
    """Patch key to outcome."""
    with contextlib.closing(world.connect()) as connection:
        return dict(connection.execute("select patch_key, outcome from remembered order by at").fetchall())


def needs(*modules: str) -> Callable[[Launch], Script]:
    """A job that imports modules one after the other."""

    def script(launch: Launch) -> Script:
        requirements = members(launch, "Environment").get("REQUIREMENTS", "")
        missing = next((module for module in modules if module not in requirements), None)
        if missing is None:
            return Script(seconds=20, lines=["loss=0.5"])
        return Script(20, [f"ModuleNotFoundError: No module named '{missing}'"], exit_code=1)

    return script


def test_every_step_of_a_cascade_is_remembered_as_what_it_was(play: Callable[[Story], World]) -> None:
    """The first pin did not fail because something else was missing too: both worked, once the job completes."""
    world = play(story(needs("chartkit", "plotkit"), strategy={"type": "fix"}, on_failure=ALLOWED))
    assert world.drive().exit_code == 0
    assert remembered(world) == {"pin_requirement:chartkit": "worked", "pin_requirement:plotkit": "worked"}
    patched = [job.patch for job in jobs(world) if job.patch]
    assert ["+chartkit" in patch.diff for patch in patched] == [True, False]
    assert [patch.files for patch in patched] == [("requirements.txt",)] * 2


def test_waiting_for_a_far_service_begins_with_half_a_minute(play: Callable[[Story], World]) -> None:
    """An infrastructure failure is retried after a pause, on the clock that the loop is given."""
    world = play(story(lambda _: Script(seconds=20, lines=["loss=0.5"]), strategy={"type": "fix"}))
    world.emulator.inject({"kind": "internal_error", "job": "*-001", "seconds": 5, "times": 1})
    assert world.drive().exit_code == 0
    first, second = jobs(world)
    assert first.ended_at is not None
    assert second.created_at is not None
    assert 30 <= second.created_at - first.ended_at <= 120
    assert second.start == "cold"


def test_a_class_is_retried_so_often_and_no_more(play: Callable[[Story], World]) -> None:
    """Three retries of lost hardware, each after a longer pause, then the loop gives up, released: exit 1."""
    world = play(story(lambda _: Script(seconds=20, lines=["loss=0.5"]), strategy={"type": "fix"}))
    world.emulator.inject({"kind": "internal_error", "seconds": 5})
    assert world.drive().exit_code == 1
    ended = jobs(world)
    assert len(ended) == 4
    pauses = [
        after.created_at - before.ended_at
        for before, after in pairwise(ended)
        if after.created_at is not None and before.ended_at is not None
    ]
    assert pauses == sorted(pauses)
    assert pauses[0] >= 30
    with world.history() as history:
        assert history.find(LOOP_ID).receipt is not None


def test_a_loss_that_diverges_is_handed_over_where_nothing_varies(play: Callable[[Story], World]) -> None:
    """Another trial of the same configuration would diverge too: somebody has to change it."""
    world = play(story(failing("RuntimeError: Loss is nan, stopping training"), strategy={"type": "fix"}))
    assert world.drive().exit_code == 10
    assert [job.diagnosis and job.diagnosis.class_ for job in jobs(world)] == ["nan_loss"]
