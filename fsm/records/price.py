"""What an instance costs, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PriceSource = Literal["loop file", "price list", "built-in table"]


@dataclass(frozen=True)
class Price:
    """The on-demand price of one training instance.

    Attributes:
        usd_per_hour: US dollars per instance and hour.
        source: where the figure comes from; a price in the loop file wins over the others.
        as_of: the date (or year, or month) at which the source stated it, ISO 8601.
        region: the region that it holds for.
        instance_type: such as ``ml.g5.2xlarge``.
    """

    usd_per_hour: float
    source: PriceSource
    as_of: str
    region: str
    instance_type: str
