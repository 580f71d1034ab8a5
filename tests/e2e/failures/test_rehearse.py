"""``wpfsm rehearse``: what would fail in a paid job fails here first, and what only the image shows is said so."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from typing import Any

from failing_loops import EXAMPLES, Project

TRAIN = """\
import argparse
import numkit

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--epochs", type=int)
options = parser.parse_args()
print("epochs", options.epochs)
print(f"eval_loss={options.lr}")
"""
SWEEP = {"type": "sweep", "method": "grid", "smoke": {"epochs": 1}, "parameters": {"lr": [0.2, 0.1]}}
FRAMEWORK = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.5.1-gpu-py311"


def written(project: Project, train: str, requirements: str | None, **job: Any) -> None:
    index = project.folder / "index"
    runpy.run_path(str(EXAMPLES / "fix" / "build_wheels.py"))["build_all"](index)
    source = {"train.py": train} | ({} if requirements is None else {"requirements.txt": requirements})
    environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    project.write(
        source, strategy=SWEEP, job={"environment": environment, "hyperparameters": {"epochs": 50}, "image": None, **job},
        backend="local", on_failure=[{"when": "missing_module", "do": "pin_requirement", "allow": ["numkit"]}],
    )  # fmt: skip


def rehearsed(project: Project, *words: str, code: int = 0) -> Mapping[str, Any]:
    ran = project.wpfsm("rehearse", "loop.yaml", *words)
    assert ran.code == code, ran.said
    return ran.document


def paid(project: Project) -> list[str]:
    """The jobs that the account of the test saw."""
    client = project.emulator.session.client("sagemaker", endpoint_url=project.emulator.url)
    return [
        job["TrainingJobName"]
        for job in client.list_training_jobs(NameContains="failing")["TrainingJobSummaries"]
    ]


def test_a_missing_module_is_found_and_mended_before_anything_is_paid(project: Project) -> None:
    """The patch as a diff, the commands that apply it and start; with it the second rehearsal passes as it is."""
    written(project, TRAIN, "framekit==2.0\ntablekit>=2\n")
    document = rehearsed(project)
    told = document["rehearsal"]
    assert told["verdict"] == "patched"
    assert [job["class"] for job in told["jobs"]] == ["missing_module", None]
    assert "+numkit" in told["diff"]
    apply, start = (step["argv"] for step in document["next"])
    assert apply == ["wpfsm", "diff", told["loop"], "--apply"]
    assert start == ["wpfsm", "start", "loop.yaml"]
    refused = project.start("--rehearse")
    assert refused.code == 3
    assert "nothing was started" in refused.said
    assert project.wpfsm(*apply[1:]).code == 0
    assert rehearsed(project)["rehearsal"]["verdict"] == "passed"
    assert paid(project) == []


def test_a_bug_of_the_script_fails_the_rehearsal_without_a_hand_off(project: Project) -> None:
    """Nobody is waited for, and the loop of the rehearsal is closed."""
    written(project, "raise ValueError('shapes do not match')\n", None)
    document = rehearsed(project, code=1)
    told = document["rehearsal"]
    assert told["verdict"] == "failed"
    assert told["jobs"][-1]["class"] == "script_error"
    assert project.inspect(told["loop"]).document["loop"]["state"] == "Closed"
    assert project.start("--rehearse").code == 3
    assert paid(project) == []


def test_what_the_image_brings_is_untested_and_not_failed(project: Project) -> None:
    """A framework image's own module that this machine has not."""
    written(project, "import torch\nprint('eval_loss=1')\n", None, image=FRAMEWORK)
    text = (project.folder / "loop.yaml").read_text().replace('"backend": "local"', '"backend": "aws"')
    (project.folder / "loop.yaml").write_text(text)
    told = rehearsed(project)["rehearsal"]
    assert told["verdict"] == "untested"
    assert "torch comes with the image" in told["untested"][0]


def test_folders_stand_for_channels(project: Project) -> None:
    """``--input`` gives the script data; without it the missing data is untested."""
    read = "import pathlib\nprint('eval_loss=' + pathlib.Path('../train/x').read_text())\n"
    written(project, read, None, inputs={"train": "s3://bucket/train/"})
    data = project.folder / "data"
    data.mkdir()
    (data / "x").write_text("0.5")
    told = rehearsed(project, "--input", f"train={data}")["rehearsal"]
    assert told["verdict"] == "passed"
    assert rehearsed(project)["rehearsal"]["verdict"] == "untested"
