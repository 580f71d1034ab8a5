"""Why a request may be no candidate: reasons that stand in its text, each with the words that it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from wpfsm.adapters.detect.clauses import dead_spans
from wpfsm.adapters.detect.items import items_of
from wpfsm.adapters.detect.tables import rule
from wpfsm.adapters.detect.text import Request


@dataclass(frozen=True)
class Reason:
    """A reason against a warm pool.

    Attributes:
        kind: its name.
        quote: the words of the request that say so.
        hard: no warm pool can serve it, however many jobs are asked for.
    """

    kind: str
    quote: str
    hard: bool = False


_HARD = ("spot", "serverless", "amt", "heterogeneous", "elsewhere", "declined")
_SOFT = ("single", "past", "question", "other")


def reasons_of(request: Request, *, pool_varies: bool = False) -> list[Reason]:
    """Every reason that stands in what is asked, the hard ones first."""
    if not re.search(r"\w", f"{request.asked}{''.join(request.blocks)}"):
        return [Reason("empty", "", hard=True)]
    found = [each for text in dict.fromkeys((request.asked, request.english)) for each in _hard(text)]
    dead = dead_spans(request.asked)
    named = [item for item in items_of(request.asked) if item.tag == "I"]
    types = list(dict.fromkeys(item.text for item in named if not _within(dead, item.start)))
    if len(types) > 1 and not re.search(r"\bnot\b|instead|busy|if (?:it|there)", request.asked):
        found.append(Reason("heterogeneous", " and ".join(types[:3]), hard=True))
    if pool_varies:
        found.append(Reason("pool", "", hard=True))
    for kind in _SOFT:
        match = rule(kind).search(request.asked) or rule(kind).search(request.english)
        if match is not None:
            found.append(Reason(kind, " ".join(match.group().split())[-80:]))
    return list({reason.kind: reason for reason in reversed(found)}.values())[::-1]


def _hard(text: str) -> Iterator[Reason]:
    """The hard reasons that nothing denies: "not on spot", "on demand instead of spot"."""
    dead = dead_spans(text)
    on_demand = re.search(r"(?<!out of )\bon[- ]demand\b", text, re.IGNORECASE)
    for kind in _HARD:
        for match in () if kind == "spot" and on_demand else rule(kind).finditer(text):
            ahead = text[max(0, match.start() - 30) : match.start()]
            if kind == "declined" or not (_within(dead, match.start()) or rule("denial").search(ahead)):
                yield Reason(kind, " ".join(match.group().split()), hard=True)
                break


def _within(spans: list[tuple[int, int]], at: int) -> bool:
    return any(start <= at < end for start, end in spans)
