"""The weights, and the labelled requests that they were fitted to."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from wpfsm.adapters.detect.detect import detect
from wpfsm.adapters.detect.findings import Pattern
from wpfsm.adapters.detect.model import WEIGHTS

ROWS = [
    json.loads(line)
    for line in Path(__file__).with_name("detect_requests.jsonl").read_text(encoding="utf-8").splitlines()
]


SAMPLE = ROWS[::12]
"""Every twelfth labelled request: what is checked row by row stays fast."""


def test_the_labelled_requests_say_where_they_come_from() -> None:
    """Each text is there once, has a source, and no source is a fifth of all that were written for the model."""
    assert len({row["text"] for row in ROWS}) == len(ROWS)
    assert {row["pattern"] for row in ROWS} == {pattern.value for pattern in Pattern}
    sources = Counter(row["source"] for row in ROWS)
    assert len(sources) > 20
    assert max(count for name, count in sources.items() if not name.startswith("short")) < 200


def test_the_weights_fit_the_labelled_requests() -> None:
    """The data file is of the size that was agreed, and agrees with what it was trained on."""
    assert WEIGHTS.stat().st_size <= 400_000
    told = [(row["pattern"] != "none", detect(row["text"]).candidate) for row in SAMPLE]
    candidates = [said for wanted, said in told if wanted]
    others = [said for wanted, said in told if not wanted]
    assert candidates.count(True) >= 0.9 * len(candidates)
    assert candidates.count(False) <= 0.03 * len(candidates)
    assert others.count(True) <= 0.08 * len(others)
