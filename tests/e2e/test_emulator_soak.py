"""Thousands of jobs: the emulator's memory and the time of an answer stay what they were."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from emulator_process import Process, emulator_process, until
from emulator_requests import training_job

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc"),
]

JOBS = 2000 if os.environ.get("WPFSM_SOAK", "0") != "0" else 120
WARM_UP = JOBS // 4
MOST_GROWTH = 1.5
AT_ONCE = 20


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    with emulator_process(tmp_path / "state", "--cold-start", "0", "--warm-start", "0") as made:
        yield made


def megabytes(process: Process) -> float:
    """Return what the process holds in memory."""
    status = Path(f"/proc/{process.popen.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found
    return int(found[1]) / 1024


def work(process: Process, numbers: range) -> None:
    """Run jobs, so many at once, each of which prints a metric and leaves nothing behind."""
    metric = {"MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]}
    entry = {"ContainerEntrypoint": ["/bin/echo", "loss=0.5"], **metric}
    for start in range(numbers.start, numbers.stop, AT_ONCE):
        names = [f"job-{number}" for number in range(start, min(start + AT_ONCE, numbers.stop))]
        for name in names:
            process.send("CreateTrainingJob", training_job(name, keep_alive=None, algorithm=entry))
        for name in names:
            until(
                lambda answer: answer["TrainingJobStatus"] == "Completed",
                lambda name=name: process.send("DescribeTrainingJob", {"TrainingJobName": name}),  # type: ignore[misc]
            )


def answer_seconds(process: Process) -> float:
    """Return how long a Describe takes, in the middle of many."""
    taken = []
    for _ in range(50):
        began = time.perf_counter()
        process.send("DescribeTrainingJob", {"TrainingJobName": "job-1"})
        taken.append(time.perf_counter() - began)
    return median(taken)


def test_memory_and_answers_stay_flat(process: Process) -> None:
    """After the last job it holds at most half as much again as after the first quarter of them, and answers as fast."""
    work(process, range(WARM_UP))
    before, quick = megabytes(process), answer_seconds(process)
    work(process, range(WARM_UP, JOBS))
    after, then = megabytes(process), answer_seconds(process)
    assert after <= before * MOST_GROWTH, (before, after)
    assert then <= quick * 2 + 0.01, (quick, then)  # the machine may be busy with something else
    directories: list[Any] = list((process.state / "jobs").rglob("job-*"))
    assert directories == []


def test_it_listens_within_two_seconds(tmp_path: Path) -> None:
    """Of processor time, which other work on the machine hardly changes; a start waits for nothing else."""
    with emulator_process(tmp_path / "state") as process:
        process.get("health")
        fields = Path(f"/proc/{process.popen.pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])  # in user mode and in the kernel
    assert ticks / os.sysconf("SC_CLK_TCK") <= 2.0
