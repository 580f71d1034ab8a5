"""Search spaces: the values that each hyperparameter may take.

Random draws rest on `random.Random.random` alone, the one method whose seeded sequence Python promises to
keep across versions: a loop resumed under another Python proposes the same trials.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StrictFloat,
    StrictInt,
    Tag,
    model_validator,
)

from wpfsm.fsm.records import Value

FiniteFloat = Annotated[StrictFloat, Field(allow_inf_nan=False)]
Number = StrictInt | FiniteFloat
ParamValue = bool | StrictInt | FiniteFloat | str | None
"""`Value`, as pydantic checks it: finite, and never converted from one type to another."""

Overrides = dict[str, ParamValue]
"""Hyperparameters of one trial, over the job's own."""


def _no_value_twice(values: list[Value]) -> list[Value]:
    for position, value in enumerate(values):
        if value in values[:position]:
            raise ValueError(f"the value {value!r} is there twice")
    return values


Values = Annotated[list[ParamValue], Field(min_length=1), AfterValidator(_no_value_twice)]
"""The values of one parameter: at least one, and none of them twice."""

ENUMERABLE = 4096
"""Spaces up to this size are listed and shuffled; larger ones are drawn from until a new point appears."""

PATIENCE = 1000
"""Draws without a new point after which a space counts as used up: a range may be narrower than its digits."""


class Choice(BaseModel):
    """One of several values: `{values: [4, 8, 16]}`, or the bare list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    values: Values

    def size(self) -> int:
        """How many values there are."""
        return len(self.values)

    def all(self) -> Iterator[Value]:
        """The values in order."""
        return iter(self.values)

    def at(self, position: float) -> Value:
        """The value at a position in [0, 1)."""
        return self.values[int(position * len(self.values))]


class Range(BaseModel):
    """Numbers between two bounds, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min: Number = Field(description="The lower bound.")
    max: Number = Field(description="The upper bound.")
    scale: Literal["linear", "log"] = Field(
        default="linear", description="`log` for magnitudes, such as learning rates."
    )
    step: Number | None = Field(default=None, description="Only multiples of it, counted from `min`.")
    type: Literal["int", "float"] | None = Field(
        default=None,
        description="`int` or `float`; `int` when the bounds and the step are written as integers.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Range:
        if self.min >= self.max:
            raise ValueError(f"min must be below max: {self.min} is not below {self.max}")
        if self.scale == "log" and self.min <= 0:
            raise ValueError(f"a log scale needs min above 0, not {self.min}")
        if self.step is not None and self.scale == "log":
            raise ValueError("step goes with a linear scale only")
        if self.step is not None and (self.step <= 0 or self.size() == 1):
            raise ValueError(f"step must be above 0 and fit between min and max, not {self.step}")
        if self.type == "int" and not all(float(n).is_integer() for n in self._numbers()):
            raise ValueError("type int needs whole numbers for min, max and step")
        return self

    def _numbers(self) -> list[int | float]:
        return [self.min, self.max] + ([] if self.step is None else [self.step])

    @property
    def integral(self) -> bool:
        """Whether its values are integers."""
        return self.type == "int" or (self.type is None and all(isinstance(n, int) for n in self._numbers()))

    @property
    def stride(self) -> int | float | None:
        """The distance between neighbours; `None` when there is none."""
        return self.step if self.step is not None else (1 if self.integral else None)

    def size(self) -> int | None:
        """How many values there are; `None` when they are continuous."""
        if self.stride is None:
            return None
        return math.floor((self.max - self.min) / self.stride + 1e-9) + 1

    def all(self) -> Iterator[Value]:
        """The values in order; only for a range that has a size."""
        return (self.nth(n) for n in range(self.size() or 0))

    def at(self, position: float) -> Value:
        """The value at a position in [0, 1)."""
        if self.scale == "log":
            low, high = math.log(self.min), math.log(self.max + 1 if self.integral else self.max)
            return self.tidy(math.exp(low + position * (high - low)))
        size = self.size()
        if size is not None:
            return self.nth(int(position * size))
        return self.tidy(self.min + position * (self.max - self.min))

    def tidy(self, value: float) -> Value:
        """The value with six significant digits of the range, within its bounds: what people can type back."""
        if self.integral:
            return max(int(self.min), min(int(self.max), math.floor(value)))
        span = value if self.scale == "log" else self.max - self.min
        decimals = 6 - math.ceil(math.log10(abs(span)))
        return float(max(self.min, min(self.max, round(value, decimals))))

    def nth(self, n: int) -> Value:
        """The n-th value, from 0; only for a range that has a size."""
        value = self.min + n * (self.stride or 0)
        # 0.1 + 2 * 0.1 is 0.30000000000000004
        return int(value) if self.integral else float(max(self.min, min(self.max, float(f"{value:.12g}"))))

    def index(self, value: float) -> int:
        """Where a value stands in a range that has a size.

        Raises:
            ValueError: It is none of the range's values.
        """
        n = round((value - self.min) / (self.stride or 1))
        if not 0 <= n < (self.size() or 0) or self.nth(n) != value:
            raise ValueError(f"{value} is no value of the range")
        return n


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "list"
    return (
        "values" if isinstance(value, Choice) or (isinstance(value, dict) and "values" in value) else "range"
    )


Parameter = Annotated[
    Annotated[Values, Tag("list")] | Annotated[Choice, Tag("values")] | Annotated[Range, Tag("range")],
    Discriminator(_kind),
]
"""What a loop file may say about one parameter."""


@dataclass(frozen=True)
class Space:
    """The product of the parameters' values."""

    dimensions: Mapping[str, Choice | Range]

    @classmethod
    def of(cls, parameters: Mapping[str, list[ParamValue] | Choice | Range]) -> Space:
        """The space that a loop file describes.

        Raises:
            ValueError: A list is empty or holds a value twice.
        """
        return cls(
            {
                name: Choice(values=given) if isinstance(given, list) else given
                for name, given in parameters.items()
            }
        )

    def size(self) -> int | None:
        """How many points there are; `None` when a dimension is continuous."""
        sizes = [size for each in self.dimensions.values() if (size := each.size()) is not None]
        return math.prod(sizes) if len(sizes) == len(self.dimensions) else None

    def points(self) -> Iterator[dict[str, Value]]:
        """Every point of a finite space: the first parameter varies slowest."""
        for values in itertools.product(*(each.all() for each in self.dimensions.values())):
            yield dict(zip(self.dimensions, values, strict=True))

    def draws(self, seed: int) -> Iterator[dict[str, Value]]:
        """Points in a seeded random order, none twice; ends when the space is used up."""
        source = random.Random(seed)
        size = self.size()
        if size is not None and size <= ENUMERABLE:
            yield from sorted(self.points(), key=lambda _: source.random())
            return
        seen: set[tuple[Value, ...]] = set()
        stale = 0
        while stale < PATIENCE:
            point = {name: each.at(source.random()) for name, each in self.dimensions.items()}
            stale += 1
            if (key := tuple(point.values())) not in seen:
                seen.add(key)
                stale = 0
                yield point
