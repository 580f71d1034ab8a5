"""``forget``: a closed loop is removed with its logs and sources, an open one is refused."""

from __future__ import annotations

from pathlib import Path

from cli_in_process import wpfsm
from report_loops import Made, write_loop

MADE = (Made({"lr": 0.1}, 0.5),)


def test_a_closed_loop_is_gone_with_what_was_kept_of_it(folder: Path) -> None:
    """Rows, the jobs' logs and the controller's go; a second time there is nothing to forget."""
    write_loop(folder / "wpfsm.db", MADE)
    logs = folder / "wpfsm.db.d" / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    for name in ("made-00c0de-001.log", "made-00c0de.jsonl", "another-001.log"):
        (logs / name).write_text("a line\n")
    ran = wpfsm("forget", "made", "-o", "json")
    assert ran.document["forgotten"] == {"id": "made-00c0de", "name": "made", "jobs": 1}
    assert [file.name for file in logs.iterdir()] == ["another-001.log"]
    assert wpfsm("inspect", "-o", "json").document["loops"] == []
    assert wpfsm("forget", "made").code == 6


def test_a_name_of_several_loops_is_refused(folder: Path) -> None:
    """What is forgotten does not come back: the id says which."""
    for loop_id in ("made-aaaaaa", "made-bbbbbb"):
        write_loop(folder / "wpfsm.db", MADE, loop_id=loop_id)
    ran = wpfsm("forget", "made")
    assert ran.code == 2
    assert "wpfsm inspect --name made" in ran.err
    assert wpfsm("forget", "made-bbbbbb").code == 0


def test_an_open_loop_is_refused_with_what_ends_it(folder: Path) -> None:
    """A pool may bill behind it."""
    write_loop(folder / "wpfsm.db", MADE, outcome=None)
    ran = wpfsm("forget", "made")
    assert ran.code == 3
    assert "wpfsm release made-00c0de" in ran.err or "wpfsm stop made-00c0de" in ran.err
