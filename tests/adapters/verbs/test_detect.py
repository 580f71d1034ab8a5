"""``detect``: what a request asks for, and the loop file that can be planned as it stands."""

from __future__ import annotations

import pytest
from cli_bench import Bench

from wpfsm.fsm.loopfile.load import load


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
