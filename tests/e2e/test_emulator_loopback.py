"""Nothing but loopback is reached: every connection of the emulator and of a job is written down and looked at."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from emulator_jobs import IMAGE, ROLE, wait_terminal
from mypy_boto3_sagemaker.client import SageMakerClient

from wpfsm.adapters.emulator.launch import find, stop
from wpfsm.adapters.emulator.runner.images import Images, make_environment

WATCH = """\
import json, os, sys

def watch(event, arguments):
    if event in {"socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo"}:
        address = arguments[0] if event == "socket.getaddrinfo" else arguments[1]
        host = address[0] if isinstance(address, tuple) else address
        line = json.dumps([os.path.basename(sys.argv[0]), event, str(host)])
        descriptor = os.open(LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, line.encode() + b"\\n")
        os.close(descriptor)

sys.addaudithook(watch)
"""


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An emulator whose every Python process, its jobs' included, writes down where it connects to."""
    ledger = tmp_path / "connections"
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(f"LEDGER = {os.fspath(ledger)!r}\n{WATCH}")
    image = make_environment(Images(tmp_path / "images", {}).find(None), tmp_path / "image", "").parent
    packages = next(image.glob("lib/python3*/site-packages"))
    (packages / "sitecustomize.py").write_text(f"LEDGER = {os.fspath(ledger)!r}\n{WATCH}")
    state = tmp_path / "state"
    process = subprocess.Popen(
        [sys.executable, "-m", "wpfsm.adapters.emulator", "--state", state, "--image", f"{IMAGE}={image}"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(tmp_path / "hook")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    yield url, ledger
    stop(state)
    assert find(state) is None
    process.stdout.close()
    process.wait()


def connect(url: str) -> SageMakerClient:
    """Return a client of that endpoint, and make the bucket that the job needs."""
    session = boto3.Session("123456789012", "made-up", region_name="us-east-1")
    session.client("s3", endpoint_url=url).create_bucket(Bucket="training")
    return session.client("sagemaker", endpoint_url=url)


def is_loopback(host: str) -> bool:
    """Tell whether an address is this machine's own; a name that is not an address is not."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in {"localhost", ""} or host.startswith("/")


def test_nothing_but_loopback_is_reached(watched: tuple[str, Path]) -> None:
    """A whole job, with input, pip and output: each address that is bound, looked up or connected to is loopback."""
    url, ledger = watched
    sagemaker = connect(url)
    sagemaker.create_training_job(
        TrainingJobName="quiet",
        RoleArn=ROLE,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash", "-c"],
            "ContainerArguments": [
                "pip list && python3 -c \"import socket; socket.create_connection(('127.0.0.1', PORT)).close()\""
                " && echo model > /opt/ml/model/m".replace("PORT", url.rsplit(":", 1)[1])
            ],
        },
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        OutputDataConfig={"S3OutputPath": "s3://training/out"},
    )
    job = wait_terminal(sagemaker, "quiet")
    assert job["TrainingJobStatus"] == "Completed", job

    seen = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert {"socket.bind", "socket.connect"} <= {event for _, event, _ in seen}, "the watch does not watch"
    assert "-c" in {program for program, _, _ in seen}, "the watch does not see the job"
    assert [entry for entry in seen if not is_loopback(entry[2])] == []


@pytest.mark.skipif(
    not sys.platform.startswith("linux")
    or subprocess.run(
        "unshare -rn sh -c 'ip link set lo up'", shell=True, capture_output=True, check=False
    ).returncode,
    reason="the system lets nobody make a network of one's own",
)
def test_it_works_on_a_machine_without_a_network(tmp_path: Path) -> None:
    """In a network namespace that has a loopback interface and nothing else, a job runs from start to end."""
    script = f"ip link set lo up && exec {sys.executable} {__file__} {tmp_path}"
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=180
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "Completed"


def main(state: Path) -> None:
    """Run one job in an emulator of its own: what the test above starts."""
    from wpfsm.adapters.emulator.launch import ensure

    sagemaker = connect(ensure(state, options=["--cold-start", "0"]).url)
    sagemaker.create_training_job(
        TrainingJobName="alone",
        RoleArn=ROLE,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "-c", "print('alone')"],
        },
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        OutputDataConfig={"S3OutputPath": "s3://training/out"},
    )
    print(wait_terminal(sagemaker, "alone")["TrainingJobStatus"])
    stop(state)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
