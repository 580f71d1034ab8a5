"""The emulator as a process: it listens soon, alone, on loopback only, and ends when it should."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from emulator_process import PATIENCE, Process, emulator_process, until
from emulator_requests import training_job


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """An emulator for the tests that change nothing in it."""
    with emulator_process(tmp_path_factory.mktemp("served")) as process:
        yield process


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def entry(command: str) -> dict[str, object]:
    return {"algorithm": {"ContainerEntrypoint": ["/bin/sh", "-c"], "ContainerArguments": [command]}}


def test_endpoint_json_says_where_and_goes_with_the_process(state: Path) -> None:
    """DIR/endpoint.json names URL, process, start and version while the emulator lives, and not after."""
    with emulator_process(state) as process:
        document = json.loads((state / "endpoint.json").read_text())
        assert (document["url"], document["pid"]) == (process.url, process.popen.pid)
        assert {"started_at", "version"} <= set(document)
    assert not (state / "endpoint.json").exists()
    assert process.popen.returncode == 0


def test_one_emulator_per_state_directory(state: Path) -> None:
    """A second emulator on the same directory ends with an error that says so; the first is unharmed."""
    with emulator_process(state) as process:
        command = [sys.executable, "-m", "wpfsm.adapters.emulator", "--state", str(state)]
        second = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert second.returncode == 1
        assert "another emulator serves" in second.stderr
        assert second.stdout == ""
        assert process.get("health")["pid"] == process.popen.pid


def test_it_binds_loopback_only(state: Path) -> None:
    """The port is open on 127.0.0.1 and on no other address of this machine."""
    with emulator_process(state) as process:
        port = urlsplit(process.url).port
        assert urlsplit(process.url).hostname == "127.0.0.1"
        listening = Path(f"/proc/{process.popen.pid}/net/tcp").read_text().splitlines()[1:]
        bound = [row.split()[1] for row in listening if row.split()[3] == "0A"]
        assert f"0100007F:{port:04X}" in bound
        assert not [b for b in bound if b.endswith(f":{port:04X}") and not b.startswith("0100007F")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(state: Path, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C end the emulator with code 0, and its running jobs' processes with it."""
    with emulator_process(state, "--cold-start", "0") as process:
        sagemaker = process.client("sagemaker")
        sagemaker.create_training_job(**training_job("j", **entry("exec sleep 1000")))
        until(
            lambda answer: answer["SecondaryStatus"] == "Training",
            lambda: sagemaker.describe_training_job(TrainingJobName="j"),
        )
        process.popen.send_signal(number)
        assert process.popen.wait(PATIENCE) == 0


def test_it_ends_by_itself_when_idle(state: Path) -> None:
    """With --idle-exit it ends when nothing was asked, nothing runs and no pool is kept; not before."""
    with emulator_process(state, "--idle-exit", "1.5", "--cold-start", "0") as process:
        process.send("CreateTrainingJob", training_job("j", **entry("true")))
        until(
            lambda answer: answer.get("WarmPoolStatus", {}).get("Status") == "Available",
            lambda: process.send("DescribeTrainingJob", {"TrainingJobName": "j"}),
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.popen.wait(2.5)
        keep_alive = {"KeepAlivePeriodInSeconds": 1}
        process.send("UpdateTrainingJob", {"TrainingJobName": "j", "ResourceConfig": keep_alive})
        assert process.popen.wait(PATIENCE) == 0


def test_a_cut_connection_over_http(state: Path, tmp_path: Path) -> None:
    """The fault cuts the connection after the write: the client has no answer, the job exists."""
    faults = tmp_path / "faults.json"
    faults.write_text(
        json.dumps([{"kind": "timeout_after_write", "operation": "CreateTrainingJob", "nth": 1}])
    )
    with emulator_process(state, "--faults", str(faults)) as process:
        sagemaker = process.client("sagemaker")
        with pytest.raises((ConnectionClosedError, ReadTimeoutError)):
            sagemaker.create_training_job(**training_job("j"))
        assert sagemaker.describe_training_job(TrainingJobName="j")["TrainingJobName"] == "j"


def test_an_idle_emulator_uses_no_processor(state: Path) -> None:
    """While nobody asks and a pool waits for its keep-alive, the process sleeps."""

    def processor_seconds(pid: int) -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    with emulator_process(state, "--cold-start", "0") as process:
        sagemaker = process.client("sagemaker")
        sagemaker.create_training_job(**training_job("j", **entry("true")))
        until(
            lambda answer: answer["TrainingJobStatus"] == "Completed",
            lambda: sagemaker.describe_training_job(TrainingJobName="j"),
        )
        process.client("s3").list_buckets()  # the fallback has loaded by now
        before = processor_seconds(process.popen.pid)
        threading.Event().wait(1.0)
        assert processor_seconds(process.popen.pid) - before <= 0.05


def test_the_fallback_answers_the_rest(state: Path) -> None:
    """S3 works through the same endpoint, and what nobody offers is a 400 in the client's protocol."""
    with emulator_process(state) as process:
        s3 = process.client("s3")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="k/ey", Body=b"0123456789" * 1000)
        assert s3.get_object(Bucket="bucket", Key="k/ey", Range="bytes=5-9")["Body"].read() == b"56789"
        with pytest.raises(ClientError) as refused:
            process.client("sagemaker").list_flow_definitions()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_port_that_is_taken_is_an_error(served: Process, tmp_path: Path) -> None:
    """An emulator that cannot listen on its port says so and ends with code 1."""
    port = str(urlsplit(served.url).port)
    command = [sys.executable, "-m", "wpfsm.adapters.emulator", "--state", str(tmp_path), "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    assert port in done.stderr or "in use" in done.stderr
    assert done.stdout == ""
