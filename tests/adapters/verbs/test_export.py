"""``export``: the trials of a loop in a file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from cli_in_process import wpfsm
from report_loops import Made, write_loop

MADE = (Made({"lr": 0.1}, 0.5), Made({"lr": 0.2}, 0.25))


def test_a_table_and_lines_say_the_same(folder: Path) -> None:
    """CSV and JSON Lines have one row a trial, in a file or on stdout."""
    write_loop(folder / "wpfsm.db", MADE)
    ran = wpfsm("export", "made", "--csv", "trials.csv", "-o", "json")
    assert ran.document["exported"] == {
        "loop": "made-00c0de",
        "path": str(folder / "trials.csv"),
        "rows": 2,
    }
    table = list(csv.DictReader((folder / "trials.csv").read_text().splitlines()))
    lines = [json.loads(line) for line in wpfsm("export", "made", "--jsonl", "-").out.splitlines()]
    assert [row["param.lr"] for row in table] == ["0.1", "0.2"]
    assert [float(row["metric"]) for row in table] == [line["metric"] for line in lines] == [0.5, 0.25]
    assert [row["best"] for row in table] == ["false", "true"]


@pytest.mark.parametrize("words", [(), ("--csv", "a", "--jsonl", "b")])
def test_one_form_is_asked_for(folder: Path, words: tuple[str, ...]) -> None:
    """Neither and both are bad usage, and a place that cannot be written is named."""
    write_loop(folder / "wpfsm.db", MADE)
    assert wpfsm("export", "made", *words).code == 2
    nowhere = wpfsm("export", "made", "--csv", "nowhere/trials.csv")
    assert nowhere.code == 2
    assert "nowhere/trials.csv" in nowhere.err


def test_reports_are_rows_too(folder: Path) -> None:
    """A loop whose jobs reported nothing has none."""
    write_loop(folder / "wpfsm.db", MADE)
    ran = wpfsm("export", "made", "--csv", "reports.csv", "--reports")
    assert ran.code == 0
    assert "0 reports" in ran.out
