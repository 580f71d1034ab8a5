"""The base request of a source: rendered once, and under a name of its own."""

from __future__ import annotations

import contextlib

import pytest
from crash_stories import JOB, METRIC, POOL, learns
from crash_world import Story, StubRenderer, World
from strategy_stories import STORIES, run

from wpfsm.fsm import controller
from wpfsm.fsm.ports import RenderSpec, Request
from wpfsm.fsm.records import State


def test_two_scripts_of_one_source_are_uploaded_under_two_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the SDK uploads for an entry is never overwritten by what it uploads for another one."""
    names: dict[str, tuple[str, str]] = {}
    render = StubRenderer.render

    def recorded(self: StubRenderer, spec: RenderSpec) -> Request:
        assert names.setdefault(spec.name, (spec.source_path, spec.entry)) == (spec.source_path, spec.entry)
        return render(self, spec)

    monkeypatch.setattr(StubRenderer, "render", recorded)
    run(STORIES["recipes"])
    assert [entry for _, entry in names.values()] == ["train.py", "full.py", "train.py"]


class Uploads(StubRenderer):
    """A renderer where there is no SDK."""

    def render(self, spec: RenderSpec) -> Request:
        """Only like what was rendered before."""
        assert spec.like is not None, f"{spec.entry} with requirements {spec.requirements!r} needs the SDK"
        return super().render(spec)


MORE = {"type": "recipes", "recipes": [{"name": "one"}, {"name": "two", "entry": "other.py"}]}


def test_what_later_trials_may_need_is_rendered_in_preflight() -> None:
    """Another entry, and the first requirement that a patch adds: behind Preflight a source is only uploaded."""
    job = {**JOB, "hyperparameters": {"lr": 3}}
    del job["requirements"]
    script = "import numpy\n"
    story = Story(
        loop_file={"pool": POOL, "job": job, "metric": METRIC, "strategy": MORE},
        script=learns,
        source={"train.py": script, "other.py": script},
    )
    with contextlib.closing(World(story)) as world, contextlib.closing(world.controller()) as owned:
        owned.ports.renders_ahead = True
        controller.turn(owned.ports, until=(State.SUBMITTING,))
        owned.ports.renderer = Uploads()
        result = controller.drive(owned.ports)
        jobs = owned.ports.store.jobs()
    assert result.loop.outcome == "completed", result.loop.why
    assert [job.status for job in jobs] == ["Failed", "Completed", "Completed"]
