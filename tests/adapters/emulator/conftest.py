"""An emulator in this process, with clients that are made once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from emulator_stage import Stage


@pytest.fixture(scope="session")
def theatre() -> Stage:
    return Stage()


@pytest.fixture
def stage(theatre: Stage) -> Iterator[Stage]:
    """The stage with a default emulator."""
    theatre.show()
    yield theatre
    assert theatre.emulator is not None
    theatre.emulator.close()
    theatre.emulator = None


@pytest.fixture
def sagemaker(stage: Stage) -> Any:
    """A SageMaker client of the stage."""
    return stage.client("sagemaker")
