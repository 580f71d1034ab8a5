"""``report``: one loop as one self-contained HTML page."""

from __future__ import annotations

import time
from pathlib import Path

from wpfsm.adapters.aws.targets import history_of, sources_of
from wpfsm.adapters.terminal.output import Options, emit, write_whole
from wpfsm.adapters.verbs.loop_name import named
from wpfsm.fsm.records import JSON
from wpfsm.state.database import explained


def report(given: Options, which: str, target: Path) -> int:
    """Write the page of a loop; an earlier one of the same name is replaced.

    Raises:
        MissingExtra: Plotly is not installed.
        NotFound: There is no such loop.
        UsageError: The page cannot be written there.
    """
    from wpfsm.adapters.report import gather, render

    with explained(given.database):
        history = history_of(given)
        loop = named(history, which)
        sources = sources_of(given, loop)
        facts = gather(history, loop, sources, time.time())
    page = render(facts)
    write_whole(target, page)
    document: dict[str, JSON] = {"path": str(target.absolute()), "bytes": len(page.encode()), "loop": loop.id}
    emit(given, {"schema": "wpfsm/1", "report": document}, str(target))
    return 0
