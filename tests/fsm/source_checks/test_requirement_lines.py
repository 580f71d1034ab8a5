"""Requirements files, as far as a check needs them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.source_checks.requirement_lines import Line, requirement_lines


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Torch_Vision==0.17  # pinned", "torch-vision"),
        ("transformers[torch]>=4 ; python_version > '3.9'", "transformers"),
        ("numpy==1.26 --hash=sha256:00", "numpy"),
        ("pkg @ https://host/pkg.whl", "pkg"),
        ("./wheels/own.whl", ""),
        ("-e ./own", ""),
        ("git+https://host/own.git", ""),
    ],
)
def test_a_line_names_its_distribution_or_nothing(text: str, name: str) -> None:
    """A folder or an address may bring anything: that is left open."""
    (line,) = requirement_lines({"requirements.txt": text}, "requirements.txt")

    assert (line.name, line.file, line.line) == (name, "requirements.txt", 1)


@pytest.mark.parametrize("text", ["", "# a comment", "--index-url https://host", "-c constraints.txt", "   "])
def test_what_is_no_requirement_is_passed_over(text: str) -> None:
    """Comments, options of the installer, constraints."""
    assert list(requirement_lines({"r.txt": text}, "r.txt")) == []


def test_a_file_that_is_included_is_read_in_its_place() -> None:
    """Relative to the file that names it, and once, also when two include each other."""
    files = {
        "env/all.txt": "a\n-r ../base.txt\n--requirement=more.txt\nb\n",
        "base.txt": "c\n-r env/all.txt\n",
        "env/more.txt": "d\n",
    }

    found = list(requirement_lines(files, "env/all.txt"))

    assert [(line.name, line.file, line.line) for line in found] == [
        ("a", "env/all.txt", 1), ("c", "base.txt", 1), ("d", "env/more.txt", 1), ("b", "env/all.txt", 4),
    ]  # fmt: skip


def test_a_file_that_is_not_there_leaves_everything_open() -> None:
    """What it would bring is not known."""
    assert list(requirement_lines({"r.txt": "-r gone.txt"}, "r.txt")) == [Line("", "gone.txt", "gone.txt", 1)]


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    """No requirements file is an error; each line found is one of the file."""
    found = list(requirement_lines({"r.txt": text}, "r.txt"))

    assert all(1 <= line.line <= len(text.splitlines()) for line in found if line.file == "r.txt")
