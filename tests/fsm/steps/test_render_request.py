"""The base request of a source: rendered once, and under a name of its own."""

from __future__ import annotations

import pytest
from crash_world import StubRenderer
from strategy_stories import STORIES, run

from wpfsm.fsm.ports import RenderSpec, Request


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
