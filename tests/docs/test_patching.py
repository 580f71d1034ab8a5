"""docs/patching.md is true: its table and its numbers are those of the code.

With WPFSM_WRITE_DOCS=1 the generated table is written instead of compared.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wpfsm.fsm.failures.shown import MOST_EVIDENCE
from wpfsm.fsm.loopfile.model import ACTIONS
from wpfsm.fsm.patches.retry import FIRST_WAIT
from wpfsm.fsm.states.diagnosing.diagnose_job import LOG_TAIL
from wpfsm.fsm.states.diagnosing.handoff import DEFAULT_HOLD
from wpfsm.fsm.states.diagnosing.handoff_packet import MEMBERS
from wpfsm.fsm.states.diagnosing.patch_command import COMMAND_SECONDS
from wpfsm.fsm.states.diagnosing.remedy import MOST_EDITS, MOST_TIMES

PAGE = Path(__file__).parents[2] / "docs" / "patching.md"


def packet() -> str:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in MEMBERS.items()]
    return "\n".join(["| member | what it says |", "|---|---|", *rows])


def test_the_generated_table_is_up_to_date() -> None:
    """The packet is documented as the code has it."""
    expected = packet()
    before, begin, rest = PAGE.read_text().partition("<!-- packet -->\n")
    table, end, after = rest.partition("<!-- /packet -->")
    assert begin
    assert end
    if os.environ.get("WPFSM_WRITE_DOCS"):
        PAGE.write_text(f"{before}{begin}{expected}\n{end}{after}")
        return
    assert table.strip() == expected, "run this test with WPFSM_WRITE_DOCS=1"


def test_every_action_is_explained() -> None:
    """Each word that `do` takes has its row."""
    table = PAGE.read_text().partition("| do | what it changes |")[2].partition("\n\n")[0]
    assert [f"`{action}`" in table for action in ACTIONS] == [True] * len(ACTIONS)


@pytest.mark.parametrize(
    "sentence",
    [
        f"at most {MOST_EVIDENCE} lines",
        f"the end of the log ({LOG_TAIL:,} lines)",
        f"without `times` patches at most {MOST_TIMES} jobs",
        f"after `hold` ({DEFAULT_HOLD / 60:.0f} minutes without)",
        f"it may take ({COMMAND_SECONDS / 60:.0f} minutes without)",
        f"after {FIRST_WAIT:.0f} s, {2 * FIRST_WAIT:.0f} s",
        f"after {['no', 'one', 'two', 'three'][MOST_EDITS]} edits",
    ],
)
def test_numbers_of_the_page_are_those_of_the_code(sentence: str) -> None:
    """A limit that changes in the code changes here."""
    assert sentence in " ".join(PAGE.read_text().split())
