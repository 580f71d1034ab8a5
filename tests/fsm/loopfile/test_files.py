"""The files that a loop file names, looked for before anything is asked or written."""

from __future__ import annotations

from pathlib import Path

import pytest
from loop_files import GOOD

from wpfsm.fsm.errors import UsageError
from wpfsm.fsm.loopfile.files import local_inputs, missing_files
from wpfsm.fsm.loopfile.load import parse


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with what the good loop file names."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("")
    return tmp_path


def said(text: str, base: Path) -> list[str]:
    """What is missing of a loop file's files."""
    return [str(problem) for problem in missing_files(parse(text), base)]


def test_what_is_there_is_no_problem(project: Path) -> None:
    """The good file, in its project."""
    assert said(GOOD, project) == []


def test_of_a_folder_that_is_not_there_only_that_is_said(project: Path) -> None:
    """The entry in it cannot be there either."""
    (problem,) = said(GOOD.replace("src/", "code/"), project)

    assert "there is no folder" in problem
    assert "code" in problem


def test_an_entry_that_is_not_there_is_named_beside_what_is(project: Path) -> None:
    """A slip of the pen is seen at once."""
    (problem,) = said(GOOD.replace("entry: train.py", "entry: tarin.py"), project)

    assert problem.startswith("job.entry: tarin.py is not in")
    assert problem.endswith("it has train.py")


def test_a_folder_is_no_entry(project: Path) -> None:
    """A script is a file."""
    (project / "src" / "lib.py").mkdir()

    assert len(said(GOOD.replace("entry: train.py", "entry: lib.py"), project)) == 1


def test_only_the_local_backend_takes_data_from_here() -> None:
    """A channel with an address is left to the service."""
    inputs = "entry: train.py\n  inputs: {train: data/, valid: 's3://bucket/valid'}"

    assert local_inputs(parse(GOOD.replace("entry: train.py", inputs))) == {"train": "data/"}


def test_the_line_is_that_of_the_file(project: Path) -> None:
    """With the file's folder given, what is missing is an error of the loop file."""
    with pytest.raises(UsageError, match="line 9: job\\.entry: tarin\\.py is not in"):
        parse(GOOD.replace("train.py", "tarin.py"), base=project)
