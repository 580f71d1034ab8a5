"""`wpfsm export`: the trials of a loop as rows of a CSV or JSON Lines file."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from wpfsm.adapters.aws.targets import history_of
from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.documents.trial_rows import flat, report_rows, trial_rows
from wpfsm.adapters.terminal.output import Options, emit, write_whole
from wpfsm.adapters.terminal.visible import visible_json
from wpfsm.adapters.verbs.loop_name import named
from wpfsm.fsm.records import JSON
from wpfsm.state.database import explained

Form = Literal["csv", "jsonl"]


def export(given: Options, which: str, target: Path, form: Form, *, reports: bool = False) -> int:
    """Write one row a trial to ``target``, or one a report of a metric; ``-`` is standard output.

    Raises:
        NotFound: There is no such loop.
        UsageError: The file cannot be written there.
    """
    with explained(given.database):
        history = history_of(given)
        loop = named(history, which)
        rows = report_rows(history, loop) if reports else trial_rows(history, loop, time.time())
    text = _csv(rows) if form == "csv" else _jsonl(rows)
    if str(target) == "-":
        print(text, end="", flush=True)
        return 0
    write_whole(target, text)
    document: dict[str, JSON] = {"loop": loop.id, "path": str(target.absolute()), "rows": len(rows)}
    emit(
        given,
        {"schema": SCHEMA, "exported": document},
        f"{target}: {len(rows)} {'reports' if reports else 'trials'} of {loop.id}",
    )
    return 0


def _csv(rows: Sequence[Mapping[str, JSON]]) -> str:
    names, cells = flat(rows)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    if names:
        writer.writerow(names)
    writer.writerows(cells)
    return table.getvalue()


def _jsonl(rows: Sequence[Mapping[str, JSON]]) -> str:
    return "".join(visible_json(json.dumps(row, ensure_ascii=False, allow_nan=False)) + "\n" for row in rows)
