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

KILLS = 3
"""Of processes of the one group that each push runs."""
SHARDS, KILLS_A_SHARD, KILLS_A_GROUP = 8, 25, 10
"""The soak: 8 x 25 = 200 kills, 10 in a group."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One emulator process for this module."""
    with serving(tmp_path_factory.mktemp("emulator")) as service:
        yield service


@pytest.fixture
def cli(service: Service, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cli]:
    """A command line with its own database."""
    cli = Cli(
        tmp_path / "cli",
        service,
        request.node.originalname.removeprefix("test_")[:8].strip("_").replace("_", "-"),
    )
    with closed(cli):
        yield cli


@contextlib.contextmanager
def closed(cli: Cli) -> Iterator[None]:
    """Leave none of its processes behind."""
    try:
        yield
    finally:
        cli.close()
        for pid in processes_of(cli):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def lanes_alive(cli: Cli) -> list[int]:
    """Processes that drive lanes of the group: as the owners' rows say, and as their command lines do."""
    loop = cli.loop()
    if loop is None:
        return []
    with contextlib.closing(open_existing(cli.database)) as connection:
        history = History(connection)
        owners = [(lane.id, history.owner(lane.id)) for lane in history.lanes(loop.id)]
    return [owner.pid for lane, owner in owners if owner and lane.encode() in words_of(owner.pid)]


def words_of(pid: int) -> list[bytes]:
    """The command line of a process; none of one that is gone, or that only waits to be buried."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return []


def processes_of(cli: Cli) -> list[int]:
    """Every process of the group: its parent, and its lanes, those too that have not taken over yet."""
    database = str(cli.database).encode()
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return sorted(pid for pid in numbers if database in words_of(pid))


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


def killed_at_random(cli: Cli, dice: random.Random, kills: int, *, trials: int = 6) -> int:
    """A group of which any process is killed, so many times at most; how many were, once it has ended well."""
    rates = [float(rate) for rate in range(trials)]
    process = cli.spawn("start", cli.write(runs="sleep 0.5; echo loss=0.5", rates=rates, lanes=2))
    until(lambda: lanes_alive(cli), "a lane that is driven")
    killed = 0
    while killed < kills:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(dice.uniform(0, 1.5))
            break
        victim = dice.choice(processes_of(cli) or [process.pid])
        if not words_of(victim):
            continue
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            killed += 1
        if victim == process.pid:
            process.wait()
            loop = cli.loop()
            assert loop is not None
            process = cli.spawn("resume", loop.id)
    end_well(cli, process, trials)
    return killed


def test_kill_9_of_any_process_of_a_group(cli: Cli) -> None:
    """Lanes are started again by their parent; a killed parent leaves them at work, and ``resume`` goes on."""
    assert killed_at_random(cli, random.Random(0), KILLS) > 0


def test_a_parent_that_is_killed_before_its_lanes_began(cli: Cli) -> None:
    """There are rows of both lanes and perhaps a process of one: ``resume`` starts the other."""
    process = cli.spawn("start", cli.write(runs="echo loss=0.5", rates=[1, 2, 3], lanes=2))
    until(cli.loop, "the rows of the group")
    process.kill()
    process.wait()
    loop = cli.loop()
    assert loop is not None
    end_well(cli, cli.spawn("resume", loop.id), 3)


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="200 kills: WPFSM_SOAK=1")
@pytest.mark.parametrize("shard", range(SHARDS))
def test_two_hundred_kills_of_processes_of_groups(service: Service, tmp_path: Path, shard: int) -> None:
    """Any process of a group, at any moment, 25 times in each of 8 shards: no job twice, and nothing left."""
    dice, killed = random.Random(shard), 0
    for number in range(KILLS_A_SHARD):
        cli = Cli(tmp_path / f"cli-{number}", service, f"soak-{shard}-{number}")
        with closed(cli):
            killed += killed_at_random(cli, dice, min(KILLS_A_GROUP, KILLS_A_SHARD - killed), trials=8)
        if killed == KILLS_A_SHARD:
            break
    assert killed == KILLS_A_SHARD


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
