"""What an expression for a metric would do to numbers that a log may well print: told before a job is paid.

A look at the expression's text, not a proof: the part before its group, the group and the part behind it are tried on
a few numbers. Where the text is too clever for that, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wpfsm.fsm.strategies.expression import BoundedPattern, compile_bounded

_SECONDS = 0.1
_LAST_PART = re.compile(r"(\[\^?[^\]]*\]|\\[dwDWsS]|\.)(?:[+*]|\{\d+,?\d*\})$")
"""The part before the group, where it is one that takes as much as it can."""
_GROUP = re.compile(r"\(\?P?<[A-Za-z_]\w*>|\((?!\?)")


def doubts(text: str) -> tuple[str, ...]:
    """How the expression would cut a number, one sentence each; empty when nothing is known against it.

    Args:
        text: an expression that :func:`~wpfsm.fsm.strategies.expression.check_regex` accepts.
    """
    parts = _split(text)
    if parts is None:
        return ()
    try:
        return tuple(dict.fromkeys(_doubts(*parts)))
    except (ValueError, TimeoutError):
        return ()


def _doubts(before: str, group: str, behind: str) -> Iterator[str]:
    inside, rest = compile_bounded(f"(?:{group})"), compile_bounded(f"(?:{behind})")
    for number in ("2.5e-05", "1234.5"):
        found = inside.match(number, timeout=_SECONDS)
        length = found.end() if found else 0
        if 0 < length < len(number) and rest.match(number[length:], timeout=_SECONDS):
            yield f"of {number} it captures {number[:length]}"
    last = _LAST_PART.search(before)
    if last is None:
        return
    eats = compile_bounded(last[1])
    if _takes(eats, "4") and _takes(inside, "5"):
        yield f"of 0.4875 it captures 5: {last[0]} before the group takes the digits"
    elif _takes(eats, "-") and not inside.match("-1.25", timeout=_SECONDS) and _takes(inside, "1"):
        yield f"of -1.25 it captures 1.25: {last[0]} before the group takes the sign"


def _takes(pattern: BoundedPattern, character: str) -> bool:
    found = pattern.match(character, timeout=_SECONDS)
    return found is not None and found.end() == 1


def _split(text: str) -> tuple[str, str, str] | None:
    """What stands before the first group that captures, in it, and behind it; `None` when it cannot be told."""
    depth, at, began = 0, 0, -1
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 2
            continue
        if character == "[":
            at = _end_of_class(text, at)
            continue
        if character == "(":
            opened = _GROUP.match(text, at)
            if opened and began < 0:
                if depth:
                    return None  # within another group: the parts around it do not stand alone
                began, inner = at, opened.end()
            depth += 1
        elif character == ")":
            depth -= 1
            if began >= 0 and depth == 0:
                return text[:began], text[inner:at], text[at + 1 :]
        at += 1
    return None


def _end_of_class(text: str, at: int) -> int:
    """Behind the bracket that closes a character class; its first member may be a bracket itself."""
    at += 2 if text[at + 1 : at + 2] == "^" else 1
    at += 1 if text[at : at + 1] == "]" else 0
    while at < len(text) and text[at] != "]":
        at += 2 if text[at] == "\\" else 1
    return at + 1
