"""A place to run the real program in: a folder, a database, an emulator of its own process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

from click.testing import CliRunner

from wpfsm.adapters.emulator.launch import ask
from wpfsm.cli import cli
from wpfsm.fsm.errors import NotFound
from wpfsm.fsm.records import Job, Loop
from wpfsm.state.database import open_existing
from wpfsm.state.history import History

T = TypeVar("T")
WPFSM = Path(sys.executable).parent / "wpfsm"

OK = "print('eval_loss=' + str(abs(float(h['lr']) - 0.01)))"
"""A script that reports a metric, from the hyperparameter lr."""
SLOW = "print('eval_loss=1.0', flush=True); time.sleep(float(h.get('seconds', 60)))"
BROKEN = "import a_module_that_nobody_wrote"

NO_ROOM = "ml.c5.xlarge"
"""The session's emulator has no warm pool quota for it."""


@dataclass(frozen=True)
class Ran:
    """One run of the program."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The objects on stdout, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Bench:
    """Runs ``wpfsm`` as a user would, in a folder of its own.

    Args:
        folder: For loop files, the database and the home directory.
        url: The emulator's endpoint; empty for none.
    """

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.url = url
        self.database = folder / "wpfsm.db"
        self.started: list[subprocess.Popen[str]] = []

    @property
    def environment(self) -> dict[str, str]:
        """What the program finds: nothing of the developer's."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        given = {"HOME": str(self.folder), "WPFSM_DB": str(self.database), "COLUMNS": "120"}
        return {**kept, **given, **({"AWS_ENDPOINT_URL": self.url} if self.url else {})}

    def run(self, *words: str | Path, stdin: str = "", timeout: float = 120, **variables: str) -> Ran:
        """Run the program to its end."""
        done = subprocess.run(
            [WPFSM, *map(str, words)], cwd=self.folder, env={**self.environment, **variables},
            input=stdin, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    def begin(self, *words: str | Path) -> subprocess.Popen[str]:
        """Run the program beside the test; what is left of it ends with the test."""
        process = subprocess.Popen(
            [WPFSM, *map(str, words)], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def end(self) -> None:
        """Kill what still runs."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def loop(
        self, name: str, script: str = OK, *, instance_type: str = "ml.m5.large", more: str = ""
    ) -> Path:
        """Write a loop file whose jobs run one line of Python, and return its path.

        The role is the loop's own, so that no other test's job matches its pool.
        """
        code = f"import json, time; h = {{k: json.loads(v) for k, v in json.load(open('/opt/ml/input/config/hyperparameters.json')).items()}}; {script}"
        request = {
            "RoleArn": f"arn:aws:iam::123456789012:role/{name}",
            "AlgorithmSpecification": {
                "TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/train:1",
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python3", "-c"],
                "ContainerArguments": [code],
            },
            "OutputDataConfig": {"S3OutputPath": "s3://sagemaker-us-east-1-123456789012/out"},
            "ResourceConfig": {"InstanceType": instance_type, "InstanceCount": 1, "VolumeSizeInGB": 30},
        }
        (self.folder / f"{name}.json").write_text(json.dumps(request))
        if "strategy:" not in more:
            more += "\nstrategy: {type: sweep, method: grid, parameters: {lr: [1e-3, 1e-2]}}"
        file = self.folder / f"{name}.yaml"
        file.write_text(
            f"version: 1\nname: {name}\n"
            f"pool: {{instance_type: {instance_type}, keep_alive: 10m}}\n"
            f"job: {{request: {name}.json, max_runtime: 5m}}\n"
            f"metric: {{name: eval_loss, goal: minimize, regex: 'eval_loss=([0-9.eE+-]+)'}}\n{more}\n"
        )
        return file

    def fault(self, **fault: Any) -> None:
        """Let something go wrong in the emulator; say with ``job`` for which loop."""
        ask(self.url, "POST", "faults", fault)

    def document(self, loop: str) -> Any:
        """What ``inspect LOOP -o json`` prints."""
        return self.run("inspect", loop, "-o", "json").json

    def killed(self, loop: str) -> Any:
        """A loop whose controller was killed while its job ran; returns its document."""
        process = self.begin("start", self.loop(loop, SLOW))
        self.wait_running(loop)
        process.kill()
        process.wait()
        return self.document(loop)

    def wait_running(self, loop: str) -> None:
        """Wait until a job of the loop trains."""
        self.wait_until(loop, lambda _, jobs: bool(jobs) and jobs[-1].secondary_status == "Training")

    def wait_until(self, loop: str, seen: Callable[[Loop, Sequence[Job]], bool]) -> None:
        """Wait for what a loop's rows say; they are read here, because every run of the program takes a second of a core."""

        def look() -> bool | None:
            with (
                contextlib.suppress(NotFound),
                contextlib.closing(open_existing(self.database)) as connection,
            ):
                history = History(connection)
                found = history.find(loop)
                return seen(found, history.jobs(found.id)) or None
            return None

        wait_for(look)


class InProcess(Bench):
    """The same program in the test's own process, for verbs that start nothing: it saves the start of a Python."""

    def run(self, *words: str | Path, stdin: str = "", timeout: float = 120, **variables: str) -> Ran:
        """Run the program to its end."""
        given = list(map(str, words))
        with (
            contextlib.chdir(self.folder),
            patch.dict(os.environ, {**self.environment, **variables}, clear=True),
            patch.object(sys, "argv", ["wpfsm", *given]),
        ):
            result = CliRunner().invoke(cli, given, input=stdin, prog_name="wpfsm")
        unhandled = result.exception and not isinstance(result.exception, SystemExit)
        trace = "".join(traceback.format_exception(result.exception)) if unhandled else ""
        return Ran(result.exit_code, result.stdout, result.stderr + trace)


def wait_for(look: Callable[[], T | None], timeout: float = 120.0) -> T:
    """Look until there is something to see."""
    deadline = time.monotonic() + timeout
    while (found := look()) is None:
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found
