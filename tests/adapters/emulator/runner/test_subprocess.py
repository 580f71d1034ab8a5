"""What a job's processes see, and what becomes of them."""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runner_bench import BUCKET, PATIENCE, Bench, Sink, python_job, shell_job

from wpfsm.adapters.emulator.runner.base import Ending
from wpfsm.adapters.emulator.runner.container import Container
from wpfsm.adapters.emulator.runner.processes import HostProcess
from wpfsm.adapters.emulator.runner.subprocess import SubprocessRunner

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

linux_only = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells this much of a process"
)


def assert_ended(pid: int) -> None:
    """Wait until a process that need not be a child of this one is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    readable, _, _ = select.select([descriptor], [], [], PATIENCE)
    os.close(descriptor)
    assert readable, f"process {pid} still runs"


def test_output_arrives_in_order_with_its_time(bench: Bench, sink: Sink) -> None:
    """Standard output and error share one stream, in the order they were printed."""
    ending = bench.run_script(
        "import sys; print('one'); print('two', file=sys.stderr); print('three', end='')"
    )

    assert Ending(0, "") == ending
    assert sink.lines() == ["one", "two", "three"]
    stream, (stamp, _) = sink.written[0]
    assert stream.startswith("job/algo-1-")
    assert abs(stamp / 1000 - int(stream.rsplit("-", 1)[1])) < 60


def test_a_line_arrives_while_the_job_runs(bench: Bench, sink: Sink) -> None:
    """A line is forwarded when it is printed, not when the job ends."""
    launch = bench.launch("live", shell_job("echo started; read -r line < gate; echo $line"))
    bench.runner.prepare(launch)
    os.mkfifo(launch.workdir / "algo-1" / "gate")
    bench.runner.start(launch)
    sink.wait_for("started")

    assert bench.runner.poll(launch.key) is None
    (launch.workdir / "algo-1" / "gate").write_text("go on\n")
    assert Ending(0, "") == bench.ending(launch)
    assert sink.lines() == ["started", "go on"]


def test_exit_code_and_failure_file_are_reported(bench: Bench) -> None:
    """A failed job reports its exit code and at most 1,024 characters of /opt/ml/output/failure."""
    launch = bench.launch("bad", shell_job("printf 'x%.0s' {1..3000} > /opt/ml/output/failure; exit 3"))

    assert Ending(3, "x" * 1024) == bench.run(launch)


def test_a_signal_is_a_negative_exit_code(bench: Bench) -> None:
    """A process that a signal ended is told from one that chose to exit."""
    assert Ending(-9, "") == bench.run_script("import os; os.kill(os.getpid(), 9)")


@pytest.mark.parametrize(
    ("entry", "code", "line"),
    [
        (["no-such-program"], 127, 'exec: "no-such-program": executable file not found in $PATH'),
        (["/no/such/program"], 127, 'exec: "/no/such/program": no such file or directory'),
        (["/etc/passwd"], 126, 'exec: "/etc/passwd": permission denied'),
        ([], 127, 'exec: "train": executable file not found in $PATH'),
    ],
)
def test_a_program_that_cannot_start_says_so_in_the_log(
    bench: Bench, sink: Sink, entry: list[str], code: int, line: str
) -> None:
    """Without an entry point the image's own ``train`` is run; what cannot be run fails as a container does."""
    launch = bench.launch("none", {"AlgorithmSpecification": {"ContainerEntrypoint": [*entry]}})

    assert Ending(code, "") == bench.run(launch)
    assert [line] == sink.lines()


def test_each_instance_is_a_process_with_its_own_directory_and_stream(bench: Bench, sink: Sink) -> None:
    """A job of three instances runs as algo-1 to algo-3, which do not share a file system."""
    script = (
        "import json, pathlib, sys; ml = pathlib.Path(sys.argv[1]);"
        "me = json.loads((ml / 'input/config/resourceconfig.json').read_text())['current_host'];"
        "(ml / 'model' / me).write_text(me); print(me, sorted(p.name for p in (ml / 'model').iterdir()))"
    )
    launch = bench.launch("three", python_job(script, "/opt/ml"), hosts=3)
    bench.run(launch)

    for host in ("algo-1", "algo-2", "algo-3"):
        assert [f"{host} ['{host}']"] == sink.lines(host)


def test_the_first_host_that_fails_ends_the_others(bench: Bench) -> None:
    """A job's ending is that of the first host that failed; the others do not go on alone."""
    script = (
        'if grep -q \'"current_host": "algo-2"\' /opt/ml/input/config/resourceconfig.json; then '
        "echo broken > /opt/ml/output/failure; exit 5; fi; sleep 600"
    )

    assert Ending(5, "broken\n") == bench.run(bench.launch("two", shell_job(script), hosts=2))


def test_stop_reaches_a_process_that_handles_it(bench: Bench, sink: Sink) -> None:
    """SIGTERM lets a job save its model before it ends."""
    script = (
        "import pathlib, signal, sys\n"
        "def stop(*_):\n    pathlib.Path(sys.argv[1], 'saved').write_text('weights'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop); print('ready')\nwhile True: signal.pause()"
    )
    launch = bench.launch("polite", python_job(script, "/opt/ml/model"))
    bench.start(launch)
    sink.wait_for("ready")
    bench.runner.terminate(launch.key)

    assert Ending(0, "") == bench.ending(launch)
    assert f"s3://{BUCKET}/out/polite/output/model.tar.gz" == bench.runner.finish(launch)


@linux_only
def test_a_first_process_without_a_handler_runs_on_until_it_is_killed(bench: Bench, sink: Sink) -> None:
    """As number 1 of a container, ``bash -c`` gets no SIGTERM; what it started gets none either."""
    launch = bench.launch("deaf", shell_job("sleep 600 & echo $!; wait; echo not reached"))
    bench.start(launch)
    sink.wait_for("")
    bench.runner.terminate(launch.key)

    assert Ending(-signal.SIGKILL, "") == bench.ending(launch)
    assert_ended(int(sink.lines()[0]))


def test_without_first_process_rules_sigterm_ends_it(tmp_path: Path, s3: S3Client, sink: Sink) -> None:
    """The rule can be switched off: SIGTERM then does what it does to any process."""
    bench = Bench(tmp_path, s3, sink, grace=60.0, first_process_rules=False)
    launch = bench.launch("plain", shell_job("echo ready; exec sleep 600"))
    bench.start(launch)
    sink.wait_for("ready")
    bench.runner.terminate(launch.key)

    assert Ending(-signal.SIGTERM, "") == bench.ending(launch)


@linux_only
def test_what_a_job_leaves_running_ends_with_it(bench: Bench, sink: Sink) -> None:
    """A background process does not outlive its container, and does not keep the job from ending."""
    assert Ending(0, "") == bench.run(bench.launch("leaver", shell_job("sleep 600 & echo $!")))
    assert_ended(int(sink.lines()[0]))


def test_a_process_that_left_the_group_does_not_hold_the_job(bench: Bench) -> None:
    """A daemon that keeps the output open costs the job half a second, not its end."""
    script = "setsid sleep 20 & exit 4" if Path("/usr/bin/setsid").exists() else "exit 4"

    assert Ending(4, "") == bench.run(bench.launch("daemon", shell_job(script)))


def test_the_cache_lives_as_long_as_its_pool(bench: Bench, sink: Sink) -> None:
    """The persistent cache survives from job to job under both its names, and ends when the pool ends."""
    script = (
        "echo $1 >> $SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY/seen;"
        "cat /opt/ml/sagemaker/warmpoolcache/seen | tr '\\n' ' '; echo"
    )
    for name in ("one", "two", "three"):
        launch = bench.launch(name, shell_job(script.replace("$1", name)), cache=True)
        bench.run(launch)
        bench.runner.finish(launch)
        if name == "two":
            assert launch.cache is not None
            bench.runner.drop_cache(launch.cache)

    assert sink.lines() == ["one ", "one two ", "three "]


def test_ten_thousand_lines_all_arrive(bench: Bench, sink: Sink) -> None:
    """The log keeps up with a job that prints much: what was printed is there when the job has ended."""
    launch = bench.launch("chatty", shell_job("for i in 1 2 3 4 5 6 7 8 9 10; do seq 1000; done"))
    bench.runner.prepare(launch)
    bench.runner.start(launch)
    bench.ending(launch)

    assert len(sink.lines()) == 10_000


def test_a_killed_emulators_processes_end_at_the_next_start(
    bench: Bench, tmp_path: Path, s3: S3Client, sink: Sink
) -> None:
    """A runner that takes over a state directory ends what its predecessor left running."""
    launch = bench.launch("orphan", shell_job("echo ready; sleep 600"))
    bench.start(launch)
    sink.wait_for("ready")
    Bench(tmp_path, s3, Sink())

    assert Ending(-signal.SIGKILL, "") == bench.ending(launch)


def test_a_host_that_cannot_be_started_ends_those_that_were(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job starts as a whole or not at all."""
    started: list[int] = []
    start_host = SubprocessRunner._start_host

    def once(runner: SubprocessRunner, job: object, one: Container) -> HostProcess:
        if started:
            raise OSError("no more processes")
        process = start_host(runner, job, one)  # type: ignore[arg-type]
        started.append(process.pid)
        return process

    monkeypatch.setattr(SubprocessRunner, "_start_host", once)
    launch = bench.launch("half", shell_job("sleep 600"), hosts=2)
    bench.runner.prepare(launch)
    with pytest.raises(OSError, match="no more processes"):
        bench.runner.start(launch)

    if hasattr(os, "pidfd_open"):
        assert_ended(started[0])


def test_closing_a_runner_ends_its_jobs(bench: Bench, sink: Sink) -> None:
    """Nothing runs on after close."""
    launch = bench.launch("closed", shell_job("echo ready; sleep 600"))
    bench.start(launch)
    sink.wait_for("ready")
    bench.runner.close()

    assert Ending(-signal.SIGKILL, "") == bench.ending(launch)


def test_output_arrives_byte_for_byte(bench: Bench, sink: Sink) -> None:
    """What a script prints arrives byte for byte, whatever characters it has."""
    bench.run_script("print('größe \\U0001f600 \\t|')")
    assert sink.lines() == ["größe 😀 \t|"]


def test_a_log_that_takes_no_lines_does_not_stop_the_job(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A job that prints into a broken log still ends as it should; the loss is reported."""

    def refuse(*_: object) -> None:
        raise RuntimeError("full")

    monkeypatch.setattr(bench.sink, "write", refuse)

    assert bench.run_script("print('x')") == Ending(0, "")
    assert "lines of process" in caplog.text
