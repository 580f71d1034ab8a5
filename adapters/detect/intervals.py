"""Ranges of values, and which values a parameter can take.

"from 4 to 32" is walked in powers of two for a batch size, "in steps of 0.1" evenly, "with 5 points" evenly or
in the logarithm; a range that says neither is left open, for a search to fill.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from wpfsm.adapters.detect.clauses import Shape
from wpfsm.adapters.detect.findings import Value
from wpfsm.adapters.detect.patterns import Rule
from wpfsm.adapters.detect.vocabulary import Domain, Parameter, word_set

MAX_TRIALS = 200
"""A list, a range or a grid larger than this is cut here; the message says so."""

_STEP = Rule(r" (?:step(?:ping)?|steps|increment|PARAM) (?:of|by) NUM | (?:by|step) NUM ")
_POINTS = Rule(r" NUM (?:step|PARAM|point|value|evenly|equally|run|trial|log|level)")
Number = int | float
_ONE_BY_ONE = word_set("seed epochs fold num_layers zero_stage max_depth")
_LONGEST_COUNT = 20


def plausible(parameter: Parameter, values: Sequence[Value | None]) -> bool:
    """Whether these numbers can be values of this parameter."""
    numbers = [value for value in values if isinstance(value, int | float)]
    if parameter.domain is Domain.NAME:
        return False
    if parameter.domain is Domain.INTEGER:
        return all(float(value).is_integer() for value in numbers)
    if parameter.name == "lr":
        return all(0 < value <= 2 for value in numbers)
    if parameter.domain is Domain.FRACTION:
        return all(0 <= value <= 10 for value in numbers)
    return True


def walked(parameter: Parameter, low: Number, high: Number, rest: Shape) -> tuple[Value, ...]:
    """The values of a range.

    Args:
        parameter: whose range it is.
        low: where it starts; may lie above `high`.
        high: where it ends.
        rest: what the request says behind it ("in steps of 0.1").

    Returns:
        The values in order; () when neither the request nor the nature of the parameter says how to walk it.
    """
    width, points = _number_at(_STEP, rest), _number_at(_POINTS, rest)
    if width and abs(high - low) / width < MAX_TRIALS:
        return tuple(_steps(low, high, width))
    if parameter.doubling or " power of two " in rest.text or " doubling " in rest.text:
        return _doubled(low, high)
    if isinstance(points, int) and 2 <= points <= MAX_TRIALS:
        return _spaced(low, high, points)
    whole = isinstance(low, int) and isinstance(high, int)
    if whole and parameter.name in _ONE_BY_ONE and 0 < abs(high - low) <= _LONGEST_COUNT:
        return tuple(_steps(low, high, 1))
    return ()


def filled(values: Sequence[float]) -> list[float]:
    """A list with the gap before its last value filled: 1, 2, ..., 5 and 8, 16, ..., 64 and 1e-5, 1e-4, ..., 1e-2."""
    if len(values) < 3 or min(values[-3:]) <= 0 or not values[-3] < values[-2] < values[-1]:
        return list(values)
    before, first, last = values[-3:]
    ratio, step = first / before, first - before
    gap: list[float] = [first]
    doubling = step != 1 and math.isclose(power := math.log(last / first, ratio), round(power), rel_tol=1e-6)
    while gap[-1] < last * (1 - 1e-6) and len(gap) < MAX_TRIALS:
        gap.append(gap[-1] * ratio if doubling else gap[-1] + step)
    if not math.isclose(gap[-1], last, rel_tol=1e-6):
        return list(values)
    whole = all(isinstance(value, int) for value in values)
    return [*values[:-1], *(round(value) if whole else float(f"{value:.6g}") for value in gap[1:-1]), last]


def _number_at(rule: Rule, rest: Shape) -> Number | None:
    match = rule.search(rest.text)
    items = rest.items[rest.index(match.start() + 1) :] if match else ()
    return next((item.value for item in items if isinstance(item.value, int | float)), None)


def _steps(low: Number, high: Number, width: Number) -> Iterator[Number]:
    sign = 1 if high >= low else -1
    whole = all(isinstance(number, int) for number in (low, high, width))
    for n in range(int(abs(high - low) / width + 1e-9) + 1):
        value = low + sign * n * width
        yield value if whole else float(f"{value:.10g}")


def _doubled(low: float, high: float) -> tuple[Value, ...]:
    if low <= 0 or high <= 0 or low == high:
        return ()
    ratio = math.log2(high / low)
    if not ratio.is_integer() or abs(ratio) > 20:
        return (low, high)
    sign = 1 if ratio > 0 else -1
    walked = [low * 2.0 ** (sign * n) for n in range(abs(int(ratio)) + 1)]
    return tuple(int(value) if value.is_integer() else value for value in walked)


def _spaced(low: float, high: float, points: int) -> tuple[Value, ...]:
    """Evenly spaced; in the logarithm where the ends are ten times or more apart."""
    if low > 0 and high > 0 and max(low, high) / min(low, high) >= 10:
        inner = [low * (high / low) ** (n / (points - 1)) for n in range(points)]
    else:
        inner = [low + (high - low) * n / (points - 1) for n in range(points)]
    return tuple(float(f"{value:.3g}") for value in inner)
