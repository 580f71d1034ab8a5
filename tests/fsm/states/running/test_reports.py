"""Metrics beside the goal: kept with their times, shown, exported, and deciding nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash_world import LOOP_ID
from watched_world import METRIC, Watched, loop_file

from wpfsm.adapters.documents.job import job_document, job_of
from wpfsm.adapters.documents.trial_rows import report_rows, trial_rows
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.adapters.host.log_archive import FileArchive
from wpfsm.adapters.terminal.job_text import job_text
from wpfsm.fsm.records import JSON

ACCURACY = {"name": "accuracy", "regex": "accuracy=([0-9.]+)"}
NEVER = {"name": "never", "regex": "never=([0-9.]+)"}
EPOCHS = 5


def learns(launch: Launch) -> Script:
    """Five epochs, a report of both metrics each; the loss of the second job is the better one."""
    rate = float(str(launch.request["HyperParameters"]["lr"]))  # type: ignore[index, call-overload]
    lines = [f"loss={1 / (epoch * rate):.3f} accuracy={epoch / 10}" for epoch in range(1, EPOCHS + 1)]
    return Script(seconds=100, lines=lines)


@pytest.fixture(scope="module")
def world() -> Iterator[Watched]:
    """A loop of two jobs with two metrics beside its goal, run to its end."""
    made = Watched(loop_file(metric=METRIC, metrics=[ACCURACY, NEVER]), script=learns)
    assert made.finish().exit_code == 0
    yield made
    made.close()


def test_the_request_defines_every_metric_and_the_goal_first(world: Watched) -> None:
    """The service reads them too."""
    with world.history() as history:
        request = history.jobs(LOOP_ID)[0].request
    found = request["AlgorithmSpecification"]["MetricDefinitions"]  # type: ignore[index, call-overload]
    assert [each["Name"] for each in found] == ["loss", "accuracy", "never"]


def test_each_report_is_kept_with_its_time(world: Watched) -> None:
    """Number, time and value, in order; a metric that never came has no curve and no value."""
    with world.history() as history:
        curves = history.curves(LOOP_ID)
        jobs = history.jobs(LOOP_ID)
    assert [(curve.job, curve.metric, curve.reports) for curve in curves] == [
        (1, "accuracy", 5), (1, "loss", 5), (2, "accuracy", 5), (2, "loss", 5),
    ]  # fmt: skip
    numbers, times, values = zip(*curves[0].points, strict=True)
    assert numbers == (1, 2, 3, 4, 5)
    assert list(times) == sorted(times)
    assert values == (0.1, 0.2, 0.3, 0.4, 0.5)
    assert jobs[0].metrics == {"loss": 0.2, "accuracy": 0.5}


def test_the_goal_alone_decides(world: Watched) -> None:
    """Both jobs end with the same accuracy; the loss says which is best."""
    with world.history() as history:
        loop = history.find(LOOP_ID)
        rows = trial_rows(history, loop, loop.updated_at)
        reports = report_rows(history, loop)
    assert [(row["metric"], row["best"]) for row in rows] == [(0.2, False), (0.1, True)]
    assert [row["metrics"] for row in rows] == [
        {"loss": 0.2, "accuracy": 0.5},
        {"loss": 0.1, "accuracy": 0.5},
    ]
    assert len(reports) == 20
    assert reports[0] | {"at": "", "seconds": 0} == {
        "loop": LOOP_ID, "trial": 1, "job": f"{LOOP_ID}-001", "metric": "accuracy", "report": 1, "at": "",
        "seconds": 0, "value": 0.1,
    }  # fmt: skip


def test_one_job_shows_its_curves(world: Watched, tmp_path: Path) -> None:
    """As points for a program, as a line for a person."""
    with world.history() as history:
        loop = history.find(LOOP_ID)
        job = job_of(history, loop, 2)
        archive = FileArchive(tmp_path)
        document: dict[str, JSON] = job_document(
            history, archive, world.sources(), loop, job, loop.updated_at
        )
    json.dumps(document)
    curve = document["curves"]["accuracy"]  # type: ignore[index, call-overload]
    assert curve["reports"] == 5
    assert curve["points"][-1] | {"at": ""} == {"report": 5, "at": "", "value": 0.5}
    assert "curve     accuracy, 5 reports: 0.1 0.2 0.3 0.4 0.5" in job_text(document)


def test_a_running_job_shows_what_it_reported_so_far() -> None:
    """Whoever looks before the job's end finds the reports of its first half, and the history has no row more."""
    seen: list[tuple[int, int]] = []
    made = Watched(loop_file(1, metric=METRIC, metrics=[ACCURACY]), script=learns)

    def look(point: str) -> None:
        if point == "after commit observed":
            with made.history() as history:
                job, curves = history.jobs(LOOP_ID)[-1], history.curves(LOOP_ID)
            if job.status == "InProgress" and curves:
                seen.append((curves[0].reports, len(curves)))

    assert made.finish(look).exit_code == 0
    made.close()
    assert seen
    assert all(0 < reports < EPOCHS and count == 2 for reports, count in seen), seen
