"""The verdict on each variant of an ablation: better, worse, within the noise, or not known.

Free of pydantic, so that `wpfsm inspect` can show verdicts without loading the loop file's model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import mean, variance

from wpfsm.fsm.strategies.base import Comparison, ComparisonVerdict
from wpfsm.fsm.strategies.metrics import Goal

BASELINE = "baseline"


def compare(values: Mapping[str, Sequence[float]], goal: Goal) -> tuple[Comparison, ...]:
    """Each variant against the baseline.

    Args:
        values: By name, `baseline` among them, the finite metrics of the completed runs.
        goal: Which way is better.
    """
    baseline = values[BASELINE]
    return tuple(_against(name, runs, baseline, goal) for name, runs in values.items() if name != BASELINE)


def _against(name: str, values: Sequence[float], baseline: Sequence[float], goal: Goal) -> Comparison:
    average = mean(values) if values else None
    reference = mean(baseline) if baseline else None
    if average is None or reference is None:
        missing = name if average is None else BASELINE
        text = f"{name}: no result, {missing} has not reported {goal.metric}"
        return Comparison(name, len(values), average, reference, None, None, "no result", text)
    low, high = interval(values, baseline) or (None, None)
    verdict = _verdict(low, high, goal)
    text = f"{name}: {goal.metric} {average:.6g} against {reference:.6g} ({average - reference:+.3g})"
    if low is None or high is None:
        text += f"; noise is unknown: {_why_unknown(values, baseline)}"
    else:
        text += f"; {verdict}, 95 % interval {low:+.3g} to {high:+.3g}"
    return Comparison(name, len(values), average, reference, low, high, verdict, text)


def _verdict(low: float | None, high: float | None, goal: Goal) -> ComparisonVerdict:
    if low is None or high is None:
        return "noise unknown"
    if low <= 0 <= high:
        return "within noise"
    return "better" if goal.better(low, 0) else "worse"


def _why_unknown(values: Sequence[float], baseline: Sequence[float]) -> str:
    if min(len(values), len(baseline)) < 2:
        return "it takes two completed runs of each (repeats)"
    if len({*values}) == len({*baseline}) == 1:
        return "the repeats are identical, so each needs its own seed (seed_parameter)"
    return "the values are too large to tell"


# Student's t, two-sided 95 %, for 1 to 30 degrees of freedom.
_T95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


def interval(one: Sequence[float], other: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of `mean(one) - mean(other)`.

    Returns:
        Its two ends; `None` when either group has fewer than two values or neither varies at all, since
        then nothing is known about the noise.
    """
    if min(len(one), len(other)) < 2:
        return None
    try:
        shares = [variance(group) / len(group) for group in (one, other)]
    except OverflowError:
        return None
    error = sum(shares)
    if error == 0:
        return None
    freedom = 1 / sum(
        (share / error) ** 2 / (len(group) - 1) for share, group in zip(shares, (one, other), strict=True)
    )
    half = _T95[max(1, min(len(_T95), math.floor(freedom))) - 1] * math.sqrt(error)
    difference = mean(one) - mean(other)
    return difference - half, difference + half
