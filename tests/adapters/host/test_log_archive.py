"""The local copy of a job's log: its last lines, for its owner alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from wpfsm.adapters.host.log_archive import FileArchive
from wpfsm.fsm.ports import LogLine


def lines(*texts: str) -> list[LogLine]:
    return [LogLine(0.0, "algo-1", text) for text in texts]


def test_the_last_lines_come_back_in_order(tmp_path: Path) -> None:
    """Lines that were added in two parts are one log."""
    archive = FileArchive(tmp_path / "logs")
    archive.append("a-job", lines("one", "zwei ä"))
    archive.append("a-job", lines("three"))
    assert list(archive.tail("a-job", 2)) == ["zwei ä", "three"]
    assert list(archive.tail("a-job", 100)) == ["one", "zwei ä", "three"]


def test_a_job_without_a_log_has_no_lines(tmp_path: Path) -> None:
    """Nothing was printed yet, or it was begun anew: no error either way."""
    archive = FileArchive(tmp_path / "logs")
    assert list(archive.tail("a-job", 5)) == []
    archive.append("a-job", lines("of the first try"))
    archive.restart("a-job")
    archive.restart("a-job")
    assert list(archive.tail("a-job", 5)) == []


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    """A log prints more than its author knows."""
    archive = FileArchive(tmp_path / "logs")
    archive.append("a-job", lines("token"))
    assert Path(archive.path("a-job")).stat().st_mode & 0o077 == 0
    assert (tmp_path / "logs").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["../other", "a/b", "", ".", "a.log"])
def test_a_name_that_is_no_jobs_leads_nowhere(tmp_path: Path, name: str) -> None:
    """No name reaches a file outside the folder."""
    with pytest.raises(ValueError, match="not a job name"):
        FileArchive(tmp_path).path(name)


def test_bytes_that_are_no_text_cost_no_line(tmp_path: Path) -> None:
    """A file that was damaged is read as far as it can be."""
    archive = FileArchive(tmp_path)
    Path(archive.path("a-job")).write_bytes(b"good\n\xff\xfe bad\nlast")
    first, second, third = archive.tail("a-job", 9)
    assert (first, third) == ("good", "last")
    assert second.endswith(" bad")
