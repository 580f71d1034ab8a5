"""What the jobs of the next trial are given: the file, what patches made of it, and what the strategy chose."""

from __future__ import annotations

from collections.abc import Callable

from crash_world import LOOP_ID, Story, World
from patching_stories import OOM, fits, jobs, members, story, sweep

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script


def test_a_smaller_batch_is_kept_for_the_trials_that_follow(play: Callable[[Story], World]) -> None:
    """What did not fit once is not tried again, and the history says where the value comes from."""
    world = play(story(fits(16), strategy=sweep(lr=[1, 2]), job={"hyperparameters": {"batch_size": 64}}))
    assert world.drive().exit_code == 0
    assert [job.params["batch_size"] for job in jobs(world)] == [64, 32, 16, 16]
    with world.history() as history:
        intended = [event.why for event in history.events(LOOP_ID) if event.kind == "intended"]
        trials = history.trials(LOOP_ID)
    assert "batch_size 16 since" in intended[-1]
    assert [trial.params for trial in trials] == [{"lr": 1}, {"lr": 2}], "a trial stays what was asked for"


def test_a_value_that_the_user_changes_wins_over_a_patch(play: Callable[[Story], World]) -> None:
    """After a hand-off with an edited loop file the batch size is the file's, not the one patched before."""

    def script(launch: Launch) -> Script:
        batch = int(members(launch, "HyperParameters")["batch_size"])
        if batch == 64:
            return Script(20, OOM, exit_code=1)
        if batch == 32:
            return Script(20, ["ValueError: 32 is no good"], exit_code=1)
        return Script(seconds=20, lines=["loss=0.5"])

    settings = {"strategy": {"type": "fix"}, "job": {"hyperparameters": {"batch_size": 64}}}
    world = play(story(script, **settings))
    assert world.drive().exit_code == 10
    assert [job.params["batch_size"] for job in jobs(world)] == [64, 32]
    path = world.folder / "loop.yaml"
    path.write_text(path.read_text().replace('"batch_size": 64', '"batch_size": 48'))
    assert world.drive().exit_code == 0
    assert [job.params["batch_size"] for job in jobs(world)] == [64, 32, 48]
