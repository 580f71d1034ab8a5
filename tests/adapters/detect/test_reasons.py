"""Why a request is no candidate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wpfsm.adapters.detect.detect import detect
from wpfsm.adapters.detect.findings import Pattern

ROWS = [
    json.loads(line)
    for line in Path(__file__).with_name("detect_requests.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize(
    ("text", "word", "quote"),
    [
        ("sweep lr 1e-4, 5e-5 on spot instances", "spot", "spot"),
        ("try lr 1e-4 and 5e-5 on a heterogeneous cluster", "heterogeneous", "heterogeneous"),
        (
            "run it on ml.g5.xlarge and on ml.p4d.24xlarge",
            "instance type",
            "ml.g5.xlarge and ml.p4d.24xlarge",
        ),
        ("try batch sizes 4, 8 with serverless customization", "serverless", "serverless"),
        ("let a HyperparameterTuner search lr 1e-5 to 1e-3", "automatic model tuning", "HyperparameterTuner"),
        ("train on 1, 2 and 4 instances", "instance count", ""),
        (
            "three runs with lr 1e-3, 1e-4, 1e-5, but without warm pools please",
            "declines",
            "without warm pools",
        ),
        ("loop over lr 1e-3 and 1e-4 on my laptop", "SageMaker training jobs", "on my laptop"),
        ("train the model once", "single", "once"),
        ("deploy the model to an endpoint", "something else", "deploy"),
        ("", "no request", ""),
    ],
)
def test_a_refusal_quotes_the_words_it_rests_on(text: str, word: str, quote: str) -> None:
    """False is said only for a reason that stands in the text."""
    detection = detect(text)
    assert detection.candidate is False
    assert detection.pattern is Pattern.NONE
    assert word in detection.why
    assert quote in detection.why
    assert detection.why in detection.message
    assert (detection.trials, detection.target) == ([], None)
