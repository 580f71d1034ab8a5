from __future__ import annotations

from pathlib import Path

import pytest
from launcher_containers import Container, make_image, make_wheel


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_image(tmp_path_factory.mktemp("image") / "python")


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    for version in ("1.0", "2.0"):
        make_wheel(folder, "spam", version)
        make_wheel(folder, "eggs", version, requires="spam")
    return folder


@pytest.fixture
def container(tmp_path: Path, image: Path, index: Path) -> Container:
    return Container(tmp_path, image, index)
