"""Jobs that do not end, end too late, or end as if all were well."""

from __future__ import annotations

import pytest
from failing_loops import TRAINS, Project, assert_released

TOO_LONG = """\
import argparse, time

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
epochs = parser.parse_args().epochs
print(f"{epochs} epochs", flush=True)
time.sleep(600 if epochs > 4 else 0)
print("eval_loss=0.25")
"""
DIVERGES = """\
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
lr = parser.parse_args().lr
print("eval_loss=nan" if lr > 0.5 else f"eval_loss={lr}")
"""
FULL = "import errno, os\nraise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), 'checkpoint.pt')\n"


def test_a_silent_job_is_stopped_and_its_pool_is_kept(project: Project) -> None:
    """The watchdog stops the job, the diagnosis names the silence, and the hand-off has the pool Available."""
    project.write(
        {"train.py": "import time\nprint('begin', flush=True)\ntime.sleep(600)\n"}, job={"silence": "2s"}
    )
    ran = project.start()
    assert ran.code == 10, ran.said
    job = ran.jobs[-1]
    assert (job["status"], job["stopped_for"]) == ("Stopped", "silence")
    assert ran.classes == ["silence"]
    assert project.pool_status(job["name"]) == "Available"
    assert project.wpfsm("resume", ran.loop, "--abandon").code == 0
    assert project.pool_status(job["name"]) == "Terminated"


def test_a_run_that_is_too_long_is_halved_on_the_same_pool_where_the_loop_file_says_so(
    project: Project,
) -> None:
    """The time limit has no reason string: the secondary status says it, and the next job gets half the epochs."""
    project.write(
        {"train.py": TOO_LONG},
        job={"max_runtime": "2s", "hyperparameters": {"epochs": 8}},
        on_failure=[{"when": "time_limit", "do": "shorten"}],
    )
    ran = project.start()
    assert ran.code == 0, ran.said
    assert ran.jobs[0]["secondary_status"] == "MaxRuntimeExceeded"
    assert ran.classes == ["time_limit", None]
    assert ran.jobs[1]["params"]["epochs"] == 4
    assert ran.starts == ["cold", "warm"]
    assert_released(project, ran)


def test_a_trial_that_diverges_is_no_reason_to_end_a_sweep(project: Project) -> None:
    """Two learning rates give NaN, which is their result; the third converges and is the best."""
    project.write(
        {"train.py": DIVERGES},
        strategy={"type": "sweep", "method": "grid", "parameters": {"lr": [2.0, 1.0, 0.1]}},
    )
    ran = project.start()
    assert ran.code == 0, ran.said
    assert ran.classes == ["nan_loss", "nan_loss", None]
    assert [trial["state"] for trial in ran.document["trials"]] == ["failed", "failed", "completed"]
    assert ran.document["best"]["params"] == {"lr": 0.1}


@pytest.mark.parametrize(
    ("script", "class_"),
    [("print('done')\n", "false_success"), (FULL, "disk_full")],
    ids=["no metric", "disk"],
)
def test_what_no_rule_can_mend_is_handed_over(project: Project, script: str, class_: str) -> None:
    """A success without its metric is a failure, and so is a full disk; both wait for somebody."""
    project.write({"train.py": script})
    ran = project.start()
    assert ran.code == 10, ran.said
    assert ran.classes == [class_]
    (project.source / "train.py").write_text(TRAINS)
    assert project.wpfsm("resume", ran.loop).code == 0
