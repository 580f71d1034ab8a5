"""Ten thousand jobs in the table: a request costs the database no more than with a hundred."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from emulator_requests import send, training_job

from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.scripted import Script, ScriptedRunner

JOBS = 10_000
PLACE = ("123456789012", "us-east-1")


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An emulator with ten thousand finished jobs, and one with a hundred, both on disk."""
    made = []
    for count in (100, JOBS):
        emulator = Emulator(state=tmp_path_factory.mktemp(f"jobs-{count}"))
        send(emulator, "sagemaker", "CreateTrainingJob", training_job("pattern", keep_alive=None))
        emulator.advance(100)
        (pattern,) = emulator.jobs()
        store = emulator.engine.store
        with emulator.engine.transaction():
            for i in range(1, count + 1):
                later = {"created": pattern.created + i, "modified": pattern.modified + i}
                job = dataclasses.replace(pattern, name=f"job-{i}", **later)
                store.insert_job(job)
                store.save_job(job)
        made.append(emulator)
    yield made
    for emulator in made:
        emulator.close()


def steps(emulator: Emulator, call: Callable[[], object]) -> int:
    """What a call costs the database: instructions of SQLite's virtual machine."""
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 1

    emulator.engine.store.db.set_progress_handler(count, 1)
    call()
    emulator.engine.store.db.set_progress_handler(None, 1)
    return taken


REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "describe": ("DescribeTrainingJob", {"TrainingJobName": "job-77"}),
    "list": ("ListTrainingJobs", {"MaxResults": 50}),
    "list-newest": ("ListTrainingJobs", {"MaxResults": 50, "SortOrder": "Descending"}),
    "list-by-status": ("ListTrainingJobs", {"MaxResults": 50, "SortBy": "Status"}),
    "list-by-name": ("ListTrainingJobs", {"MaxResults": 50, "SortBy": "Name"}),
    "list-since": ("ListTrainingJobs", {"MaxResults": 50, "CreationTimeAfter": 1_750_000_050.0}),
    "update": (
        "UpdateTrainingJob",
        {"TrainingJobName": "job-77", "ResourceConfig": {"KeepAlivePeriodInSeconds": 0}},
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_stay_flat(crowded: list[Emulator], name: str) -> None:
    """With a hundred times as many jobs the database does at most twice the work for a request."""
    operation, request = REQUESTS[name]
    few, many = (steps(e, lambda e=e: send(e, "sagemaker", operation, request)) for e in crowded)
    assert 0 < many <= 2 * few


def test_every_page_is_reached(crowded: list[Emulator]) -> None:
    """Paging through ten thousand jobs finds each once."""
    found, token = [], {}
    while True:
        _, answer = send(crowded[1], "sagemaker", "ListTrainingJobs", {"MaxResults": 100, **token})
        found += [row["TrainingJobName"] for row in answer["TrainingJobSummaries"]]
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert len(found) == len(set(found)) == JOBS + 1


@pytest.mark.parametrize("from_head", [True, False])
def test_a_page_of_lines_holds_a_megabyte(from_head: bool) -> None:
    """Long lines come in pages of at most 1 MB, each line once, in order from either end."""
    lines = [f"{i:03d}" + "x" * 100_000 for i in range(35)]
    script = Script(seconds=5, lines=lines)
    with Emulator(runner=ScriptedRunner(lambda _: script)) as emulator:
        send(emulator, "sagemaker", "CreateTrainingJob", training_job("j"))
        emulator.advance(10)
        group = {"logGroupName": "/aws/sagemaker/TrainingJobs"}
        _, found = send(emulator, "logs", "DescribeLogStreams", group)
        ask = {**group, "logStreamName": found["logStreams"][0]["logStreamName"]}
        pages: list[list[str]] = []
        token: dict[str, object] = {"startFromHead": from_head}
        while not pages or pages[-1]:
            _, answer = send(emulator, "logs", "GetLogEvents", {**ask, **token})
            pages.append([event["message"] for event in answer["events"]])
            token = {"nextToken": answer["nextForwardToken" if from_head else "nextBackwardToken"]}
    assert all(sum(len(line) + 26 for line in page) <= 1 << 20 for page in pages)
    assert len(pages) == 5  # ten lines a page, and the empty one
    ordered = pages if from_head else pages[::-1]
    assert [line for page in ordered for line in page] == lines


def test_ten_thousand_lines_are_kept(tmp_path: Path) -> None:
    """Ten thousand lines are stored and read back, in order, in one answer."""
    lines = [f"step {i} loss=0.{i}" for i in range(10_000)]
    script = Script(seconds=5, lines=lines)
    with Emulator(runner=ScriptedRunner(lambda _: script), state=tmp_path) as emulator:
        send(emulator, "sagemaker", "CreateTrainingJob", training_job("j"))
        emulator.advance(10)
        request = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": "j/"}
        _, answer = send(emulator, "logs", "FilterLogEvents", request)
        assert [event["message"] for event in answer["events"]] == lines
