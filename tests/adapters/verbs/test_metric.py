"""``metric test``: what an expression finds in a log."""

from __future__ import annotations

import pytest
from cli_bench import Bench

LOG = "step 1 eval_loss=0.5\nnothing here\nstep 2 eval_loss=nan\nstep 3 eval_loss=0.25\n"


def test_metric_test_shows_what_is_extracted(alone: Bench):
    """Every match with its line and value, and the final value."""
    (alone.folder / "job.log").write_text(LOG)
    ran = alone.run("metric", "test", "job.log", "--regex", "eval_loss=([0-9.a-z]+)", "-o", "json")
    assert ran.code == 0
    whole: dict[str, object] = {"cut_from": None, "earlier_in_line": []}
    assert ran.json["readings"] == [
        {"line": 1, "captured": "0.5", "value": 0.5, **whole},
        {"line": 3, "captured": "nan", "value": None, **whole},
        {"line": 4, "captured": "0.25", "value": 0.25, **whole},
    ]
    assert ran.json["metric"]["value"] == 0.25


@pytest.mark.parametrize("log", ["", "eval_loss=0.5\neval_loss=nan\n"])
def test_metric_test_fails_where_the_metric_would_be_null(alone: Bench, log: str):
    """No match, or a last value that is not finite, is null and exits with 1."""
    ran = alone.run("metric", "test", "-", "--regex", "eval_loss=(\\S+)", "-o", "json", stdin=log)
    assert ran.code == 1
    assert ran.json["metric"]["value"] is None


def test_metric_test_takes_the_loop_files_expression(alone: Bench):
    """--loop reads name and expression from a loop file; --regex and --loop exclude each other."""
    alone.run("init")
    ran = alone.run("metric", "test", "-", "--loop", "loop.yaml", stdin=LOG)
    assert "eval_loss = 0.25" in ran.out
    assert alone.run("metric", "test", "-", stdin=LOG).code == 2
    assert alone.run("metric", "test", "-", "--regex", "no group", stdin=LOG).code == 2
