"""What a job's processes see, and what becomes of them."""

from __future__ import annotations

import os
import select
import signal
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runner_bench import ACCOUNT, BUCKET, PATIENCE, REGION, Bench, Sink, printed_json, python_job, shell_job

from wpfsm.adapters.emulator.runner.base import Ending, JobFailed, JSONValue
from wpfsm.adapters.emulator.runner.container import Container, containers
from wpfsm.adapters.emulator.runner.processes import HostProcess
from wpfsm.adapters.emulator.runner.subprocess import SubprocessRunner

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PRINT_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"
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


def channel(name: str, uri: str, **source: str) -> dict[str, object]:
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, **source}},
    }


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


def test_nothing_of_the_users_environment_reaches_a_job(
    monkeypatch: pytest.MonkeyPatch, bench: Bench, sink: Sink
) -> None:
    """The variables of a job are the documented ones and those of its request, and no other."""
    for name in (
        "AWS_SECRET_ACCESS_KEY",
        "HF_TOKEN",
        "PIP_INDEX_URL",
        "PYTHONPATH",
        "LD_PRELOAD_X",
        "VIRTUAL_ENV",
    ):
        monkeypatch.setenv(name, "hunter2")
    bench.run_script(PRINT_ENVIRONMENT, Environment={"MODE": "fast", "CACHE": "/opt/ml/sagemaker/x:/opt/mlx"})
    seen = printed_json(sink)

    assert isinstance(seen, dict)
    root = str(seen["HOME"]).removesuffix("/root")
    expected = {
        "HOME": f"{root}/root",
        "LANG": "C.UTF-8",
        "PATH": f"{root}/env/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONUNBUFFERED": "TRUE",
        "TMPDIR": f"{root}/tmp",
        "TRAINING_JOB_NAME": "job",
        "TRAINING_JOB_ARN": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/job",
        "SAGEMAKER_BASE_DIR": f"{root}/opt/ml",
        "AWS_EC2_METADATA_DISABLED": "true",
        "MODE": "fast",
        "CACHE": f"{root}/opt/ml/sagemaker/x:/opt/mlx",
    }
    seen.pop("LC_CTYPE", None)  # Python sets it for itself
    seen.pop("__CF_USER_TEXT_ENCODING", None)  # so does macOS
    assert expected == seen


def test_configuration_files_are_those_of_the_service(bench: Bench, sink: Sink, s3: S3Client) -> None:
    """Hyperparameters, channels and hosts are found where the developer guide says."""
    s3.put_object(Bucket=BUCKET, Key="data/a.csv", Body=b"1,2")
    script = (
        "import json, sys; root = sys.argv[1] + '/input/config/';"
        "names = ('hyperparameters', 'inputdataconfig', 'resourceconfig');"
        "print(json.dumps([json.load(open(root + name + '.json')) for name in names]))"
    )
    request = python_job(script, "/opt/ml") | {
        "HyperParameters": {"lr": "0.1"},
        "InputDataConfig": [
            channel("train", f"s3://{BUCKET}/data/", S3DataDistributionType="ShardedByS3Key")
        ],
    }
    bench.run(bench.launch("conf", request))  # type: ignore[arg-type]

    parameters, channels, resources = printed_json(sink)  # type: ignore[misc, str-unpack]
    assert parameters == {"lr": "0.1"}
    assert channels["train"]["S3DistributionType"] == "ShardedByS3Key"  # type: ignore[index, call-overload]
    assert tuple(
        resources[name]  # type: ignore[index, call-overload]
        for name in ("current_host", "hosts", "current_instance_type")
    ) == ("algo-1", ["algo-1"], "ml.m5.large")


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


def test_model_and_output_become_archives(bench: Bench, s3: S3Client) -> None:
    """What a job leaves in its model and output directories is found in S3 where the service puts it."""
    script = "mkdir /opt/ml/model/sub; echo w > /opt/ml/model/sub/w; echo plot > /opt/ml/output/data/plot"
    launch = bench.launch("leaves", shell_job(script))
    bench.run(launch)

    assert f"s3://{BUCKET}/out/leaves/output/model.tar.gz" == bench.runner.finish(launch)
    for name, expected in (("model", "sub/w"), ("output", "plot")):
        body = s3.get_object(Bucket=BUCKET, Key=f"out/leaves/output/{name}.tar.gz")["Body"].read()
        with tarfile.open(fileobj=BytesIO(body)) as archive:
            assert [expected] == archive.getnames()
    assert not launch.workdir.exists()


def test_without_compression_the_files_are_plain_objects(bench: Bench, s3: S3Client) -> None:
    """OutputDataConfig's CompressionType NONE uploads the files as they are."""
    output = {"S3OutputPath": f"s3://{BUCKET}/raw/", "CompressionType": "NONE"}
    launch = bench.launch("plain", shell_job("echo w > /opt/ml/model/w") | {"OutputDataConfig": output})  # type: ignore[dict-item]
    bench.run(launch)

    assert f"s3://{BUCKET}/raw/plain/output/model/" == bench.runner.finish(launch)
    assert s3.get_object(Bucket=BUCKET, Key="raw/plain/output/model/w")["Body"].read() == b"w\n"


def test_a_job_without_a_model_has_no_archive(bench: Bench) -> None:
    """No model directory content, no model URI."""
    bench.run_script("pass")

    assert bench.model is None


def test_an_output_bucket_that_does_not_exist_fails_the_job(bench: Bench) -> None:
    """The reason names what S3 said; the job's directory is cleared all the same."""
    output = {"S3OutputPath": "s3://no-such-bucket/out"}
    launch = bench.launch("lost", shell_job("echo w > /opt/ml/model/w") | {"OutputDataConfig": output})  # type: ignore[dict-item]
    bench.run(launch)

    with pytest.raises(JobFailed, match=r"^ClientError: Artifact upload failed:.*NoSuchBucket"):
        bench.runner.finish(launch)
    assert not launch.workdir.exists()


def test_checkpoints_are_restored_and_kept(bench: Bench, s3: S3Client, sink: Sink) -> None:
    """A job finds the checkpoints that an earlier one wrote, even one that failed."""
    s3.put_object(Bucket=BUCKET, Key="ckpt/epoch", Body=b"1\n")
    script = "cd /opt/ml/checkpoints; read -r old < epoch; echo $((old + 1)) > epoch; cat epoch; exit 1"
    for name in ("one", "two"):
        checkpoint = {"S3Uri": f"s3://{BUCKET}/ckpt"}
        launch = bench.launch(name, shell_job(script) | {"CheckpointConfig": checkpoint})  # type: ignore[dict-item]
        bench.run(launch)
        bench.runner.finish(launch)

    assert sink.lines() == ["2", "3"]
    assert s3.get_object(Bucket=BUCKET, Key="ckpt/epoch")["Body"].read() == b"3\n"


def test_a_checkpoint_path_stays_inside(bench: Bench, tmp_path: Path) -> None:
    """A LocalPath that leads out fails the job, and nothing is written where it leads."""
    checkpoint: dict[str, JSONValue] = {
        "S3Uri": f"s3://{BUCKET}/ckpt", "LocalPath": "/opt/ml/../../../../outside"
    }  # fmt: skip
    launch = bench.launch("out", shell_job("true") | {"CheckpointConfig": checkpoint})
    with pytest.raises(JobFailed, match=r"^ClientError: the checkpoint path .* leads out"):
        bench.runner.prepare(launch)
    assert not list(tmp_path.rglob("outside"))


def test_the_machine_s_role_stays_out_of_reach(bench: Bench, sink: Sink) -> None:
    """Not even the job's own Environment brings the metadata service of the machine back."""
    bench.run_script(PRINT_ENVIRONMENT, Environment={"AWS_EC2_METADATA_DISABLED": "false"})
    seen = printed_json(sink)
    assert isinstance(seen, dict)
    assert seen["AWS_EC2_METADATA_DISABLED"] == "true"


def test_hyperparameters_that_name_opt_ml_name_the_job_s_own(bench: Bench, sink: Sink) -> None:
    """A parameter such as ``/opt/ml/checkpoints`` leads a script to where the files are."""
    script = (
        "import json, os; where = json.load(open('/opt/ml/input/config/hyperparameters.json'))['where'];"
        "print(os.path.samefile(where, os.path.join(os.environ['SAGEMAKER_BASE_DIR'], 'checkpoints')))"
    )
    bench.run_script(script, HyperParameters={"where": "/opt/ml/checkpoints"})
    assert sink.lines() == ["True"]


def test_the_names_of_hosts_resolve_in_python(bench: Bench, sink: Sink) -> None:
    """Two hosts of a job find one another as algo-1 and algo-2, whatever a Python program connects with."""
    script = (
        "import asyncio, json, os, socket, sys\n"
        "me = json.load(open('/opt/ml/input/config/resourceconfig.json'))['current_host']\n"
        "assert socket.gethostbyname('algo-2') == '127.0.0.1'\n"
        "server = socket.socket()\n"
        "server.bind((me, 0)); server.listen()\n"
        "port = server.getsockname()[1]\n"
        "socket.create_connection((me, port)).close()\n"
        "client = socket.socket(); client.connect((me, port)); client.close()\n"
        "loop = asyncio.new_event_loop()\n"
        "loop.run_until_complete(asyncio.open_connection(me, port))\n"
        "try: socket.gethostbyname('algo-x')\n"
        "except OSError: print(me, 'reached')\n"
    )
    ending = bench.run_script(script, hosts=2)
    assert Ending(0, "") == ending
    assert [sink.lines(host) for host in ("algo-1", "algo-2")] == [["algo-1 reached"], ["algo-2 reached"]]


def test_a_missing_train_says_what_helps(bench: Bench, sink: Sink) -> None:
    """Whoever brings a framework's image learns how an environment is put in its place."""
    algorithm: dict[str, JSONValue] = {"TrainingImage": "1.dkr.ecr/sklearn:1"}
    assert bench.run(bench.launch("bare", {"AlgorithmSpecification": algorithm})).exit_code == 127
    assert "--image" in sink.lines()[-1]
    assert "1.dkr.ecr/sklearn:1" in sink.lines()[-1]


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


def test_a_directory_with_a_space_in_its_name_does_not_break_a_job(
    tmp_path: Path, s3: S3Client, sink: Sink
) -> None:
    """State directories such as ``Application Support`` are reached through a link without a space."""
    bench = Bench(tmp_path / "with a space", s3, sink)
    launch = bench.launch("spaced", shell_job("cd /opt/ml/model && echo w > w && command -v python3"))
    bench.run(launch)

    assert " " not in sink.lines()[0]
    assert bench.runner.finish(launch) is not None


def test_links_to_jobs_that_are_gone_are_removed(tmp_path: Path, s3: S3Client, sink: Sink) -> None:
    """A killed emulator's short names do not pile up."""
    bench = Bench(tmp_path / ("deep" * 20), s3, sink)
    launch = bench.launch("gone", shell_job("true"))
    link = containers(launch)[0].root.parent
    launch.workdir.rmdir()
    assert link.is_symlink()
    Bench(tmp_path, s3, sink)

    assert not link.is_symlink()


def test_a_deep_directory_leaves_room_for_sockets(tmp_path: Path, s3: S3Client, sink: Sink) -> None:
    """Multiprocessing puts sockets below TMPDIR, whose names must stay short."""
    bench = Bench(tmp_path / ("deep" * 20), s3, sink)

    assert bench.run_script(
        "from multiprocessing.connection import Listener; print(Listener(family='AF_UNIX').address)"
    ) == Ending(0, "")


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


def test_drivers_of_the_sdk_name_the_jobs_own_directory(bench: Bench, s3: S3Client, sink: Sink) -> None:
    """In the channel ``sm_drivers`` each ``/opt/ml`` is replaced; in the user's own channels nothing is."""
    for key in ("drv/run.sh", "code/run.sh"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"ls -d /opt/ml/model # /opt/mlx")
    s3.put_object(Bucket=BUCKET, Key="drv/blob", Body=b"/opt/ml \xff")
    request = shell_job(
        "cd /opt/ml/input/data; cat sm_drivers/run.sh code/run.sh; cmp sm_drivers/blob other/blob"
    ) | {
        "InputDataConfig": [
            channel("sm_drivers", f"s3://{BUCKET}/drv/"),
            channel("code", f"s3://{BUCKET}/code"),
            channel("other", f"s3://{BUCKET}/drv/blob"),
        ]
    }
    launch = bench.launch("drv", request)  # type: ignore[arg-type]
    ml = containers(launch)[0].ml

    assert Ending(0, "") == bench.run(launch)
    assert [f"ls -d {ml}/model # /opt/mlxls -d /opt/ml/model # /opt/mlx"] == sink.lines()


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
