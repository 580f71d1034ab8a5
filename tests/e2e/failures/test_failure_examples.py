"""The examples about failures, run as their comments say."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from failing_loops import EXAMPLES, STUB_SDK, Project

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator


def example(name: str, folder: Path, emulator: SageMakerEmulator, *, sdk: bool = False) -> Project:
    """A copy of an example, to be run against the emulator of the tests."""
    shutil.copytree(EXAMPLES / name, folder / name)
    return Project(folder / name, emulator, {} if sdk else {"PYTHONPATH": str(STUB_SDK)})


@pytest.mark.sdk
@pytest.mark.skipif("not __import__('importlib.util').util.find_spec('sagemaker')", reason="needs the SDK")
def test_three_wrong_requirements_are_mended_one_by_one(
    tmp_path: Path, sagemaker_emulator: SageMakerEmulator
) -> None:
    """With the SDK's own drivers: a conflict, a missing module, a missing name; four jobs, one pool, no person."""
    project = example("fix", tmp_path, sagemaker_emulator, sdk=True)
    ran = project.start()
    assert ran.code == 0, ran.said
    assert ran.classes == ["resolver_conflict", "missing_module", "import_name", None]
    assert ran.starts == ["cold", "warm", "warm", "warm"]
    assert (project.source / "requirements.txt").read_text() == (
        EXAMPLES / "fix" / "src" / "requirements.txt"
    ).read_text()
    assert ran.said.count("the SageMaker SDK renders") == 1, "a patched source needs an upload, not the SDK"


def test_a_batch_that_does_not_fit_is_halved(tmp_path: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """The job runs out of a real limit; the effective batch stays, and the next trial begins with what fitted."""
    ran = example("oom", tmp_path, sagemaker_emulator).start()
    assert ran.code == 0, ran.said
    assert ran.classes == ["host_oom", None, None]
    assert [job["params"]["batch_size"] for job in ran.jobs] == [64, 32, 32]
    assert [job["params"]["gradient_accumulation_steps"] for job in ran.jobs] == [1, 2, 2]
    assert [trial["params"] for trial in ran.document["trials"]] == [{"lr": 0.001}, {"lr": 0.01}]


def test_a_hand_off_is_answered_by_an_edit(tmp_path: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """The program of the example mends the user's file from the packet that `start` printed."""
    project = example("handoff", tmp_path, sagemaker_emulator)
    handed = project.start()
    assert handed.code == 10, handed.said
    subprocess.run(
        [sys.executable, str(project.folder / "fix.py")], input=json.dumps(handed.document["handoff"]),
        text=True, cwd=project.source, check=True, capture_output=True,
    )  # fmt: skip
    ran = project.wpfsm(*handed.document["handoff"]["resume"][1:])
    assert ran.code == 0, ran.said
    assert ran.starts == ["cold", "warm"]
    assert ran.document["receipt"]["released"]


def test_the_wheels_of_the_example_are_what_their_builder_makes(tmp_path: Path) -> None:
    """Nobody edited a binary by hand."""
    built = runpy.run_path(str(EXAMPLES / "fix" / "build_wheels.py"))["build_all"](tmp_path)
    kept = {path.name: path.read_bytes() for path in (EXAMPLES / "fix" / "src" / "wheels").glob("*.whl")}
    assert kept == {path.name: path.read_bytes() for path in built}


def test_the_commented_row_of_the_hand_off_example_works(
    tmp_path: Path, sagemaker_emulator: SageMakerEmulator
) -> None:
    """Taking the row in, as the file suggests, needs no person."""
    project = example("handoff", tmp_path, sagemaker_emulator)
    loop_file = project.folder / "loop.yaml"
    text = loop_file.read_text()
    loop_file.write_text(re.sub(r"^  # (- \{when: script)", r"  \1", text, flags=re.MULTILINE))
    assert loop_file.read_text() != text
    assert os.access(project.folder / "fix.py", os.X_OK)
    ran = project.start()
    assert ran.code == 0, ran.said
    assert ran.jobs[0]["patch"]["kind"] == "command"
