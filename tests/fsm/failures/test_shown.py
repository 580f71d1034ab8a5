"""The evidence that a diagnosis shows."""

from __future__ import annotations

from tracebacks import TRACEBACK

from wpfsm.fsm.failures.diagnosis import explain
from wpfsm.fsm.failures.shown import MOST_EVIDENCE


def test_evidence_is_short_and_without_secrets():
    """At most 40 lines, the traceback among them, no password in them."""
    noise = [f"HF_TOKEN=hf_{'a' * 30} DB=postgres://u:hunter2@h/db step {n}" for n in range(500)]

    diagnosis = explain("AlgorithmError: password=hunter2", "\n".join(noise + TRACEBACK.splitlines()))

    text = "\n".join(diagnosis.evidence)
    assert len(diagnosis.evidence) <= MOST_EVIDENCE
    assert "KeyError: 'labels'" in text
    assert "hunter2" not in text
    assert "hf_aaa" not in text
