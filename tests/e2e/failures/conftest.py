"""Fixtures of the failure tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from failing_loops import STUB_SDK, Project

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator


@pytest.fixture
def project(tmp_path: Path, sagemaker_emulator: SageMakerEmulator) -> Project:
    """A project of the test's own, rendered without the SDK."""
    return Project(tmp_path, sagemaker_emulator, {"PYTHONPATH": str(STUB_SDK)})


assert str(STUB_SDK) not in sys.path, "the stand-in is for the program's processes, not for the tests'"
