"""The document of a loop: what happened and what to do about it are two things."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import Any

from state_rows import LOOP

from wpfsm.adapters.documents.loop import loop_document
from wpfsm.adapters.terminal.loop_text import loop_text
from wpfsm.fsm.errors import with_fix
from wpfsm.fsm.records import Outcome, State
from wpfsm.state.database import create_or_open
from wpfsm.state.history import History
from wpfsm.state.store import create_loop


def test_why_says_what_happened_and_fix_what_to_do(tmp_path: Path) -> None:
    """A person sees each thing with its own fix under it."""
    path = tmp_path / "w.db"
    why = "\n".join([with_fix("the quota is 0", "ask for 1"), with_fix("no role", "set pool.role")])
    refused = dataclasses.replace(LOOP, state=State.CLOSED, outcome=Outcome.REFUSED, why=why)
    with contextlib.closing(create_or_open(path)) as connection:
        create_loop(connection, path, LOOP, "from a file")
        document: Any = loop_document(History(connection), refused, 1.0)
    assert document["loop"]["why"] == "the quota is 0\nno role"
    assert document["loop"]["fix"] == "ask for 1\nset pool.role"
    shown = [line.strip() for line in loop_text(document, 100).splitlines()]
    assert shown[1:5] == ["why   the quota is 0", "fix: ask for 1", "no role", "fix: set pool.role"]
