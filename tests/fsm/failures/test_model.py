"""The stored form of a diagnosis."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from tracebacks import TRACEBACK

from wpfsm.fsm.failures.diagnosis import diagnose
from wpfsm.fsm.failures.evidence import Evidence
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.failures.shown import MOST_EVIDENCE

SOURCE = {
    "src/train.py": "import x\n\n\nmain()\n",
    "src/lib/steps.py": 'def step(batch):\n    return batch["labels"]\n',
    "src/other/steps.py": "",
    "src/module.py": "",
}


def test_it_survives_storage():
    """What is stored as JSON comes back equal."""
    diagnosis = diagnose(Evidence(log=TRACEBACK.splitlines(), source_files=SOURCE))

    stored = json.loads(json.dumps(diagnosis.to_json()))

    assert Diagnosis.from_json(stored) == diagnosis
    assert list(stored)[:7] == ["family", "class", "confidence", "evidence", "location", "fingerprint", "fix"]


@given(reason=st.text(max_size=300), log=st.lists(st.text(max_size=80), max_size=30))
def test_any_text_gets_a_diagnosis(reason, log):
    """No text, however strange, makes the diagnosis fail, and what it gives can be stored."""
    diagnosis = diagnose(Evidence(failure_reason=reason, log=log))

    assert 0 < diagnosis.confidence < 1
    assert len(diagnosis.evidence) <= MOST_EVIDENCE
    assert Diagnosis.from_json(diagnosis.to_json()) == diagnosis
