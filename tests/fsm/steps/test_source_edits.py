"""An edit of the user over the patches of the loop."""

from __future__ import annotations

from collections.abc import Callable

from crash_world import Story, World
from patching_stories import ALLOWED, jobs, members, story

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script


def test_an_edit_over_a_patch_keeps_both(play: Callable[[Story], World]) -> None:
    """The user edits the script, the loop has patched the requirements: the next job has both."""

    def script(launch: Launch) -> Script:
        source = members(launch, "Environment")
        if "chartkit" not in source["REQUIREMENTS"]:
            return Script(20, ["ModuleNotFoundError: No module named 'chartkit'"], exit_code=1)
        if "mended" not in source["TRAIN"]:
            return Script(20, ["ValueError: a bug"], exit_code=1)
        return Script(seconds=20, lines=["loss=0.5"])

    world = play(story(script, strategy={"type": "fix"}, on_failure=ALLOWED))
    assert world.drive().exit_code == 10
    (world.folder / "src" / "train.py").write_text("import torch  # mended\n")
    assert world.drive().exit_code == 0
    assert "chartkit" not in (world.folder / "src" / "requirements.txt").read_text()
    assert [job.patch and job.patch.kind for job in jobs(world)] == ["pin_requirement", "edit", None]
