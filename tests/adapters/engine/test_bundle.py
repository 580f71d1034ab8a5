"""The function's code as a zip: the same files are the same bytes."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

from wpfsm.adapters.engine.bundle import SDK, SDK_VERSION, requirements, zipped


def folder(place: Path, **files: str) -> Path:
    for name, content in files.items():
        file = place / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return place


def test_the_bytes_depend_on_the_files_alone(tmp_path: Path) -> None:
    """Another folder at another time has the same digest, so that nothing is deployed that did not change."""
    one = folder(tmp_path / "one", a="1", lib__b="2")
    other = folder(tmp_path / "other", lib__b="2", a="1")
    os.utime(other / "a", (0, 0))
    (other / "a").chmod(0o700)
    assert zipped(one) == zipped(other)
    (other / "a").write_text("3")
    assert zipped(one)[1] != zipped(other)[1]


def test_what_names_the_machine_that_built_it_is_left_out(tmp_path: Path) -> None:
    """Pip's records hold its target folder, and compiled files the path of their source."""
    made = folder(tmp_path, a="1", **{"x.dist-info__RECORD": "/tmp/1", "x.dist-info__METADATA": "m"})
    folder(made, **{"x.dist-info__direct_url.json": "{}"})
    (made / "__pycache__").mkdir()
    (made / "__pycache__" / "a.pyc").write_text("c")
    content, _ = zipped(made)
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == ["a", "x.dist-info/METADATA"]


def test_every_requirement_is_pinned() -> None:
    """What runs in the function is what was tested here."""
    assert f"{SDK}=={SDK_VERSION}" in requirements()
    assert all("==" in each for each in requirements())
