"""Which stretches of a text ask for nothing: what is denied, past, or the state of things now."""

from __future__ import annotations

import re

from wpfsm.adapters.detect.tables import rule

_LISTED = re.compile(
    r"\d(?:,| and | or |/| vs )|\b(?:try|run|train|sweep|test)\b(?! (?:at|with))", re.IGNORECASE
)


def dead_spans(text: str) -> list[tuple[int, int]]:
    """The stretches of a text, by their first character and the one behind the last."""
    spans = [match.span() for name in ("denied", "past clause") for match in rule(name).finditer(text)]
    now = [match.span() for match in rule("now clause").finditer(text) if not _LISTED.search(match.group())]
    return spans + now
