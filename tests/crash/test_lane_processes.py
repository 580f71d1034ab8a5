"""A group of lanes as real processes: any of them is killed, the parent too; it is stopped, and interrupted."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash_processes import PATIENCE, Cli, Service, serving, until
from crash_runs import SOAK

from wpfsm.state.database import open_existing
from wpfsm.state.history import History

pytestmark = pytest.mark.xdist_group("processes")
KILLS = 5
"""A group, of which any process is killed at a random moment; the soak has 60 groups, so 300 kills."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One emulator process for this module."""
    with serving(tmp_path_factory.mktemp("emulator")) as service:
        yield service


@pytest.fixture
def cli(service: Service, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cli]:
    """A command line with its own database."""
    seed = request.node.callspec.indices.get("seed", "") if hasattr(request.node, "callspec") else ""
    cli = Cli(
        tmp_path / "cli",
        service,
        f"{request.node.originalname.removeprefix('test_')[:8].strip('_')}{seed}".replace("_", "-"),
    )
    yield cli
    for pid in lanes_alive(cli):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    cli.close()


def lanes_alive(cli: Cli) -> list[int]:
    """Processes that drive lanes of the group: as the owners' rows say, and as their command lines do."""
    loop = cli.loop()
    if loop is None:
        return []
    with contextlib.closing(open_existing(cli.database)) as connection:
        history = History(connection)
        owners = [(lane.id, history.owner(lane.id)) for lane in history.lanes(loop.id)]
    return [owner.pid for lane, owner in owners if owner and _is_lane(owner.pid, lane)]


def _is_lane(pid: int, lane: str) -> bool:
    with contextlib.suppress(OSError):
        return lane.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return False


def trained(cli: Cli) -> int:
    """How many jobs of the group have begun to train."""
    loop = cli.loop()
    return sum(job["phase"] != "starting" for job in cli.service.jobs(loop.id).values()) if loop else 0


def end_well(cli: Cli, process: subprocess.Popen[str], trials: int) -> None:
    """The group ends completed, each trial once, with nothing left."""
    assert process.wait(PATIENCE) == 0, cli.said(process)
    loop = cli.loop()
    assert loop is not None
    assert cli.violations() == []
    assert len(cli.service.created(loop.id)) == trials
    assert (
        {line.job for line in loop.receipt.jobs} == set(cli.service.created(loop.id))
        if loop.receipt
        else False
    )


@pytest.mark.parametrize("seed", range(60 if SOAK else 1))
def test_kill_9_of_any_process_of_a_group(cli: Cli, seed: int) -> None:
    """Lanes are started again by their parent; a killed parent leaves them at work, and ``resume`` goes on."""
    dice = random.Random(seed)
    process = cli.spawn("start", cli.write(runs="sleep 0.5; echo loss=0.5", rates=list(range(6)), lanes=2))
    until(lambda: lanes_alive(cli), "a lane that is driven")
    for _ in range(KILLS):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(dice.uniform(0, 1.5))
            break
        lanes = lanes_alive(cli)
        if dice.random() < 0.3 or not lanes:
            process.kill()
            process.wait()
            loop = cli.loop()
            assert loop is not None
            process = cli.spawn("resume", loop.id)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(dice.choice(lanes), signal.SIGKILL)
    end_well(cli, process, 6)


def test_interrupted_lanes_release_what_they_hold(cli: Cli) -> None:
    """Ctrl-C at the parent reaches each lane once: their jobs are stopped, both pools are released, exit code 130."""
    process = cli.spawn("start", cli.write(runs="echo loss=0.5; sleep 60", rates=[1, 2, 3]), "--lanes", "2")
    until(lambda: trained(cli) == 2, "two jobs that train")
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130, cli.said(process)
    assert cli.violations() == []
    assert lanes_alive(cli) == []


def test_stopped_lanes_close_from_another_process(cli: Cli) -> None:
    """``stop`` with the group's name, or of a lane, ends every lane; ``resume`` is told who drives it meanwhile."""
    process = cli.spawn(
        "start", cli.write(runs="echo loss=0.5; sleep 60", rates=[1, 2, 3], lanes=2), "--detach"
    )
    assert process.wait(PATIENCE) == 11, cli.said(process)
    until(lambda: trained(cli) == 2, "two jobs that train")
    loop = cli.loop()
    assert loop is not None
    code, said = cli.run("resume", loop.id)
    assert code == 5, said
    code, said = cli.run("gc", "--apply")
    assert trained(cli) == 2
    code, said = cli.run("stop", f"{loop.id}-l2", "--timeout", "80s")
    assert code == 0, said
    assert cli.violations() == []
