"""The values between two bounds, where a request says its steps or how many, or where they are clear."""

from __future__ import annotations

import math
import re

from wpfsm.adapters.detect.findings import Value
from wpfsm.adapters.detect.items import items_of
from wpfsm.adapters.detect.tables import rule

_MOST = 200
_WALKED = re.compile(r"seed|^fold$|depth|layers$|^epochs$")
_DOUBLED = re.compile(r"batch|rank|bs|length|seq|accum|hidden|size|window|bin")


def values_between(
    text: str, name: str, domain: str, bounds: list[int | float], start: int, end: int
) -> tuple[tuple[Value, ...], int]:
    """The values of a range, none where it stays one, and how many characters behind it say so.

    Args:
        text: the request.
        name: the parameter.
        domain: of the parameter.
        bounds: the two ends, as the request orders them.
        start: where the range begins in the text.
        end: where it ends.
    """
    low, high = float(bounds[0]), float(bounds[1])
    whole = all(isinstance(bound, int) for bound in bounds) and domain != "f"
    behind = text[end : end + 60]
    step = rule("range step").match(behind)
    if step is not None:
        return _walked(
            low, high, float(step["step"] or step["each"] or step["before"]), whole=whole
        ), step.end()
    points = rule("range points").match(behind)
    count = points or rule("range counted").search(text[:start])
    drawn = rule("drawn").search(text) is not None
    if count is not None and not drawn:
        n = items_of(count["n"])[0].value
        if isinstance(n, int) and 2 <= n <= _MOST:
            return _spaced(
                low, high, n, text, whole=whole and n <= abs(high - low) + 1
            ), points.end() if points else 0
    if drawn or not whole:
        return (), 0
    if _WALKED.search(name) and ("seed" in name or abs(high - low) <= 12):
        return _walked(low, high, 1, whole=True), 0
    small, large = int(min(bounds)), int(max(bounds))
    doublings = math.log2(large / small) if small > 0 else 0.0
    if _DOUBLED.search(name) and doublings >= 2 and doublings.is_integer():
        doubled = [small * 2**n for n in range(int(doublings) + 1)]
        return tuple(doubled if low < high else doubled[::-1]), 0
    return (), 0


def _walked(low: float, high: float, step: float, *, whole: bool) -> tuple[Value, ...]:
    """The numbers from low to high in steps."""
    if step <= 0:
        return ()
    steps = min(math.floor(abs(high - low) / step + 1e-9), _MOST - 1)
    values = [round(low + (n if high >= low else -n) * step, 12) for n in range(steps + 1)]
    return tuple(int(value) if whole and float(step).is_integer() else value for value in values)


def _spaced(low: float, high: float, count: int, text: str, *, whole: bool) -> tuple[Value, ...]:
    """So many numbers from low to high, evenly; by magnitude where that is asked or the ends are far apart."""
    log = min(low, high) > 0 and (
        re.search(r"\blog", text) is not None or max(low, high) / min(low, high) >= 50
    )
    shares = [n / (count - 1) for n in range(count)]
    values = [low * (high / low) ** share if log else low + share * (high - low) for share in shares]
    return (
        tuple(dict.fromkeys(round(v) for v in values))
        if whole and not log
        else tuple(float(f"{v:.3g}") for v in values)
    )
