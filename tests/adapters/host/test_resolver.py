"""pip's resolver against an index of the test's own: what is known to be wrong, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from launcher_containers import make_wheel

from wpfsm.adapters.host.resolver import PipResolver
from wpfsm.fsm.ports import Resolution


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_wheel(tmp_path / "index", "spam", "1.0")
    make_wheel(tmp_path / "index", "spam", "2.0")
    make_wheel(tmp_path / "index", "eggs", "1.0", requires="spam<2")
    return tmp_path


def resolve(folder: Path, requirements: str, *, python: str = "3.10", seconds: float = 60) -> Resolution:
    (folder / "requirements.txt").write_text(requirements)
    resolver = PipResolver(
        {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder / "index"), "PATH": "/usr/bin:/bin"}
    )
    return resolver.resolve(str(folder), "requirements.txt", python, {}, seconds)


def test_all_that_would_be_installed_is_named(folder: Path) -> None:
    assert resolve(folder, "eggs\n") == Resolution(frozenset({"eggs", "spam"}))
    assert not list(folder.glob("**/spam.py"))


def test_a_conflict_is_told_with_its_causes(folder: Path) -> None:
    told = resolve(folder, "eggs==1.0\nspam==2.0\n")
    assert told.names is None
    assert "because these package versions have conflicting dependencies" in told.problem
    assert "eggs 1.0 depends on spam<2" in told.problem
    assert told.distribution == "spam"


def test_a_name_that_the_index_lacks(folder: Path) -> None:
    told = resolve(folder, "spam\nhamm==3\n")
    assert (told.problem, told.distribution) == ("this machine's package index has no hamm", "hamm")


def test_a_version_that_the_index_lacks_names_the_newest(folder: Path) -> None:
    told = resolve(folder, "spam==9.9\n")
    assert told.problem == "no release of spam==9.9 is for Python 3.10; the newest that is: 2.0"


@pytest.mark.parametrize(
    "requirements", ["-r nowhere.txt\n", "spam @ https://127.0.0.1:9/spam-1.0-py3-none-any.whl\n"]
)
def test_what_cannot_be_asked_is_not_known(folder: Path, requirements: str) -> None:
    assert resolve(folder, requirements) == Resolution(None)


@pytest.mark.network
def test_a_pin_without_a_wheel_for_the_images_python(tmp_path: Path) -> None:
    """Compiled code that would be built in the job is told; pure Python without a wheel is not."""
    (tmp_path / "requirements.txt").write_text("numpy==1.21.0\n")
    told = PipResolver().resolve(str(tmp_path), "requirements.txt", "3.11", {}, 60)
    assert told.problem.startswith("numpy==1.21.0 has no wheel for Python 3.11")
    (tmp_path / "requirements.txt").write_text("rouge-score==0.1.2\n")
    assert PipResolver().resolve(str(tmp_path), "requirements.txt", "3.11", {}, 60) == Resolution(None)
