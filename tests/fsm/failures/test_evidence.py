"""How the evidence is read: its end, its ends of long repetition, its marks and quotes."""

from __future__ import annotations

import pytest

from wpfsm.fsm.failures.diagnosis import explain


@pytest.mark.parametrize(
    "prefix", ["", "2026-01-02T03:04:05Z ", "2026-01-02T03:04:05+00:00 a-001/algo-1-1741079462 "]
)
def test_what_stands_at_the_start_of_a_line_is_found_behind_a_prefix(prefix):
    """A line as `aws logs tail` prints it means what it means in the job's own log."""
    assert explain("", f"{prefix}epoch 1\n{prefix}Killed\n").class_ == "host_oom"


def test_the_bulk_of_a_repeated_line_is_not_searched_and_its_ends_are():
    """Progress reports by the thousand cost nothing; what stands between and after them is found where it is."""
    steps = [f"step {n} of the epoch" for n in range(3000)]

    diagnosis = explain("", "\n".join([*steps[:1500], "No space left on device", *steps[1500:]]))

    assert diagnosis.class_ == "disk_full"
    assert "No space left on device" in diagnosis.evidence
