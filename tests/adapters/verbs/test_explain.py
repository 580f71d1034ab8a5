"""``explain``: the class of a failure, of a loop's job or of any text."""

from __future__ import annotations

import json

from cli_bench import Bench


def test_explain_classifies_a_loops_job(finished: Bench):
    """The diagnosis that the loop acted on."""
    diagnosis = finished.run("explain", "broken", "-o", "json").json["diagnosis"]
    assert (diagnosis["family"], diagnosis["class"]) == ("dependency", "missing_module")
    assert finished.run("explain", "-o", "json").json["diagnosis"] == diagnosis, "the newest loop by default"
    assert "missing_module" in finished.run("explain", "broken", "--job", "1").out


def test_explain_classifies_any_text(alone: Bench):
    """A FailureReason and a log are enough; no database is needed, and a log may come through a pipe."""
    log = "Traceback (most recent call last):\n  File \"train.py\", line 3, in <module>\nModuleNotFoundError: No module named 'peft'\n"
    (alone.folder / "job.log").write_text(log)
    events = json.dumps(
        {"events": [{"timestamp": 1, "message": line} for line in log.splitlines()]}, indent=4
    )
    (alone.folder / "events.json").write_text(events)  # as `aws logs get-log-events` prints them
    for words, stdin in (
        (["--log", "job.log"], ""), (["--log", "events.json"], ""), (["--log", "-"], log), (["--log", "-"], "{\n" + log)
    ):  # fmt: skip
        ran = alone.run(
            "explain", "--reason", "AlgorithmError: exit code: 1", *words, "-o", "json", stdin=stdin
        )
        assert ran.json["diagnosis"]["class"] == "missing_module"
        assert ran.json["diagnosis"]["details"]["module"] == "peft"
    assert not alone.database.exists()


def test_explain_says_so_when_it_does_not_know(alone: Bench):
    """Unknown stays unknown."""
    assert alone.run("explain", "--reason", "hmm", "-o", "json").json["diagnosis"]["family"] == "other"
