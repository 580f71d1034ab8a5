"""Trials as rows: several jobs add up, what is unknown stays unknown, and no cell is a formula."""

from __future__ import annotations

import time
from pathlib import Path

from report_loops import Made, write_loop

from wpfsm.adapters.documents.trial_rows import flat, trial_rows
from wpfsm.fsm.records import JSON
from wpfsm.state.database import open_existing
from wpfsm.state.history import History


def rows(path: Path, *made: Made) -> list[dict[str, JSON]]:
    loop = write_loop(path / "w.db", made)
    return trial_rows(History(open_existing(path / "w.db")), loop, time.time())


def test_each_trial_is_a_row_with_its_values_and_dollars(tmp_path: Path) -> None:
    """Parameters, metric, seconds and cost; the best is marked."""
    first, second = rows(tmp_path, Made({"lr": 0.1}, 0.5), Made({"lr": 0.2, "seed": 1}, 0.25))
    assert (first["trial"], first["params"], first["metric"], first["best"]) == (1, {"lr": 0.1}, 0.5, False)
    assert (second["metric"], second["best"], second["start"]) == (0.25, True, "warm")
    assert second["training_seconds"] == 120.0
    assert isinstance(second["cost_usd"], float)


def test_a_table_has_a_column_for_each_name(tmp_path: Path) -> None:
    """What one trial has and another has not is an empty cell."""
    names, cells = flat(rows(tmp_path, Made({"lr": 0.1}, 0.5), Made({"seed": 1}, failed="cuda_oom")))
    first, second = (dict(zip(names, row, strict=True)) for row in cells)
    assert (first["param.lr"], first["param.seed"]) == ("0.1", "")
    assert (second["param.lr"], second["param.seed"], second["metric"]) == ("", "1", "")
    assert second["failure"] == "cuda_oom"


def test_a_cell_is_no_formula_and_acts_on_no_terminal() -> None:
    """A note is somebody's text; spreadsheets run what begins with an equals sign. A negative number is a number."""
    _, cells = flat([{"note": "=HYPERLINK(1)", "metric": -1.5, "why": "a\x1b[2Jb"}])
    assert cells == [["'=HYPERLINK(1)", "-1.5", "a\\x1b[2Jb"]]
    assert flat([]) == ([], [])
