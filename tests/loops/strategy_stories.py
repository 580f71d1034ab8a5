"""The loops of the examples as stories: the loop file is the example's, and its jobs really train.

A scripted job of the emulator runs the example's script in a process of its own, and prints what it printed.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from crash_world import LOOP_ID, Story, World
from ruamel.yaml import YAML

from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.controller import Result
from wpfsm.fsm.records import Job, Trial

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SECONDS = 60.0
"""How long a job takes on the emulator's clock."""


def trains(launch: Launch) -> Script:
    """A job that runs the script that its source names, with its hyperparameters."""
    members = _members(launch, "Environment")
    script = f"{members['TRAIN'].strip()}/{members['ENTRY']}"
    return Script(seconds=SECONDS, lines=printed(script, *_words(launch)))


def continues(launch: Launch) -> Script:
    """A job that goes on where the jobs before it stopped: the n-th one has the n-th share of the epochs."""
    given = dict(_members(launch, "HyperParameters"))
    share, number = int(given["epochs"]), int(launch.name.rpartition("-")[2])
    if "WPFSM_CARRY_CHECKPOINT" not in _members(launch, "Environment"):
        number = 1
    words = _arguments({**given, "epochs": str(share * number)})
    return Script(seconds=SECONDS, lines=printed("until/src/train.py", *words)[-share:])


def breaks_then_trains(launch: Launch) -> Script:
    """A job that misses a module until somebody requires it."""
    if "numpy" in _members(launch, "Environment").get("REQUIREMENTS", ""):
        return Script(seconds=SECONDS, lines=printed("single/src/train.py", *_words(launch)))
    lines = ["Traceback (most recent call last):", '  File "train.py", line 1, in <module>',
             "ModuleNotFoundError: No module named 'numpy'"]  # fmt: skip
    return Script(seconds=5, lines=lines, exit_code=1)


@functools.cache
def printed(script: str, *words: str) -> tuple[str, ...]:
    """What a script of the examples prints."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / script, *words], capture_output=True, text=True, check=True
    )
    return tuple(done.stdout.splitlines())


def example(name: str, script: Callable[[Launch], Script] = trains, **sections: Any) -> Story:
    """The loop of an example; ``sections`` are put into the sections of its loop file."""
    loop_file = dict(YAML(typ="safe").load((EXAMPLES / name / "loop.yaml").read_text()))
    del loop_file["version"], loop_file["name"]
    for section, changes in sections.items():
        given = loop_file.get(section)
        both = isinstance(given, Mapping) and isinstance(changes, Mapping)
        loop_file[section] = {**cast("Mapping[str, Any]", given), **changes} if both else changes
    source = {
        f"../{file.relative_to(EXAMPLES / name)}": f"{file.parent.relative_to(EXAMPLES)}\n"
        for file in sorted((EXAMPLES / name).rglob("*.py"))
    }
    return Story(loop_file=loop_file, script=script, source=source)


_LIST = {
    "type": "sweep",
    "method": "list",
    "trials": [{"context": 1}, {"context": 2, "lr": 0.3}],
    "smoke": False,
}
_PROPOSED = {
    "type": "until", "target": "eval_loss < 0.25", "patience": None, "max_trials": None,
    "propose": [{"lr": 0.001}, {"lr": 0.05}, {"lr": 0.1}],
}  # fmt: skip
_FIX = {"type": "fix", "attempts": 4, "smoke": {"epochs": 20}}

STORIES: Mapping[str, Story] = {
    "grid": example("grid"),
    "list": example("grid", strategy=_LIST | {"parameters": None}),
    "random": example("random-search", early_stop=None),
    "bayes": example("bayes"),
    "until": example("until", continues),
    "until-propose": example("until", strategy=_PROPOSED),
    "fix": example(
        "single", breaks_then_trains, strategy=_FIX, pool={"keep_alive": "10m"}, limits={"max_jobs": 9}
    ),
    "recipes": example("recipes"),
    "ablate": example("ablate"),
    "single": example("single"),
    "phases": example("phases"),
}
"""Every strategy, and the ways that a sweep and `until` have."""


def with_strategy(story: Story, **changes: Any) -> Story:
    """The story with another `strategy` section."""
    loop_file = dict(story.loop_file)
    strategy = {
        key: value for key, value in {**loop_file["strategy"], **changes}.items() if value is not None
    }
    return Story({**loop_file, "strategy": strategy}, story.script, story.source, story.edits, story.faults)


@contextmanager
def world_of(story: Story) -> Iterator[World]:
    """The world of a story, gone afterwards."""
    world = World(story)
    try:
        yield world
    finally:
        world.close()


class Outcome:
    """What became of a loop: its end, and its rows."""

    def __init__(self, world: World, result: Result) -> None:
        with world.history() as history:
            self.loop = history.find(LOOP_ID)
            self.jobs: list[Job] = list(history.jobs(LOOP_ID))
            self.trials: list[Trial] = list(history.trials(LOOP_ID))
            self.events = list(history.events(LOOP_ID))
        self.exit_code = result.exit_code

    @property
    def labels(self) -> list[str]:
        """The trials by name, in order."""
        return [trial.label for trial in self.trials]

    @property
    def metrics(self) -> list[float | None]:
        """Each trial's metric."""
        return [trial.metric for trial in self.trials]

    @property
    def states(self) -> list[str]:
        """Where each trial ended."""
        return [trial.state for trial in self.trials]

    @property
    def starts(self) -> list[str | None]:
        """How each job started."""
        return [job.start for job in self.jobs]


def run(story: Story) -> Outcome:
    """A story from its beginning to its end, undisturbed."""
    with world_of(story) as world:
        return Outcome(world, world.finish())


def _members(launch: Launch, name: str) -> Mapping[str, str]:
    return cast("Mapping[str, str]", launch.request.get(name) or {})


def _words(launch: Launch) -> tuple[str, ...]:
    return _arguments(_members(launch, "HyperParameters"))


def _arguments(given: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(word for name in sorted(given) for word in (f"--{name}", given[name]))
