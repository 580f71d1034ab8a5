"""A runner over an in-memory S3, without the engine: what the engine would call, the tests call."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wpfsm.adapters.emulator.runner.base import Ending, JSONValue, Launch, LogLine
from wpfsm.adapters.emulator.runner.subprocess import SubprocessRunner

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

BUCKET = "training"
ACCOUNT, REGION = "123456789012", "us-east-1"
PATIENCE = 90.0


@dataclass
class Sink:
    """Keeps what jobs print."""

    written: list[tuple[str, LogLine]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def write(self, account: str, region: str, stream: str, lines: Sequence[LogLine]) -> None:
        with self.arrived:
            self.written += [(stream, line) for line in lines]
            self.arrived.notify_all()

    def lines(self, host: str = "algo-1") -> list[str]:
        return [text for stream, (_, text) in self.written if f"/{host}-" in stream]

    def wait_for(self, text: str) -> None:
        """Wait until a line that contains ``text`` has arrived."""
        with self.arrived:
            seen = self.arrived.wait_for(lambda: any(text in line for _, (_, line) in self.written), PATIENCE)
        assert seen, f"no {text!r} in {self.written}"


class Bench:
    """Runs jobs as the engine would."""

    def __init__(self, root: Path, s3: S3Client, sink: Sink, **options: object) -> None:
        self.root = root
        self.s3 = s3
        self.sink = sink
        self.ended: dict[str, threading.Event] = {}
        self.runner = SubprocessRunner(root / "state", logs=sink, s3=lambda _account, _region: s3, **options)  # type: ignore[arg-type]
        self.runner.on_exit(lambda key: self.ended[key].set())

    def launch(
        self, name: str, request: Mapping[str, JSONValue], *, hosts: int = 1, cache: bool = False
    ) -> Launch:
        """Make the launch of a job; its output goes to the bucket unless the request says otherwise."""
        workdir = self.root / "jobs" / name
        workdir.mkdir(parents=True)
        key = f"{ACCOUNT}/{REGION}/{name}"
        self.ended[key] = threading.Event()
        return Launch(
            key=key,
            account=ACCOUNT,
            region=REGION,
            name=name,
            arn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name}",
            request={"OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"}, **request},
            instance_type="ml.m5.large",
            instance_count=hosts,
            workdir=workdir,
            cache=self.root / "cache" if cache else None,
        )

    def start(self, launch: Launch) -> None:
        self.runner.prepare(launch)
        self.runner.start(launch)

    def ending(self, launch: Launch) -> Ending:
        """Wait for the job's processes."""
        assert self.ended[launch.key].wait(PATIENCE), "the job did not end"
        ending = self.runner.poll(launch.key)
        assert ending is not None
        return ending

    def run(self, launch: Launch) -> Ending:
        self.start(launch)
        return self.ending(launch)

    def run_script(
        self, script: str, *, name: str = "job", hosts: int = 1, cache: bool = False, **request: JSONValue
    ) -> Ending:
        """Run a Python script as a whole job."""
        launch = self.launch(name, python_job(script) | request, hosts=hosts, cache=cache)
        ending = self.run(launch)
        self.model = self.runner.finish(launch)
        return ending


def python_job(script: str, *arguments: str) -> dict[str, JSONValue]:
    """Return the part of a request that runs a Python script."""
    return {
        "AlgorithmSpecification": {
            "ContainerEntrypoint": ["python3", "-c", script],
            "ContainerArguments": list(arguments),
        }
    }


def shell_job(script: str) -> dict[str, JSONValue]:
    """Return the part of a request that runs a shell script."""
    return {"AlgorithmSpecification": {"ContainerEntrypoint": ["/bin/bash", "-c", script]}}


def printed_json(sink: Sink, host: str = "algo-1") -> JSONValue:
    """Return the JSON document that is the last line of a job."""
    return json.loads(sink.lines(host)[-1])  # type: ignore[no-any-return]
