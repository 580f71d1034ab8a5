"""A loop as runs: values once they are final, no secret, and a digest that changes with what is new."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from report_loops import BEGAN, Made, write_loop

from wpfsm.adapters.documents.tracked_runs import TrackedRun, tracked_runs
from wpfsm.fsm.records import Outcome
from wpfsm.state.database import open_existing
from wpfsm.state.history import History

MADE = (
    Made({"lr": 0.1, "api_key": "hunter2"}, 0.5),
    Made({"lr": 0.2}, 0.25),
    Made({"lr": 9}, failed="nan_loss"),
)


def runs(folder: Path, outcome: Outcome | None = Outcome.COMPLETED) -> list[TrackedRun]:
    write_loop(folder / "w.db", MADE, outcome=outcome)
    return tracked_runs(History(open_existing(folder / "w.db")), "made-00c0de", BEGAN + 5000)


def test_a_closed_loop_is_a_run_and_one_for_each_trial(tmp_path: Path) -> None:
    """Parameters, the goal, dollars and the best; a failed trial is a failed run with its class."""
    loop, first, second, third = runs(tmp_path)
    assert (loop.trial, loop.name, loop.status) == (0, "made-00c0de", "FINISHED")
    assert loop.metrics["best eval_loss"] == 0.25
    assert loop.metrics["cost_usd"] > 0
    assert loop.tags["wpfsm.best_trial"] == "2"
    assert (first.name, first.params["lr"], first.metrics["eval_loss"]) == (
        "made-00c0de-trial-001",
        "0.1",
        0.5,
    )
    assert (first.params["api_key"], second.tags["wpfsm.best"]) == ("[redacted]", "true")
    assert (third.status, third.tags["wpfsm.failure"], "eval_loss" in third.metrics) == (
        "FAILED",
        "nan_loss",
        False,
    )
    assert second.ended


def test_what_runs_has_no_parameters_yet(tmp_path: Path) -> None:
    """A patch may still change them, and MLflow's cannot be changed."""
    loop, *_, last = runs(tmp_path, outcome=None)
    assert (loop.status, loop.ended, loop.metrics) == ("RUNNING", None, {})
    assert (last.status, last.params, last.metrics) == ("RUNNING", {}, {})


def test_the_digest_says_whether_there_is_something_new(tmp_path: Path) -> None:
    """One more report, another verdict, an end: each is new; the same again is not."""
    run = replace(runs(tmp_path)[1], series={"a": ((1, 1.0, 0.5),)})
    assert run.digest == replace(run).digest
    news = [
        replace(run, series={"a": ((1, 1.0, 0.5), (2, 2.0, 0.4))}),
        replace(run, tags={**run.tags, "wpfsm.verdict": "kept"}),
        replace(run, ended=1.0),
    ]
    assert len({run.digest, *(each.digest for each in news)}) == 4
