"""A checkpoint that the next job counts on."""

from __future__ import annotations

from checked_scripts import PLAIN

from wpfsm.fsm.source_checks.examine import SourceUnderTest, examine


def test_a_checkpoint_that_nobody_keeps() -> None:
    """Unless the source reads the folder that outlives the job."""
    asked = SourceUnderTest({"train.py": "print(1)\n"}, "train.py", "", PLAIN, carries_checkpoint=True)
    (one,) = examine(asked)
    assert one.check == "checkpoint"
    assert "WPFSM_CHECKPOINT_DIR" in one.text
    reads = SourceUnderTest(
        {"train.py": "import os\nos.environ['WPFSM_CHECKPOINT_DIR']\n"},
        "train.py",
        "",
        PLAIN,
        carries_checkpoint=True,
    )
    assert not list(examine(reads))
