"""An image that cannot be pulled, corrected in the loop file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from failing_loops import STUB_SDK, TRAINS, Project, assert_released

from wpfsm.adapters.emulator.launch import ensure, stop
from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator

BROKEN = "registry/train:broken"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project on an emulator in which one image is an empty directory."""
    state, image = tmp_path / "emulator", tmp_path / "no-python"
    image.mkdir()
    options = ["--cold-start", "0.1", "--image", f"{BROKEN}={image}"]
    emulator = SageMakerEmulator(ensure(state, options=options).url, "210987654322")
    yield Project(tmp_path, emulator, {"PYTHONPATH": str(STUB_SDK)})
    stop(state)


def test_another_image_is_taken_up_with_the_loop_file(project: Project) -> None:
    """Without --accept-changes the changed file is refused (3); with it the hand-off goes on and ends green."""
    path = project.write(
        {"train.py": TRAINS}, job={"image": BROKEN}, on_failure=[{"when": "image", "do": "handoff"}]
    )
    handed = project.start()
    assert handed.code == 10, handed.said
    assert handed.classes == ["image"]
    path.write_text(path.read_text().replace(BROKEN, "registry/train:good"))
    refused = project.wpfsm("resume", handed.loop)
    assert refused.code == 3, refused.said
    assert "job.image" in refused.document["error"]["message"]
    ran = project.wpfsm("resume", handed.loop, "--accept-changes")
    assert ran.code == 0, ran.said
    assert_released(project, ran)


def test_a_changed_locked_field_is_refused(project: Project) -> None:
    """The pool would not match: no option takes it, and the hand-off stays open."""
    path = project.write({"train.py": "raise ValueError\n"})
    handed = project.start()
    assert handed.code == 10, handed.said
    path.write_text(path.read_text().replace("ml.g5.xlarge", "ml.g5.2xlarge"))
    (project.source / "train.py").write_text(TRAINS)
    refused = project.wpfsm("resume", handed.loop, "--accept-changes")
    assert refused.code == 3, refused.said
    assert "locked" in refused.document["error"]["message"]
    assert project.pool_status(handed.jobs[-1]["name"]) == "Available"
