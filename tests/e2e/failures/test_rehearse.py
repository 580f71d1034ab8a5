"""``wpfsm rehearse``: what would fail in a paid job fails here first, and what only the image shows is said so."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from typing import Any

from failing_loops import EXAMPLES, Project, assert_released

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
PHASES = [
    {"type": "fix"},
    {"type": "sweep", "method": "grid", "parameters": {"lr": [0.2, 0.4, 0.3]}},
    {"type": "until", "from": "best", "target": "eval_loss < 0.03", "carry_checkpoint": False,
     "propose": [{"epochs": 6}, {"epochs": 10}]},
]  # fmt: skip
FRAMEWORK = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.5.1-gpu-py311"


def written(
    project: Project,
    train: str,
    requirements: str | None,
    *,
    strategy: Any = SWEEP,
    backend: str = "local",
    **job: Any,
) -> None:
    index = project.folder / "index"
    runpy.run_path(str(EXAMPLES / "fix" / "build_wheels.py"))["build_all"](index)
    source = {"train.py": train} | ({} if requirements is None else {"requirements.txt": requirements})
    environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    project.write(
        source, strategy=strategy, job={"environment": environment, "hyperparameters": {"epochs": 50}, "image": None, **job},
        backend=backend, on_failure=[{"when": "missing_module", "do": "pin_requirement", "allow": ["numkit"]}],
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


def test_an_open_request_pays_for_no_failing_job(project: Project) -> None:
    """ "Make it run, then three rates, then train the best longer": three failures, each found before anything is paid.

    One is read in the source, two show in the rehearsal: a module that is missing, patched as the loop would, and a bug,
    at which nobody is waited for. With the patch applied the loop's every job completes, on one pool.
    """
    parses = 'parser.add_argument("--epochs", type=int)\n'
    right = TRAIN.replace('print("epochs", options.epochs)\n', "").replace(
        "{options.lr}", "{options.lr / options.epochs}"
    )
    wrong = right.replace(parses, "").replace("options.lr /", "options.rate /")
    written(
        project, wrong, "framekit==2.0\ntablekit>=2\n", strategy=PHASES, hyperparameters={"epochs": 5, "lr": 0.2},
        backend="aws", image="train:1",
    )  # fmt: skip
    findings = project.wpfsm("plan", "loop.yaml", "--offline").document["findings"]
    assert any("epochs" in finding["text"] for finding in findings)

    (project.source / "train.py").write_text(right.replace("options.lr /", "options.rate /"))
    document = rehearsed(project, code=1)
    told = document["rehearsal"]
    assert (told["verdict"], [job["class"] for job in told["jobs"]]) == (
        "failed",
        ["missing_module", "script_error"],
    )
    assert project.inspect(told["loop"]).document["loop"]["state"] == "Closed"

    (project.source / "train.py").write_text(right)
    refused = project.start("--rehearse")
    assert refused.code == 3
    assert "nothing was started" in refused.said
    told = refused.document["rehearsal"]
    assert told["verdict"] == "patched"
    assert "+numkit" in told["diff"]
    apply, start = (step["argv"] for step in refused.document["next"])
    assert apply == ["wpfsm", "diff", told["loop"], "--apply"]
    assert start == ["wpfsm", "start", "loop.yaml"]
    assert paid(project) == []

    assert project.wpfsm(*apply[1:]).code == 0
    ran = project.start("--rehearse")
    assert ran.code == 0, ran.said
    assert [job["status"] for job in ran.jobs] == ["Completed"] * len(ran.jobs)
    assert ran.starts == ["cold"] + ["warm"] * (len(ran.jobs) - 1)
    assert len(paid(project)) == len(ran.jobs) >= 4
    assert_released(project, ran)


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
