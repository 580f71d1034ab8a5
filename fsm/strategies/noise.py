"""Whether two groups of metrics differ by more than their own spread.

Welch's interval (Welch 1947): the difference of the means, plus or minus Student's t times the standard
error, with unequal variances. The degrees of freedom are rounded down and capped at 30, which makes the
interval a little too wide and never too narrow. Each variant is compared on its own at 95 %; with twenty
variants that do nothing, one is expected to look different.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, variance

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
