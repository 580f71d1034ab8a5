"""Real processes, real signals: kill -9 at random moments, two controllers at once, one that was suspended."""

from __future__ import annotations

import contextlib
import os
import pty
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash_processes import PATIENCE, Cli, Service, serving, until
from crash_runs import SOAK

from wpfsm.fsm.records import Owner
from wpfsm.state.database import open_existing
from wpfsm.state.store import take_over

pytestmark = pytest.mark.soak
LEARNS = "echo loss=0.5"
TRAINS_LONG = "echo loss=0.5; sleep 60"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One emulator process for this module."""
    with serving(tmp_path_factory.mktemp("emulator")) as service:
        yield service


@pytest.fixture
def cli(service: Service, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cli]:
    """A command line with its own database."""
    name = request.node.originalname.removeprefix("test_").replace("_", "-")[:20].strip("-")
    cli = Cli(tmp_path / "cli", service, f"{name}{request.node.callspec.indices.get('seed', '')}"
              if hasattr(request.node, "callspec") else name)  # fmt: skip
    yield cli
    service.heal()
    cli.close()


def kill_at_random(cli: Cli, process: subprocess.Popen[str], dice: random.Random) -> bool:
    """SIGKILL a controller some time after it took the loop over; False when it was done before."""
    epoch = cli.epoch()
    until(lambda: process.poll() is not None or cli.epoch() > epoch, "a controller that takes the loop over")
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(dice.uniform(0, 1.0))
        return False
    process.kill()
    process.wait()
    return True


@pytest.mark.parametrize("seed", range(40 if SOAK else 2))
def test_kill_9_at_random_moments_changes_nothing(cli: Cli, seed: int) -> None:
    """Killed five times at random moments, under faults, a sweep makes three jobs once each and releases."""
    dice = random.Random(seed)
    cli.service.inject(
        {"kind": "timeout_after_write", "operation": "CreateTrainingJob", "job": f"{cli.name}-*", "times": 1},
        {"kind": "throttle", "job": f"{cli.name}-*", "probability": 0.1, "times": 5},
        {"kind": "slow", "job": f"{cli.name}-*", "seconds": 0.2, "probability": 0.1, "times": 5},
    )
    process = cli.spawn("start", cli.write(runs=LEARNS, rates=[1, 2, 3]))
    kills = 0
    while kills < 5 and kill_at_random(cli, process, dice):
        kills += 1
        loop = cli.loop()
        assert loop is not None
        process = cli.spawn("resume", loop.id)
    assert process.wait(PATIENCE) == 0, cli.said(process)
    loop = cli.loop()
    assert loop is not None
    assert cli.violations() == []
    assert sorted(cli.service.created(loop.id)) == [f"{loop.id}-{number:03d}" for number in (1, 2, 3)]


def test_a_signal_is_obeyed_whatever_the_log_holds(cli: Cli) -> None:
    """A log of lines and an expression that backtrack for ever, and one interrupt: the controller hears it at once.

    What is measured is the processor time that it takes from there to its next write, so that a loaded machine fails nobody.
    """
    bars = 'python3 -c \'for _ in range(12): print("".join("[%d] bar |" % i for i in range(20000)))\''
    expression = {"name": "auc", "goal": "maximize", "regex": r".*\[[0-9]+\].*#011validation-auc:(\S+)"}
    process = cli.spawn("start", cli.write(runs=f"{bars}; sleep 60", rates=[1], metric=expression))
    cli.running()
    until(lambda: any(event.kind == "metric_warned" for event in cli.events()), "the expression to be tried")
    before = spent(process.pid)
    process.send_signal(signal.SIGINT)
    until(lambda: any("SIGINT" in event.why for event in cli.events()), "the controller to hear of it")
    assert spent(process.pid) - before < 2.0
    assert process.wait(PATIENCE) == 130
    assert cli.violations() == []


def spent(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def test_two_resumes_at_once(cli: Cli) -> None:
    """Of two controllers that resume one loop, one drives it; the other says who does, and ends with 5."""
    first = cli.spawn("start", cli.write(runs=TRAINS_LONG, rates=[1]))
    loop = cli.running()
    first.kill()
    first.wait()
    two = [cli.spawn("resume", loop.id), cli.spawn("resume", loop.id)]
    until(lambda: any(process.poll() is not None for process in two), "one of them to give up")
    loser, winner = sorted(two, key=lambda process: process.poll() is None)
    assert (loser.returncode, winner.poll()) == (5, None)
    said = cli.said(loser)
    assert (
        f"host {socket.gethostname()}, pid {winner.pid}, since {time.strftime('%Y-', time.gmtime())}" in said
    )
    winner.send_signal(signal.SIGTERM)
    assert winner.wait(PATIENCE) == 143
    assert cli.violations() == []
    assert len(cli.service.created(loop.id)) == 1


def test_two_loops_on_one_pool_key(cli: Cli, service: Service) -> None:
    """A second loop on a pool key that a live loop uses is refused with 5 before it creates anything."""
    first = cli.spawn("start", cli.write(runs=TRAINS_LONG, rates=[1], instance_type="ml.m5.xlarge"))
    loop = cli.running()
    second = Cli(cli.folder, service, "second")
    path = second.write(runs=TRAINS_LONG, rates=[1], instance_type="ml.m5.xlarge")
    code, said = second.run("start", path)
    assert code == 5, said
    assert f"pid {first.pid}" in said
    other = second.loop()
    assert other is not None
    assert other.id != loop.id
    assert service.jobs(other.id) == {}
    first.send_signal(signal.SIGINT)
    assert first.wait(PATIENCE) == 130


def test_the_pool_key_is_held_after_a_resume_too(cli: Cli, service: Service) -> None:
    """A resumed loop holds its pool key again: the right ended with the process that was killed."""
    first = cli.spawn("start", cli.write(runs=TRAINS_LONG, rates=[1], instance_type="ml.m5.4xlarge"))
    loop = cli.running()
    first.kill()
    first.wait()
    epoch = cli.epoch()
    resumed = cli.spawn("resume", loop.id)
    until(
        lambda: cli.epoch() > epoch and (cli.database.parent / "wpfsm.db.d/locks").glob("pool-*"), "a resume"
    )
    described = len(service.records()["calls"])
    until(lambda: len(service.records()["calls"]) > described + 2, "the resumed controller at work")
    second = Cli(cli.folder, service, "second-too")
    code, said = second.run("start", second.write(runs=LEARNS, rates=[1], instance_type="ml.m5.4xlarge"))
    assert code == 5, said
    assert f"pid {resumed.pid}" in said
    resumed.send_signal(signal.SIGINT)
    assert resumed.wait(PATIENCE) == 130


SLOW_SECONDS = 5.0


def suspended_in_a_call(service: Service, process: subprocess.Popen[str], loop_id: str) -> bool:
    """Suspend a controller while the service keeps it waiting for an answer; False when the answer was faster."""
    service.heal()
    slow = {"kind": "slow", "operation": "DescribeTrainingJob", "job": f"{loop_id}-*"}
    service.inject({**slow, "seconds": SLOW_SECONDS, "times": 1})
    until(lambda: service.fired(loop_id), "a call that is kept waiting")
    answered = service.described(loop_id)
    os.kill(process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    deadline = time.monotonic() + 3 * SLOW_SECONDS
    if service.described(loop_id) == answered:
        while time.monotonic() < deadline:
            if service.described(loop_id) > answered:
                return True  # it was under way when the controller was suspended, and is answered now
            time.sleep(0.01)
    os.kill(process.pid, signal.SIGCONT)
    return False


def test_a_suspended_controller_that_lost_its_loop(cli: Cli, service: Service) -> None:
    """SIGSTOP, the loop is taken over, SIGCONT: the controller ends with 5 and asks the service nothing more."""
    process = cli.spawn("start", cli.write(runs=TRAINS_LONG, rates=[1], instance_type="ml.m5.2xlarge"))
    loop = cli.running()
    until(lambda: suspended_in_a_call(service, process, loop.id), "a controller that waits for an answer")
    with contextlib.closing(open_existing(cli.database, write=True)) as connection:
        take_over(connection, cli.database, loop.id, Owner("elsewhere", 1, 0.0, 0.0))
    before = service.records()["counts"]
    os.kill(process.pid, signal.SIGCONT)
    assert process.wait(PATIENCE) == 5, cli.said(process)
    assert "taken over" in cli.said(process)
    assert service.records()["counts"] == before
    code, said = cli.run("resume", loop.id, "--abandon")
    assert code == 0, said
    assert cli.violations() == []


@pytest.mark.parametrize(("seed", "signals", "code"), [
    (0, [signal.SIGINT], 130), (1, [signal.SIGTERM], 143), (2, [signal.SIGINT, signal.SIGINT], 130),
    (3, [signal.SIGHUP], 143),
])  # fmt: skip
def test_a_signal_releases(cli: Cli, seed: int, signals: list[signal.StopSignals], code: int) -> None:
    """The first signal stops the job, releases and says so; the second one does not skip that."""
    process = cli.spawn("start", cli.write(runs=TRAINS_LONG, rates=[1], instance_type="ml.c5.xlarge"))
    loop = cli.running()
    for count, each in enumerate(signals, start=1):
        process.send_signal(each)
        words = "releasing the pool" if count == 1 else "still releasing"
        until(lambda words=words: words in cli.said(process) or process.poll() is not None, words)  # type: ignore[misc]
    assert process.wait(PATIENCE) == code, cli.said(process)
    assert cli.violations() == []
    assert {job["status"] for job in cli.service.jobs(loop.id).values()} == {"Stopped"}


def test_a_closed_terminal_releases(cli: Cli) -> None:
    """Whoever closes the window has nothing left that bills, though nothing can be written to it any more."""
    terminal, end = pty.openpty()
    process = cli.spawn(
        "start", cli.write(runs=TRAINS_LONG, rates=[1], instance_type="ml.c5.4xlarge"), terminal=end
    )
    os.close(end)
    loop = cli.running()
    os.close(terminal)
    assert process.wait(PATIENCE) == 143
    assert cli.violations() == []
    assert cli.service.jobs(loop.id)[f"{loop.id}-001"]["status"] == "Stopped"


def test_gc_without_a_database(cli: Cli, service: Service) -> None:
    """Killed, and its database deleted: gc finds the pool by its job's tags and releases it."""
    process = cli.spawn(
        "start", cli.write(runs="echo loss=0.5; sleep 2", rates=[1], instance_type="ml.c5.2xlarge")
    )
    loop = cli.running()
    process.kill()
    process.wait()
    cli.database.unlink()
    until(
        lambda: [j for j in service.jobs(loop.id).values() if j["pool_status"] == "Available"], "an idle pool"
    )
    code, said = cli.run("gc", "--apply", "--older-than", "0s", "--backend", "local")
    assert code == 0, said
    assert {job["pool_status"] for job in service.jobs(loop.id).values()} == {"Terminated"}
