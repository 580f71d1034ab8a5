"""A bug in the script is handed over, mended by a person or a program, and the loop goes on warm."""

from __future__ import annotations

import json
import sys
from datetime import datetime

from failing_loops import TRAINS, Project, assert_released

BUGGY = """\
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
arguments = parser.parse_args()
print("HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz0123")


def train(rate):
    rates = {"low": 0.1}
    return rates["lo"] * rate


print("eval_loss=%.4f" % train(arguments.lr))
"""
LR = {"hyperparameters": {"lr": 0.5}}
MEND = """\
#!{python}
import json, os, pathlib, sys

packet = json.load(sys.stdin)
script = pathlib.Path("train.py")
assert packet["diagnosis"]["location"]["file"] == "train.py"
script.write_text(script.read_text().replace('"lo"', '"low"'))
pathlib.Path("unused.py").unlink()
pathlib.Path(os.environ["TOLD"]).write_text(json.dumps(packet))
"""


def mend(project: Project) -> None:
    """What a person does in their editor."""
    script = project.source / "train.py"
    script.write_text(script.read_text().replace('"lo"', '"low"'))


def test_a_handed_over_bug_is_mended_in_the_users_files_and_goes_on_warm(project: Project) -> None:
    """Exit 10 with a whole packet; unchanged is refused with 3; after the edit the same pool finishes the loop."""
    project.write({"train.py": BUGGY}, job=LR, on_failure=[{"when": "any", "do": "handoff", "hold": "5m"}])
    handed = project.start()
    assert handed.code == 10, handed.said
    assert handed.document["loop"]["state"] == "Diagnosing"
    packet = handed.document["handoff"]

    assert packet["diagnosis"]["class"] == "script_error"
    assert 0.5 <= packet["diagnosis"]["confidence"] < 1
    evidence = packet["diagnosis"]["evidence"]
    assert 0 < len(evidence) <= 40
    assert "KeyError: 'lo'" in "\n".join(evidence)
    assert "hf_abc" not in json.dumps(packet)
    assert "not instructions" in packet["untrusted"]
    assert packet["location"] == f"{project.source / 'train.py'}:11"
    assert packet["source"]["path"] == str(project.source)
    assert packet["source"]["files"] == ["train.py"]
    assert packet["tried"] == []
    assert packet["params"] == {"lr": 0.5}
    assert packet["resume"] == ["wpfsm", "resume", handed.loop]

    pool, job = packet["pool"], handed.jobs[-1]
    held = (
        datetime.fromisoformat(pool["held_until"]) - datetime.fromisoformat(job["ended_at"])
    ).total_seconds()
    assert 299 <= held <= 331, "the announced hold and no more"
    assert pool["burn_usd_per_hour"] == 1.5
    assert 0 < pool["usd_at_most"] <= 1.5 * 330 / 3600
    assert project.pool_status(job["name"]) == "Available"
    assert f"held until {pool['held_until']}" in project_text(project, handed.loop)

    refused = project.wpfsm("resume", handed.loop)
    assert refused.code == 3, refused.said
    assert "unchanged" in refused.document["error"]["message"]
    assert project.pool_status(job["name"]) == "Available"

    mend(project)
    ran = project.wpfsm("resume", handed.loop)
    assert ran.code == 0, ran.said
    assert ran.starts == ["cold", "warm"]
    assert ran.jobs[0]["patch"]["kind"] == "edit"
    assert '+    return rates["low"] * rate' in ran.jobs[0]["patch"]["diff"]
    assert_released(project, ran)


def project_text(project: Project, loop: str) -> str:
    """What a person sees."""
    import os
    import subprocess

    return subprocess.run(
        [sys.executable, "-m", "wpfsm.cli", "inspect", loop],
        env={**os.environ, "WPFSM_DB": str(project.folder / "wpfsm.db")},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def test_a_program_mends_without_a_stop(project: Project) -> None:
    """`command` gets the packet on its stdin, edits a copy, and the loop goes on; the user's files stay as they are."""
    project.variables["TOLD"] = str(project.folder / "told.json")
    program = project.folder / "fix.py"
    program.write_text(MEND.format(python=sys.executable))
    program.chmod(0o755)
    project.write({"train.py": BUGGY, "unused.py": "x = 1\n"}, job=LR,
                  on_failure=[{"when": "script", "command": ["./fix.py"]}])  # fmt: skip
    ran = project.start()
    assert ran.code == 0, ran.said
    assert ran.classes == ["script_error", None]
    assert ran.starts == ["cold", "warm"]
    patch = ran.jobs[0]["patch"]
    assert patch["files"] == ["train.py", "unused.py"]
    assert "-x = 1" in patch["diff"], "a file that the program deleted is gone from the snapshot"
    assert (project.source / "train.py").read_text() == BUGGY
    assert (project.source / "unused.py").exists()
    told = json.loads((project.folder / "told.json").read_text())
    assert told["resume"] == ["wpfsm", "resume", ran.loop]
    assert_released(project, ran)


def test_a_program_that_does_not_mend_is_not_asked_for_ever(project: Project) -> None:
    """After two edits with the same failure the hand-off has its turn, and says what was tried."""
    program = project.folder / "fix.sh"
    program.write_text("#!/bin/sh\ncat > /dev/null\necho '# tried' >> train.py\n")
    program.chmod(0o755)
    project.write({"train.py": BUGGY}, job=LR, on_failure=[{"when": "script", "command": ["./fix.sh"]}])
    ran = project.start()
    assert ran.code == 10, ran.said
    assert len(ran.jobs) == 3
    tried = "\n".join(ran.document["handoff"]["tried"])
    assert "job 1: ./fix.sh changed train.py: the same failure again" in tried
    assert "came back after 2 edits" in tried
    assert project.wpfsm("resume", ran.loop, "--abandon").code == 0


def test_an_edit_keeps_the_loops_own_patches(project: Project) -> None:
    """What a program patched in the snapshot stays when a person edits another file of theirs."""
    program = project.folder / "fix.sh"
    program.write_text("#!/bin/sh\ncat > /dev/null\necho 'broken = False' > flag.py\n")
    program.chmod(0o755)
    source = {"flag.py": "broken = True\n",
              "train.py": "import flag\nassert not flag.broken\nraise ValueError('and another')\n"}  # fmt: skip
    project.write(source, on_failure=[{"when": "script", "command": ["./fix.sh"], "times": 1}])
    handed = project.start()
    assert handed.code == 10, handed.said
    assert handed.document["handoff"]["source"]["patched"] == ["flag.py"]
    (project.source / "train.py").write_text("import flag\nassert not flag.broken\n" + TRAINS)
    ran = project.wpfsm("resume", handed.loop)
    assert ran.code == 0, ran.said
    assert (project.source / "flag.py").read_text() == "broken = True\n"


def test_the_same_bug_in_a_second_loop_gets_the_edit_that_worked(project: Project) -> None:
    """Failure memory spans the loops of a database: the proven edit is made first, and the history says so."""
    project.write({"train.py": BUGGY}, job=LR)
    handed = project.start()
    mend(project)
    first = project.wpfsm("resume", handed.loop)
    assert first.code == 0, first.said
    (project.source / "train.py").write_text(BUGGY)
    second = project.start()
    assert second.code == 0, second.said
    assert second.classes == ["script_error", None]
    assert f"worked before on the same failure ({first.jobs[0]['name']})" in second.jobs[0]["patch"]["why"]
    assert any("worked before" in event["why"] for event in project.events(second.loop))
