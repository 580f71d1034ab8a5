"""``job.install: cached`` in a whole loop: the program renders it, the emulator really installs and trains."""

from __future__ import annotations

import runpy
from typing import Any

import pytest
from failing_loops import EXAMPLES, Project, assert_released

TRAIN = """\
import argparse
import numkit
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
print("numkit of", numkit.__file__)
print(f"eval_loss={parser.parse_args().lr}")
"""


def sweep(project: Project, **job: Any) -> tuple[str, str]:
    """Run two trials; the logs of both jobs."""
    index = project.folder / "index"
    runpy.run_path(str(EXAMPLES / "fix" / "build_wheels.py"))["build_all"](index)
    environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    project.write(
        {"train.py": TRAIN, "requirements.txt": "numkit\n"},
        job={"environment": environment, **job},
        strategy={"type": "sweep", "method": "grid", "smoke": False, "parameters": {"lr": [0.2, 0.1]}},
    )
    ran = project.start()
    assert ran.code == 0, ran.said
    assert ran.starts == ["cold", "warm"]
    assert_released(project, ran)
    first, second = (_log(project, ran.loop, number) for number in (1, 2))
    return first, second


def _log(project: Project, loop: str, number: int) -> str:
    lines = project.wpfsm("logs", loop, "--job", str(number)).document["lines"]
    return "\n".join(str(line) for line in lines)


def test_the_second_job_of_a_pool_finds_the_packages_of_the_first(project: Project) -> None:
    """By default where a pool is kept: one installation for both trials."""
    first, second = sweep(project)
    assert "Successfully installed numkit" in first
    assert "Using cached packages: numkit" in second
    assert "Processing" not in second
    place = [line.split()[-1] for line in (first + "\n" + second).splitlines() if "numkit of" in line]
    assert len(set(place)) == 1


def test_plain_installs_in_every_job(project: Project) -> None:
    """``install: plain`` is the SDK's way: nothing of the launcher's is in the log."""
    first, second = sweep(project, install="plain")
    assert "Successfully installed numkit" in first
    assert "Successfully installed numkit" in second
    assert "wpfsm:" not in first + second


@pytest.mark.parametrize("strategy", [{"type": "single"}])
def test_cached_without_a_pool_is_refused(project: Project, strategy: dict[str, str]) -> None:
    """There is no cache to keep packages in."""
    project.write({"train.py": TRAIN}, job={"install": "cached"}, strategy=strategy)
    ran = project.start()
    assert ran.code == 2
    assert "job.install: cached needs a pool" in str(ran.document)
