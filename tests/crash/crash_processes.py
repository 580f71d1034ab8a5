"""``wpfsm`` as a process, against an emulator that is one: what can be killed, suspended and signalled."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wpfsm.adapters.emulator.launch import ask
from wpfsm.fsm.records import Event, Loop
from wpfsm.state.database import open_existing
from wpfsm.state.history import History

PATIENCE = 90.0
"""Seconds until a wait is called hopeless: a loaded machine is slow."""


def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait for something, look often, and give up after :data:`PATIENCE` seconds."""
    deadline = time.monotonic() + PATIENCE
    while not (value := holds()):
        assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s for {what}"
        time.sleep(0.01)
    return value


@dataclass
class Service:
    """An emulator process."""

    url: str

    def records(self) -> dict[str, Any]:
        """Its jobs, pools and calls."""
        document = ask(self.url, "GET", "records")
        assert isinstance(document, dict)
        return document

    def jobs(self, loop: str) -> dict[str, dict[str, Any]]:
        """The jobs of one loop, by name."""
        return {job["name"]: job for job in self.records()["jobs"] if job["name"].startswith(f"{loop}-")}

    def created(self, loop: str) -> list[str]:
        """The job name of every create of a loop that was carried out, answered or not."""
        return [
            call["job"]
            for call in self.records()["calls"]
            if call["operation"] == "CreateTrainingJob"
            and call["outcome"] in ("ok", "cut-after-write")
            and call["job"].startswith(f"{loop}-")
        ]

    def described(self, loop: str) -> int:
        """How many reads of the jobs of one loop were answered."""
        calls = self.records()["calls"]
        return sum(c["operation"] == "DescribeTrainingJob" and c["job"].startswith(f"{loop}-") for c in calls)

    def fired(self, loop: str) -> bool:
        """Whether the one fault in force for a loop has happened."""
        rules: Any = ask(self.url, "GET", "faults")
        mine = [rule for rule in rules["faults"] if rule.get("job") == f"{loop}-*"]
        return not mine or mine[0]["fired"] > 0

    def inject(self, *faults: dict[str, Any]) -> None:
        """Put faults in force."""
        ask(self.url, "POST", "faults", list(faults))

    def heal(self) -> None:
        """Drop every fault."""
        ask(self.url, "DELETE", "faults")


@contextlib.contextmanager
def serving(state: Path) -> Iterator[Service]:
    """An emulator process with quick starts."""
    command = [sys.executable, "-m", "wpfsm.adapters.emulator", "--state", str(state), "--cold-start", "0.1"]
    command += ["--warm-start", "0.05", "--stop-grace", "0.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Service(process.stdout.readline().strip())
        process.send_signal(signal.SIGTERM)


def _as_from_a_shell(has_terminal: bool) -> None:
    """Take the terminal, and hear a hang-up though the tests themselves were started with ``nohup``."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if has_terminal:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@dataclass
class Cli:
    """The command line with a database of its own, and a loop in it."""

    folder: Path
    service: Service
    name: str
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "wpfsm.db"

    def write(
        self, *, runs: str, rates: list[float], instance_type: str = "ml.m5.large", **more: Any
    ) -> Path:
        """A loop file whose jobs run a line of bash."""
        request = {
            "AlgorithmSpecification": {
                "TrainingImage": "image", "TrainingInputMode": "File",
                "ContainerEntrypoint": ["/bin/bash", "-c"], "ContainerArguments": [runs],
            },
            "RoleArn": "arn:aws:iam::123456789012:role/Train",
            "OutputDataConfig": {"S3OutputPath": "s3://processes/out"},
            "ResourceConfig": {"InstanceType": instance_type, "InstanceCount": 1, "VolumeSizeInGB": 10},
        }  # fmt: skip
        loop = {
            "version": 1, "name": self.name, "backend": "local",
            "pool": {"instance_type": instance_type, "keep_alive": "10m", "volume_gb": 10},
            "job": {"request": "request.json", "max_runtime": "5m"},
            "strategy": {"type": "sweep", "method": "grid", "parameters": {"lr": rates}},
            **more,
        }  # fmt: skip
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "request.json").write_text(json.dumps(request))
        path = self.folder / f"{self.name}.yaml"
        path.write_text(json.dumps(loop))
        return path

    def spawn(self, *words: str | Path, terminal: int | None = None) -> subprocess.Popen[str]:
        """Start a verb; with ``terminal``, the end of one, as what was typed into it."""
        # A file for each stream: a pipe that nobody reads would hold the controller.
        number = len(self.processes)
        with (
            (self.folder / f"out-{number}").open("w") as out,
            (self.folder / f"err-{number}").open("w") as err,
        ):
            process = subprocess.Popen(
                [sys.executable, "-m", "wpfsm.cli", *map(str, words), "--db", str(self.database),
                 "--endpoint-url", self.service.url],
                stdin=subprocess.DEVNULL if terminal is None else terminal,
                stdout=out if terminal is None else terminal, stderr=err if terminal is None else terminal,
                text=True, cwd=self.folder, env={"PATH": os.environ["PATH"], "HOME": str(self.folder)},
                start_new_session=terminal is not None, preexec_fn=lambda: _as_from_a_shell(terminal is not None),
            )  # fmt: skip
        self.processes.append(process)
        return process

    def said(self, process: subprocess.Popen[str]) -> str:
        """What a process wrote to stderr."""
        return (self.folder / f"err-{self.processes.index(process)}").read_text()

    def run(self, *words: str | Path) -> tuple[int, str]:
        """Run a verb to its end; exit code and stderr."""
        process = self.spawn(*words)
        return process.wait(PATIENCE), self.said(process)

    def loop(self) -> Loop | None:
        """The loop, once there is one."""
        if not self.database.exists():
            return None
        with contextlib.closing(open_existing(self.database)) as connection:
            return History(connection).newest()

    def epoch(self) -> int:
        """How often the loop was taken over; -1 before there is one."""
        loop = self.loop()
        return loop.epoch if loop else -1

    def events(self) -> list[Event]:
        """Its history."""
        loop = self.loop()
        assert loop is not None
        with contextlib.closing(open_existing(self.database)) as connection:
            return list(History(connection).events(loop.id))

    def running(self) -> Loop:
        """Wait until the loop's first job trains."""

        def trains() -> Loop | None:
            loop = self.loop()
            jobs = self.service.jobs(loop.id) if loop else {}
            return loop if any(job["phase"] == "running" for job in jobs.values()) else None

        found: Loop = until(trains, "a job that trains")
        return found

    def violations(self) -> list[str]:
        """What is wrong with a closed loop, by the service's records and by its own history."""
        loop = self.loop()
        assert loop is not None
        counts = Counter(self.service.created(loop.id))
        jobs = self.service.jobs(loop.id)
        sequence = [event.seq for event in self.events()]
        with contextlib.closing(open_existing(self.database)) as connection:
            owed = [o.job_name for o in History(connection).obligations(loop.id) if o.status == "owed"]
        return [
            *(f"{name} was created {count} times" for name, count in counts.items() if count > 1),
            *(f"{name} is {job['status']}" for name, job in jobs.items() if job["status"] in ("InProgress", "Stopping")),
            *(f"{name} holds a pool" for name, job in jobs.items() if job["pool_status"] in ("Available", "InUse")),
            *(["the history has a gap"] if sequence != list(range(1, len(sequence) + 1)) else []),
            *([f"the loop is {loop.state}"] if loop.state != "Closed" else []),
            *([f"owed: {owed}"] if owed else []),
            *([] if loop.receipt or loop.state != "Closed" else ["no receipt"]),
        ]  # fmt: skip

    def close(self) -> None:
        """End what still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
