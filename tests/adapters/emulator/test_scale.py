"""Ten thousand jobs in the table: a request costs the database no more than with a hundred."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from emulator_requests import send, training_job

from wpfsm.adapters.emulator.inprocess import Emulator

JOBS = 10_000


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
