"""The verbs that write files for people, editors, shells and agents, and those that need no loop."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from cli_bench import Bench
from ruamel.yaml import YAML

from wpfsm.adapters.documents.loop_file_schema import loop_file_schema
from wpfsm.fsm.loopfile.load import load

SKILL_FILE = "skills/sagemaker-warm-pool-researcher/SKILL.md"
ROOT = Path(__file__).resolve().parents[2]

# --- init -----------------------------------------------------------------------------------------


def test_init_writes_a_loop_file_that_is_valid(alone: Bench):
    """The commented file passes as it stands, and names the next command."""
    ran = alone.run("init")
    assert ran.code == 0
    assert ran.out == "loop.yaml\n"
    assert "wpfsm plan loop.yaml" in ran.err
    assert load(alone.folder / "loop.yaml").strategy.type == "sweep"
    assert "#" in (alone.folder / "loop.yaml").read_text()


def test_init_never_writes_over_a_file(alone: Bench):
    """What somebody wrote stays, unless --force says otherwise."""
    file = alone.folder / "mine.yaml"
    file.write_text("mine")
    ran = alone.run("init", "mine.yaml")
    assert ran.code == 2
    assert file.read_text() == "mine"
    assert alone.run("init", "mine.yaml", "--force").code == 0
    assert file.read_text() != "mine"


def test_init_from_a_job_makes_a_loop_that_runs(finished: Bench, bench: Bench):
    """A job that ran becomes a request and a loop file around it, and the loop runs without the SDK."""
    job = finished.document("sweep")["jobs"][1]["name"]
    ran = bench.run("init", "--from-job", job, "--backend", "local", "again.yaml", "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.json["files"] == ["again.yaml", "create_training_job.json"]
    request = json.loads((bench.folder / "create_training_job.json").read_text())
    assert "KeepAlivePeriodInSeconds" not in request["ResourceConfig"]
    file = load(bench.folder / "again.yaml")
    assert file.pool.role == "arn:aws:iam::123456789012:role/sweep"
    assert file.job.hyperparameters == {"lr": 0.01}
    assert file.metric is not None
    assert file.metric.regex == "eval_loss=([0-9.eE+-]+)"
    started = bench.run("start", "again.yaml", "-o", "json")
    assert started.code == 0, started.err
    assert started.json["best"]["metric"]["value"] == 0.0


def test_init_from_a_job_that_is_not_there(bench: Bench):
    """No file is written for a job that nobody knows."""
    ran = bench.run("init", "--from-job", "nobody", "--backend", "local")
    assert ran.code == 6, ran.err
    assert list(bench.folder.glob("*.yaml")) == []


# --- detect ---------------------------------------------------------------------------------------


def test_detect_says_what_a_request_asks_for(alone: Bench):
    """A candidate with its pattern and trials; the text may come through a pipe."""
    text = "try learning rates 1e-4, 5e-5, 2e-5"
    for ran in (alone.run("detect", text, "-o", "json"), alone.run("detect", "-", "-o", "json", stdin=text)):
        assert ran.code == 0
        assert ran.json["candidate"] is True
        assert ran.json["pattern"] == "hyperparameter_sweep"
        assert ran.json["trials"] == [{"lr": 1e-4}, {"lr": 5e-5}, {"lr": 2e-5}]
        keys = {
            "schema",
            "candidate",
            "confidence",
            "pattern",
            "why",
            "trials",
            "target",
            "message",
            "decline",
        }
        assert set(ran.json) == keys
    assert "candidate: hyperparameter_sweep" in alone.run("detect", text).out


def test_detect_drafts_a_loop_file(alone: Bench):
    """The draft is valid, and what is not known is marked."""
    ran = alone.run("detect", "try learning rates 1e-4 and 5e-5", "--write", "lr.yaml")
    assert ran.code == 0
    assert "TODO" in (alone.folder / "lr.yaml").read_text()
    assert load(alone.folder / "lr.yaml").name == "lr"
    assert alone.run("detect", "try learning rates 1e-4 and 5e-5", "--write", "lr.yaml").code == 2


@pytest.mark.parametrize(
    "text",
    [
        "sweep dropout 0.1, 0.2",
        "all combinations of lr 1e-4, 5e-5 and batch size 4, 8",
        "train until eval loss < 0.3",
        "bump transformers and retrain",
        "try LoRA rank 16, then 32, then 64",
        "run with and without gradient checkpointing",
        "random search over lr between 1e-5 and 1e-3",
    ],
)
def test_plan_accepts_what_detect_drafts(alone: Bench, text: str):
    """Each pattern's draft can be planned as it stands, without an account."""
    assert alone.run("detect", text, "--write", "drafted.yaml").code == 0
    ran = alone.run("plan", "--offline", "drafted.yaml", "-o", "json")
    assert ran.code == 0
    assert ran.json["trials"]


def test_detect_drafts_nothing_for_no_candidate(alone: Bench):
    """A single job is no loop: there is a reason, and no file."""
    assert alone.run("detect", "train the model once", "-o", "json").json["candidate"] is False
    assert alone.run("detect", "train the model once", "--write", "one.yaml").code == 2
    assert not (alone.folder / "one.yaml").exists()


# --- metric test ----------------------------------------------------------------------------------

LOG = "step 1 eval_loss=0.5\nnothing here\nstep 2 eval_loss=nan\nstep 3 eval_loss=0.25\n"


def test_metric_test_shows_what_is_extracted(alone: Bench):
    """Every match with its line and value, and the final value."""
    (alone.folder / "job.log").write_text(LOG)
    ran = alone.run("metric", "test", "job.log", "--regex", "eval_loss=([0-9.a-z]+)", "-o", "json")
    assert ran.code == 0
    assert ran.json["readings"] == [
        {"line": 1, "captured": "0.5", "value": 0.5},
        {"line": 3, "captured": "nan", "value": None},
        {"line": 4, "captured": "0.25", "value": 0.25},
    ]
    assert ran.json["metric"]["value"] == 0.25


@pytest.mark.parametrize("log", ["", "eval_loss=0.5\neval_loss=nan\n"])
def test_metric_test_fails_where_the_metric_would_be_null(alone: Bench, log: str):
    """No match, or a last value that is not finite, is null and exits with 1."""
    ran = alone.run("metric", "test", "-", "--regex", "eval_loss=(\\S+)", "-o", "json", stdin=log)
    assert ran.code == 1
    assert ran.json["metric"]["value"] is None


def test_metric_test_takes_the_loop_files_expression(alone: Bench):
    """--loop reads name and expression from a loop file; --regex and --loop exclude each other."""
    alone.run("init")
    ran = alone.run("metric", "test", "-", "--loop", "loop.yaml", stdin=LOG)
    assert "eval_loss = 0.25" in ran.out
    assert alone.run("metric", "test", "-", stdin=LOG).code == 2
    assert alone.run("metric", "test", "-", "--regex", "no group", stdin=LOG).code == 2


# --- schema, skill --------------------------------------------------------------------------------


def test_the_schema_takes_what_the_program_takes(alone: Bench):
    """The published schema is a valid one, accepts the examples, and refuses an unknown key."""
    schema = json.loads(alone.run("schema").out)
    assert schema == loop_file_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    examples = sorted((ROOT / "examples").glob("*/*.yaml"))
    assert examples
    for example in examples:
        document = YAML(typ="safe").load(example.read_text())
        assert [error.message for error in check.iter_errors(document)] == [], example
        assert not check.is_valid({**document, "surprise": 1})


def test_the_skill_is_installed_where_agents_look(alone: Bench):
    """Both folders in the home directory, or the one that --dir names; a second time changes nothing."""
    shown = alone.run("skill", "show").out
    assert shown.startswith("---\nname: sagemaker-warm-pool-researcher\n")
    for _ in range(2):
        assert alone.run("skill", "install").code == 0
    for home in (".claude", ".agents"):
        file = alone.folder / home / "skills" / "sagemaker-warm-pool-researcher" / "SKILL.md"
        assert file.read_text() == shown
    ran = alone.run("skill", "install", "--dir", "here", "-o", "json")
    assert ran.json["files"] == ["here/sagemaker-warm-pool-researcher/SKILL.md"]
    assert (alone.folder / ran.json["files"][0]).exists()


def test_the_skill_is_shipped():
    """The wheel carries the skill where the program looks for it."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert any(Path(SKILL_FILE).match(pattern) for pattern in data.get("wpfsm", []))
    assert (ROOT / SKILL_FILE).exists()


# --- diff -----------------------------------------------------------------------------------------

LOOP = """\
version: 1
name: patched
pool: {instance_type: ml.m5.large, role: arn:aws:iam::123456789012:role/patched}
job: {source: src, entry: train.py, max_runtime: 5m}
strategy: {type: fix}
on_failure: [{when: any, do: command, command: [./mend.sh]}]
"""


@pytest.mark.sdk
def test_diff_shows_and_applies_what_the_loop_patched(bench: Bench):
    """A unified diff that `patch -p1` takes; --apply writes it, once, and never over what the user wrote since."""
    source = bench.folder / "src"
    source.mkdir()
    (source / "train.py").write_text("import os\nraise SystemExit(3)\n")
    (bench.folder / "mend.sh").write_text("#!/bin/sh\nsed -i s/3/0/ train.py; printf new > added.txt\n")
    (bench.folder / "mend.sh").chmod(0o755)
    (bench.folder / "patched.yaml").write_text(LOOP)
    ran = bench.run("start", "patched.yaml", "-o", "json")
    assert ran.code == 0, ran.err
    assert [job["changes"][0][:6] for job in ran.json["jobs"] if job["changes"]] == ["source"]
    assert "+raise SystemExit(0)" in bench.run("inspect", "patched", "--job", "2", "-o", "json").json["diff"]

    shown = bench.run("diff", "patched")
    assert shown.code == 0
    for line in ("--- a/src/train.py", "+++ b/src/train.py", "-raise SystemExit(3)", "+raise SystemExit(0)",
                 "--- /dev/null", "+++ b/src/added.txt", "+new", "\\ No newline at end of file"):  # fmt: skip
        assert line in shown.out.splitlines()
    assert [path.name for path in source.iterdir()] == ["train.py"], "the user's files are as they were"

    given = (source / "train.py").read_text()
    (source / "train.py").write_text("mine\n")
    refused = bench.run("diff", "patched", "--apply")
    assert refused.code == 3
    assert "changed since" in refused.err
    assert (source / "train.py").read_text() == "mine\n"
    assert not (source / "added.txt").exists()

    # As an --apply that was killed between two files leaves them, and the user's own new file beside them.
    (source / "added.txt").write_text("new")
    (source / "notes.txt").write_text("mine")
    (source / "train.py").write_text(given)
    for said in (f"wrote {source / 'train.py'}", "already"):
        applied = bench.run("diff", "patched", "--apply")
        assert applied.code == 0
        assert said in applied.err
        assert (source / "train.py").read_text() == "import os\nraise SystemExit(0)\n"
        assert (source / "added.txt").read_text() == "new"
    assert sorted(path.name for path in source.iterdir()) == ["added.txt", "notes.txt", "train.py"]


def test_diff_of_a_loop_that_patched_nothing(finished: Bench):
    """No patch is no diff, and no error."""
    ran = finished.run("diff", "sweep")
    assert (ran.code, ran.out) == (0, "")
