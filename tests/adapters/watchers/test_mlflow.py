"""Loops in MLflow: one run a loop and one a trial, whatever becomes of the controller or of the server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_bench import Bench, wait_for
from report_loops import LOOP_FILE, Made, write_loop

from wpfsm.adapters.terminal.output import Options
from wpfsm.adapters.verbs.drive import send_again
from wpfsm.adapters.watchers.mlflow import is_tracked, place_of, tracker_for
from wpfsm.fsm.loopfile.load import parse
from wpfsm.fsm.records import Trial
from wpfsm.fsm.request.compose import free_members
from wpfsm.state.database import open_existing
from wpfsm.state.history import History

ARN = "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/mine"
FILE = """\
version: 1
name: tracked
pool: {instance_type: ml.m5.large, role: 'arn:aws:iam::123456789012:role/Train'}
job: {source: src/, entry: train.py, image: x}
strategy: {type: sweep, method: grid, parameters: {lr: [1]}}
"""
SERVER = """
import sys
from mlflow.server import app
from werkzeug.serving import run_simple
run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True)
"""
LEARNS = (
    "[print(f'eval_loss={1/n+abs(h[\"lr\"]-.01)} acc={n/10}', flush=True) for n in (1, 2, 3, 4)]; "
    "open(h['gate']).read()"
)
"""Reports four times, then waits for somebody to write into its gate."""


def test_an_arn_goes_into_the_request_with_a_name_for_each_trial() -> None:
    """The service passes it on to the job; another place of MLflow is none of its business."""
    by_service = parse(FILE + f"track: {{mlflow: '{ARN}', experiment: sweeps}}\n")
    trial = Trial("tracked-1", 7, {}, "seven")
    asked = {"loop_id": "tracked-1", "number": 9, "trial": trial, "params": {}, "keep_alive": 600.0}
    assert free_members(by_service, {}, **asked)["MlflowConfig"] == {  # type: ignore[arg-type]
        "MlflowResourceArn": ARN,
        "MlflowExperimentName": "sweeps",
        "MlflowRunName": "tracked-1-trial-007",
    }
    elsewhere = parse(FILE + "track: {mlflow: 'http://127.0.0.1:5000'}\n")
    assert "MlflowConfig" not in free_members(elsewhere, {}, **asked)  # type: ignore[arg-type]
    assert is_tracked(elsewhere)
    assert not is_tracked(by_service), "the local backend asks AWS nothing"
    assert is_tracked(by_service.model_copy(update={"backend": "aws"}))


def test_a_path_starts_at_the_loop_files_folder() -> None:
    """A resume from another folder finds the same runs."""
    folder = Path("/loops")
    assert place_of("sqlite:///runs.db", folder) == "sqlite:////loops/runs.db"
    assert place_of("sqlite:////var/runs.db", folder) == "sqlite:////var/runs.db"
    assert place_of("runs", folder) == "file:///loops/runs"
    assert place_of("https://mlflow.example", folder) == "https://mlflow.example"


def test_no_server_fails_nothing_and_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody listens there: a note, and what to do; the loop is none the worse."""
    file: Any = {**LOOP_FILE, "track": {"mlflow": "http://127.0.0.1:9"}}
    loop = write_loop(tmp_path / "w.db", [Made({"lr": 1}, 0.5)], loop_file=file)
    notes: list[tuple[str, str]] = []
    tracker = tracker_for(
        loop, lambda: History(open_existing(tmp_path / "w.db")), lambda *words, **_: notes.append(words)
    )
    assert tracker is not None
    tracker.send()
    tracker.tick()
    tracker.send()
    assert notes == [("warning", "not_tracked")]
    assert tracker.missed
    send_again(Options("human", tmp_path / "w.db"), loop)
    assert "MLflow could not be told" in capsys.readouterr().err


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """MLflow's own server over SQLite; without the workers and the job queue that `mlflow server` puts around it."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port)], cwd=tmp_path, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true",
             "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{tmp_path}/mlflow.db",
             "_MLFLOW_SERVER_ARTIFACT_ROOT": str(tmp_path / "artifacts")},
    )  # fmt: skip

    def answers() -> bool | None:
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
            return None

    wait_for(answers, 180)
    yield url
    if process.poll() is None:
        os.killpg(process.pid, 9)
    process.wait()


@pytest.mark.sdk
def test_a_crash_makes_no_second_run(bench: Bench, server: str) -> None:
    """Killed in its second trial and resumed, a loop has one run, and one for each trial with its values in it."""
    from mlflow import MlflowClient

    more = (
        "metrics: [{name: acc, regex: 'acc=([0-9.]+)'}]\n"
        f"track: {{mlflow: '{server}', experiment: trials}}\n"
        "strategy: {type: sweep, method: list, trials: [{lr: 0.02, gate: '\"/dev/null\"'}, "
    )
    gate = bench.folder / "gate"
    os.mkfifo(gate)
    held = f"{{lr: 0.01, gate: '\"{gate}\"'}}]}}"
    file = bench.loop("tracked", LEARNS, more=more + held)
    controller = bench.begin("start", file)
    client = MlflowClient(server)

    def second_began() -> bool | None:
        assert controller.poll() is None, controller.communicate()
        experiment = client.get_experiment_by_name("trials")
        runs = client.search_runs([experiment.experiment_id]) if experiment else []
        time.sleep(0.05)
        return True if len(runs) == 3 else None

    wait_for(second_began)
    controller.kill()
    controller.wait()
    gate.write_text("go on")
    resumed = bench.run("resume", "tracked")
    assert resumed.code == 0, resumed.err
    assert "MLflow" not in resumed.err

    runs = client.search_runs([client.get_experiment_by_name("trials").experiment_id])
    by_trial = {run.data.tags["wpfsm.trial"]: run for run in runs}
    assert len(runs) == len(by_trial) == 3
    loop, first, second = (by_trial[number] for number in "012")
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert {run.data.tags.get("mlflow.parentRunId") for run in (first, second)} == {loop.info.run_id}
    assert second.data.params == {"lr": "0.01", "gate": f'"{gate}"'}
    assert (loop.data.metrics["best eval_loss"], loop.data.tags["wpfsm.best_trial"]) == (0.25, "2")
    assert second.data.tags["wpfsm.best"] == "true"
    history = client.get_metric_history(second.info.run_id, "acc")
    assert [(point.step, point.value) for point in history] == [(1, 0.1), (2, 0.2), (3, 0.3), (4, 0.4)]
    assert second.data.metrics["billable_seconds"] > 0
