"""Loops that mend themselves, driven in this process: their loop files, their scripts, their worlds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from crash_world import LOOP_ID, Story, World

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.records import Job

POOL = {"instance_type": "ml.g5.xlarge", "keep_alive": "10m"}
METRIC = {"name": "loss", "goal": "minimize", "regex": "loss=([0-9.]+)"}
ALLOWED = [{"when": "missing_module", "do": "pin_requirement", "allow": ["chartkit", "plotkit"]}]
OOM = ["torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"]


def members(launch: Launch, name: str) -> Mapping[str, str]:
    return cast("Mapping[str, str]", launch.request.get(name) or {})


def fits(at_most: int) -> Callable[[Launch], Script]:
    """A job whose memory takes a batch of that size."""

    def script(launch: Launch) -> Script:
        batch = int(members(launch, "HyperParameters")["batch_size"])
        return Script(seconds=20, lines=["loss=0.5"]) if batch <= at_most else Script(20, OOM, exit_code=1)

    return script


def failing(*lines: str) -> Callable[[Launch], Script]:
    return lambda _: Script(seconds=20, lines=list(lines), exit_code=1)


def story(script: Callable[[Launch], Script], **settings: Any) -> Story:
    job = {"source": "src/", "entry": "train.py", "requirements": "requirements.txt", "max_runtime": "30m"}
    return Story(
        loop_file={"pool": POOL, "metric": METRIC, **settings, "job": job | settings.get("job", {})},
        script=script,
        source={"train.py": "import torch\n", "requirements.txt": "torch\n"},
        edits=settings.pop("edits", ()),
    )


def jobs(world: World) -> list[Job]:
    with world.history() as history:
        return list(history.jobs(LOOP_ID))


def sweep(**parameters: list[float]) -> dict[str, object]:
    return {"type": "sweep", "method": "grid", "parameters": parameters}
