"""The end of trying: unfixable failures, circuit breakers, and a hold that runs out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from failing_loops import STUB_SDK, TRAINS, Project, assert_released

from wpfsm.adapters.emulator.launch import ensure, stop
from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator

BUG = "raise ValueError('no rule can mend this')\n"
SWEEP = {"type": "sweep", "method": "grid", "parameters": {"lr": [0.1, 0.2, 0.3]}}
OPTIONS = ("--cold-start", "0.1", "--warm-start", "0")
TAKES_LR = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr')\np.parse_args()\n"


def test_an_unfixable_failure_ends_the_loop_released(project: Project) -> None:
    """Exit 1, with the reason, and the pool is gone."""
    project.write({"train.py": BUG}, on_failure=[{"when": "any", "do": "release"}])
    ran = project.start()
    assert ran.code == 1, ran.said
    assert ran.document["loop"]["why"].startswith("script_error")
    assert_released(project, ran)


def test_two_trials_that_fail_alike_end_the_loop(project: Project) -> None:
    """Skipping goes on with the next trial once; the same fingerprint again says that it is no trial's own fault."""
    project.write({"train.py": TAKES_LR + BUG}, strategy=SWEEP, on_failure=[{"when": "any", "do": "skip"}])
    ran = project.start()
    assert ran.code == 1, ran.said
    assert len(ran.jobs) == 2
    assert "failed in the same way" in ran.document["loop"]["why"]
    assert_released(project, ran)


def test_the_loops_own_bound_on_failures_ends_it(project: Project) -> None:
    """limits.max_failures counts every failed job, whatever the rules would still try: exit 20."""
    project.write({"train.py": TRAINS}, limits={"max_failures": 2})
    project.emulator.inject({"kind": "internal_error"})
    ran = project.start()
    assert ran.code == 20, ran.said
    assert ran.classes == ["infra", "infra"]
    assert_released(project, ran)


@pytest.fixture
def own_emulator(tmp_path: Path) -> Iterator[SageMakerEmulator]:
    """An emulator whose clock may be moved without disturbing another test's loops."""
    state = tmp_path / "emulator"
    yield SageMakerEmulator(ensure(state, options=OPTIONS).url, "210987654321")
    stop(state)


def test_a_forgotten_hand_off_costs_no_more_than_was_announced(
    tmp_path: Path, own_emulator: SageMakerEmulator
) -> None:
    """Until the stated time the pool is there; after it the service has ended it, and a resume goes on cold."""
    project = Project(tmp_path, own_emulator, {"PYTHONPATH": str(STUB_SDK)})
    project.write({"train.py": BUG}, pool={"keep_alive": "30m"},
                  on_failure=[{"when": "any", "do": "handoff", "hold": "2m"}])  # fmt: skip
    handed = project.start()
    assert handed.code == 10, handed.said
    name, pool = handed.jobs[-1]["name"], handed.document["handoff"]["pool"]
    assert pool["held_until"], handed.said

    until, gone_by = datetime.fromisoformat(pool["held_until"]), datetime.fromisoformat(pool["gone_by"])
    held = (until - datetime.fromisoformat(handed.document["handoff"]["opened_at"])).total_seconds()
    own_emulator.advance(held - 30)
    assert project.pool_status(name) == "Available"
    own_emulator.advance(30 + (gone_by - until).total_seconds() + 2)
    assert project.pool_status(name) == "Terminated"

    (project.source / "train.py").write_text(TRAINS)
    ran = project.wpfsm("resume", handed.loop)
    assert ran.code == 0, ran.said
    assert ran.starts == ["cold", "cold"]
    assert_released(project, ran)
