"""What `detect` says of a request: its verdict and why, the values, the target, and the loop file that it drafts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wpfsm.adapters.detect.detect import DECLINE, detect
from wpfsm.adapters.detect.drafting import draft
from wpfsm.adapters.detect.findings import Detection
from wpfsm.adapters.detect.values import MAX_TRIALS
from wpfsm.fsm.loopfile.load import parse

ROWS = [
    json.loads(line)
    for line in Path(__file__).with_name("detect_requests.jsonl").read_text(encoding="utf-8").splitlines()
]


SAMPLE = ROWS[::12]
"""Every twelfth labelled request: what is checked row by row stays fast."""


def ids(detection: Detection) -> list[dict[str, object]]:
    """The trials without the names of recipes."""
    return [{key: value for key, value in trial.items() if key != "recipe"} for trial in detection.trials]


def test_the_trials_the_target_and_the_packages_are_those_of_the_request() -> None:
    """Where a request spells out its trials, target or packages, they are read as labelled."""
    wrong = []
    labelled = [row for row in ROWS if {"trials", "target", "packages"} & row.keys()]
    for row in labelled:
        detection = detect(row["text"])
        got = detection.to_json()
        packages = [name for trial in detection.trials for name in trial.get("packages", [])]  # type: ignore[union-attr]
        if (
            ("trials" in row and ids(detection) != row["trials"])
            or ("target" in row and got["target"] != row["target"])
            or ("packages" in row and list(dict.fromkeys(packages)) != row["packages"])
        ):
            wrong.append(row["text"])
    assert len(wrong) <= 0.1 * len(labelled), wrong


@pytest.mark.parametrize("text", ["the quick brown fox", "hello", "lr", "resnet and densenet"])
def test_without_a_sign_or_a_reason_the_reader_decides(text: str) -> None:
    """Null: the message hands the decision over, with the rule."""
    detection = detect(text)
    assert detection.candidate is None
    assert detection.message.startswith("You decide")
    assert "Rule: two or more training jobs on one instance type" in detection.message


@pytest.mark.parametrize("text", ["try learning rates 1e-4, 5e-5", "train once on spot", "hello"])
def test_every_answer_says_how_to_decline(text: str) -> None:
    """`strategy: single` once per job, or no wpfsm at all."""
    assert "strategy: {type: single}" in DECLINE
    assert detect(text).to_json()["decline"] == DECLINE


WORDS = st.sampled_from(
    [*sorted({word for row in ROWS for word in row["text"].split()}), "\n", "-", "...", "?", "{", "```"]
)
"""Every word of the labelled requests, to be put together at random."""


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=30).map(" ".join)))
def test_no_text_raises_and_every_answer_is_consistent(text: str) -> None:
    """Any text gets an answer that is JSON; what is not declined drafts a valid loop file."""
    detection = detect(text)
    answer = json.loads(json.dumps(detection.to_json(), allow_nan=False))
    assert list(answer) == [
        "candidate",
        "confidence",
        "pattern",
        "why",
        "trials",
        "target",
        "message",
        "decline",
    ]
    assert (answer["candidate"] is False) == (answer["pattern"] == "none")
    assert 0 <= answer["confidence"] <= 1
    assert answer["why"]
    assert answer["message"]
    assert len(answer["trials"]) <= MAX_TRIALS
    if answer["candidate"] is not False:
        assert parse(draft(detection, "x")).name == "x"
    else:
        assert (answer["trials"], answer["target"]) == ([], None)


def test_the_answer_does_not_depend_on_the_interpreter() -> None:
    """Two interpreters whose strings hash differently give every request the same answer."""
    code = (
        "import json, sys; from wpfsm.adapters.detect.detect import detect;"
        "print(json.dumps([detect(text).to_json() for text in json.load(sys.stdin)]))"
    )
    texts = json.dumps([row["text"] for row in SAMPLE])
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=texts,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "7")
    }
    assert len(answers) == 1


def test_it_imports_the_standard_library_only() -> None:
    """Importing `detect` and asking it loads no third-party package, so the verb starts fast."""
    code = (
        "import sys; before = set(sys.modules); from wpfsm.adapters.detect.detect import detect;"
        "detect('try lr 1e-4, 5e-5');"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(new - set(sys.stdlib_module_names) - {'wpfsm'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("try lr 1e-3, 1e-4, then with the best one try dropout 0.1, 0.2", ["sweep", "sweep"]),
        ("sweep lr 1e-3 and 1e-4. Then keep the best and train until val_loss < 0.2", ["sweep", "until"]),
        ("first lora, then qlora; I decide after each one what is next", ["recipes", "ask"]),
    ],
)
def test_what_follows_on_the_best_or_by_hand_is_a_phase(text: str, kinds: list[str]) -> None:
    """Phases in order; one that goes on from the best says so."""
    written = draft(detect(text), "x")
    strategy = parse(written).strategy
    assert isinstance(strategy, list)
    assert [phase.type for phase in strategy] == kinds
    assert ("from: best" in written) == (kinds[-1] != "ask")


@pytest.mark.parametrize(
    "text",
    [
        "train a net with layers 300, 100 and dropout 0.4, 0.2 after each block",
        "train with weight decay 0.1, 0.01, 0.001 per layer",
        "we have 12k images, 40 days and 3 sites; train the detector",
    ],
)
def test_what_one_job_takes_together_is_no_list_of_trials(text: str) -> None:
    """Widths and rates layer by layer, and things that are only counted."""
    assert detect(text).trials == []
