"""The example of the README, run by the real program: the SDK renders it, the emulator really trains it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wpfsm.adapters.emulator import launch

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "lr-sweep" / "loop.yaml"
WPFSM = [sys.executable, "-m", "wpfsm.cli"]

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.network,
]


def run(*words, check=None, **environment):
    """Run the program to its end; its JSON document and exit code."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | environment
    done = subprocess.run(
        [*WPFSM, *words, "-o", "json"], capture_output=True, text=True, env=env, timeout=600
    )
    assert check is None or done.returncode == check, done.stderr[-3000:]
    return json.loads(done.stdout), done.returncode


@pytest.fixture
def database(tmp_path):
    yield tmp_path / "w.db"
    launch.stop(tmp_path / "w.db.d" / "emulator")


def losses(document):
    return {job["params"]["lr"]: job["metrics"]["eval_loss"] for job in document["jobs"]}


def test_the_sweep_runs_on_one_warm_pool_and_names_the_best(database, tmp_path):
    """Three jobs, the first cold and the others warm, each with a metric that depends on the swept value."""
    document, _ = run("start", str(EXAMPLE), "--db", str(database), check=0)
    assert [job["start"] for job in document["jobs"]] == ["cold", "warm", "warm"]
    assert [job["status"] for job in document["jobs"]] == ["Completed"] * 3
    found = losses(document)
    assert len(set(found.values())) == 3, "the metric must depend on the learning rate"
    assert document["best"]["params"]["lr"] == min(found, key=found.get)
    assert document["loop"]["state"] == "Closed"
    assert document["loop"]["outcome"] == "completed"
    _check_the_release(document)
    _check_that_inspect_shows_the_same(database, document)
    _check_the_aws_backend(database, tmp_path)


def _check_the_release(document):
    """The receipt names every job and what the service said; nothing is owed."""
    assert document["pool"]["released"] is True
    assert document["pool"]["owed"] == []
    evidence = [line["evidence"] for line in document["receipt"]["jobs"]]
    assert len(evidence) == 3
    assert "Terminated" in evidence[-1]


def _check_that_inspect_shows_the_same(database, document):
    """What `start` printed can be asked again, with the ledger."""
    again, _ = run("inspect", document["loop"]["id"], "--db", str(database), check=0)
    assert again["jobs"] == document["jobs"]
    assert again["ledger"]["cost_usd"] == document["ledger"]["cost_usd"] > 0
    assert again["ledger"]["settled"] is True


def _check_the_aws_backend(database, tmp_path):
    """The same loop file with `backend: aws` runs unchanged against the emulator's endpoint, without credentials."""
    endpoint = launch.ensure(database.with_name("w.db.d") / "emulator").url
    words = [
        "start", str(EXAMPLE), "--db", str(tmp_path / "aws.db"), "--backend", "aws", "--endpoint-url", endpoint,
        "--set", "pool.role=arn:aws:iam::123456789012:role/Train", "--set", "job.image=wpfsm.local/python:plain",
        "--set", "strategy.parameters.lr=[1e-1]",
    ]  # fmt: skip
    document, _ = run(*words, check=0, AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
    assert document["loop"]["backend"] == "aws"
    assert document["pool"]["released"] is True


def test_a_controller_killed_during_a_job_is_resumed(database):
    """SIGKILL while a job runs: resume submits no job twice and ends released."""
    words = [
        *WPFSM,
        "start",
        str(EXAMPLE),
        "--db",
        str(database),
        "--set",
        "strategy.parameters.lr=[1e-2, 1e-1]",
    ]
    controller = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        for line in controller.stderr:
            if "InProgress Training" in line:
                break
        controller.send_signal(signal.SIGKILL)
        controller.wait(30)
    finally:
        controller.kill()
        controller.stderr.close()
    listed, _ = run("inspect", "--db", str(database), check=0)
    loop = listed["loops"][0]["id"]
    document, _ = run("resume", loop, "--db", str(database), check=0)
    assert [job["name"] for job in document["jobs"]] == [f"{loop}-001", f"{loop}-002"]
    assert document["pool"]["released"] is True
    url = launch.ensure(database.with_name("w.db.d") / "emulator").url
    accepted = [job["name"] for job in launch.ask(url, "GET", "records")["jobs"]]
    assert sorted(accepted) == [f"{loop}-001", f"{loop}-002"], "the service's own records: no job twice"
