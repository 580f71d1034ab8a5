"""An edit of the user over the patches of the loop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import pytest
from crash_world import LOOP_ID, Story, World

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.records import Job

POOL = {"instance_type": "ml.g5.xlarge", "keep_alive": "10m"}

METRIC = {"name": "loss", "goal": "minimize", "regex": "loss=([0-9.]+)"}

ALLOWED = [{"when": "missing_module", "do": "pin_requirement", "allow": ["chartkit", "plotkit"]}]


def members(launch: Launch, name: str) -> Mapping[str, str]:
    return cast("Mapping[str, str]", launch.request.get(name) or {})


def story(script: Callable[[Launch], Script], **settings: Any) -> Story:
    job = {"source": "src/", "entry": "train.py", "requirements": "requirements.txt", "max_runtime": "30m"}
    return Story(
        loop_file={"pool": POOL, "metric": METRIC, **settings, "job": job | settings.get("job", {})},
        script=script,
        source={"train.py": "import torch\n", "requirements.txt": "torch\n"},
        edits=settings.pop("edits", ()),
    )


@pytest.fixture
def play() -> Iterator[Callable[[Story], World]]:
    """Make the world of a story; it is gone after the test."""
    with contextlib.ExitStack() as worlds:

        def begin(told: Story) -> World:
            world = World(told)
            worlds.callback(world.close)
            return world

        yield begin


def jobs(world: World) -> list[Job]:
    with world.history() as history:
        return list(history.jobs(LOOP_ID))


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
