"""Requirements that a package index cannot satisfy, with the line that asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wpfsm.fsm.ports import Resolution
from wpfsm.fsm.source_checks.finding import SourceFinding
from wpfsm.fsm.source_checks.requirement_lines import Line


def uninstallable(lines: Sequence[Line], resolution: Resolution) -> Iterator[SourceFinding]:
    """What a resolver said against the requirements."""
    if not resolution.problem:
        return
    line = next((each for each in lines if each.name == resolution.distribution), None)
    first = lines[0] if lines else None
    yield SourceFinding(
        "requirements",
        resolution.problem,
        line.file if line else first.file if first else "",
        line.line if line else 0,
        "change the requirement; pip said this for the image's Python and without installing anything",
    )
