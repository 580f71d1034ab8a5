"""Which values a request gives to which parameters.

A list of values belongs to the name before it ("lr 1e-4, 5e-5"), behind it ("2 or 4 heads", "1e-4 and 5e-5 for the
learning rate"), or to the parameter that the request spoke of last.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace

from wpfsm.adapters.detect.clauses import dead_spans
from wpfsm.adapters.detect.findings import Value
from wpfsm.adapters.detect.items import Item, items_of, singular
from wpfsm.adapters.detect.tables import Parameter, word_set

MAX_TRIALS = 200
"""More trials than this are not listed."""


@dataclass(frozen=True)
class Assignment:
    """Values that a request gives to one parameter.

    Attributes:
        name: the parameter's key in a trial.
        values: in order of mention; empty when the request says only that it varies.
        bounds: (low, high) of a range that the search shall fill.
        start: where the values begin in the text.
        end: where they end.
        tuples: the values are rows for several parameters.
        domain: of the parameter.
        sure: the name stands at the values, and is not taken from an earlier sentence.
    """

    name: str
    values: tuple[Value, ...] = ()
    bounds: tuple[float, float] | None = None
    start: int = 0
    end: int = 0
    domain: str = "a"
    sure: bool = True

    @property
    def varies(self) -> bool:
        """Whether it asks for more than one value."""
        return len(self.values) > 1 or self.bounds is not None


@dataclass
class Reading:
    """What the value reader found in a text."""

    items: list[Item]
    assignments: list[Assignment] = field(default_factory=list)
    mentioned: list[str] = field(default_factory=list)
    """Parameters that are named without a value."""


@dataclass
class _Run:
    """A run of values: "1e-4, 5e-5 and 2e-5", "8 to 64"."""

    first: int
    last: int
    values: list[Item]
    joins: list[str]
    unit: Item | None = None


_WITHIN_A_JOB = re.compile(
    r"\s*(?:after (?:each|every|block|layer)|per (?:layer|stage|block)|(?:in|for) (?:the )?(?:first|each|every|respective) (?:layer|block|stage)|at epochs?\b|layer by layer)",
    re.IGNORECASE,
)
"""Values that one job takes one after the other, or layer by layer."""
_COUNTED = re.compile(
    r"(?:value|setting|different|separate|random|new|option|candidate|more|other|training)s?$"
)
_IN_TURN = re.compile(
    r"\b(?:then|another|afterwards|after that|finally|next|than|beats?|or|and|vs|versus|if (?:it|that|this)[^.;]*|a (?:lower|higher|smaller|larger|bigger) one)\b[\s,:]*(?:with|at|try|use|to|say|a|also|maybe|even)?[\s,:]*$",
    re.IGNORECASE,
)


def read_values(text: str, taken: set[int] | None = None) -> Reading:
    """Read the assignments of a text.

    Args:
        text: what is asked, in English words.
        taken: starts of numbers that belong to something else, such as a target.
    """
    reading = Reading(items_of(text))
    reader = _Reader(reading, text, taken or set())
    reader.read()
    return reading


def related(one: str, other: str) -> bool:
    """Whether two names are one parameter's: "r" after "lora_r"."""
    return one == other or one.endswith(f"_{other}") or other.endswith(f"_{one}")


class _Reader:
    def __init__(self, reading: Reading, text: str, taken: set[int]) -> None:
        self.items = reading.items
        self.out = reading
        self.text = text
        self.taken = taken
        self.dead = dead_spans(text)
        self.earlier: Parameter | None = None

    def read(self) -> None:
        at = 0
        while at < len(self.items):
            item = self.items[at]
            if self._is_dead(item):
                self.earlier = item.parameter if item.tag == "P" else self.earlier
                at += 1
                continue
            if item.tag == "P":
                self.earlier = item.parameter
                self.out.mentioned.append(item.text)
            if item.tag in "NVD" and item.start not in self.taken and not self._is_word(at):
                run = self._run(at)
                self._assign(run)
                at = run.last + 1
                continue
            at += 1

    def _is_dead(self, item: Item) -> bool:
        return any(start <= item.start < end for start, end in self.dead)

    # -- runs

    def _run(self, at: int) -> _Run:
        first = self.items[at]
        run = _Run(at, at, [first], [])
        owner = self._left(at)
        while True:
            found = self._next_value(run.last + 1, first, owner, run)
            if found is None:
                return run
            position, join = found
            run.values.append(self.items[position])
            run.joins.append(join)
            run.last = position

    def _next_value(self, at: int, first: Item, owner: Parameter | None, run: _Run) -> tuple[int, str] | None:
        """Where the next value of a run stands, and how it is joined; None at the end of the run."""
        join = ""
        unit: Item | None = None
        limit = min(at + 7, len(self.items))
        for n in range(at, limit):
            item = self.items[n]
            if item.tag in "NVD" and item.start not in self.taken and not self._is_dead(item):
                alike = item.tag == first.tag and (first.tag != "V" or item.parameter == first.parameter)
                beside = (
                    not join
                    and n == at
                    and (owner is not None or run.joins[-1:] == [""])
                    and unit is None
                    and not item.text.startswith("-")
                )
                counted = n + 1 < len(self.items) and self.items[n + 1].tag in "J$"
                if not alike or (not join and not beside) or counted or self._is_word(n):
                    return None
                if unit is not None:
                    run.unit = unit
                return n, join or ""
            if item.tag in ",-":
                join += item.tag if item.text != "then" else ">"
            elif item.tag == "." and item.text == "\n":
                bullet = n + 1 < len(self.items) and self.items[n + 1].tag in "-NV"
                if not bullet and not join:
                    return None
                join += "," if "," not in join else ""
            elif item.tag in "Pw" and self._same(item, owner) and (join or n == at):
                if n == at and not join:
                    unit = item
            elif item.tag in "uwP" and n == at and not join:
                unit = item  # "16 px, 512 px"
            elif item.tag == "a" and item.text not in {"in", "is", "on", "of", "with", "-"}:
                continue
            elif item.tag == "(" and not run.joins and "," not in join:
                return None
            else:
                return None
        return None

    def _same(self, item: Item, owner: Parameter | None) -> bool:
        """Whether an item repeats the name that owns a run: "rank 8, rank 16", "ZeRO stage 2, stage 3"."""
        if item.tag == "w":
            return owner is not None and owner.name.split("_")[-1] == item.text
        return owner is None or (item.parameter is not None and related(item.parameter.name, owner.name))

    def _is_word(self, n: int) -> bool:
        """Whether a number is a word that counts something: "three values"."""
        if self.items[n].tag != "N" or not self.items[n].raw.isalpha():
            return False
        after = self.items[n + 1] if n + 1 < len(self.items) else None
        before = self.items[n - 1] if n else None
        owned = before is not None and (before.tag == "P" or before.text in {"=", ":"})
        return not owned and not (
            after is not None and after.tag == "P" and after.parameter is not None and after.parameter.counted
        )

    # -- whose they are

    def _left(self, at: int) -> Parameter | None:
        """The parameter that a run directly follows."""
        for n in range(at - 1, max(-1, at - 9), -1):
            item = self.items[n]
            if item.tag == "P":
                return item.parameter
            if item.tag not in "af(J-" or item.text == "\n":
                if item.tag == "w" and item.text in {
                    "strength",
                    "size",
                    "factor",
                    "much",
                    "either",
                    "list",
                    "go",
                    "sweep",
                    "search",
                    "hunt",
                    "grid",
                    "log-uniform",
                    "loguniform",
                }:
                    continue
                if item.text == "," and n + 1 < at and n and self.items[n - 1].tag == "P":
                    continue
                return None
        return None

    def _unknown_left(self, at: int, unit: Item | None) -> Parameter | None:
        """A name that no table knows before a run: "specaugment strengths like 0.2, 0.5"."""
        n = at - 1
        while n >= 0 and (
            self.items[n].tag in "af(" or self.items[n].text in {",", "-"} or self.items[n].text == "."
        ):
            if self.items[n].text == "." and at - n > 3:
                return None
            n -= 1
        words: list[str] = []
        if unit is not None and unit.tag != "P":  # "about 14k series, 730 days": things that are counted
            return None
        while n >= 0 and len(words) < 3 and self.items[n].tag in "wum" and self._names(self.items[n]):
            words.insert(0, self.items[n].raw.lower())
            n -= 1
        if not words:
            return None
        return Parameter("_".join([*words[:-1], singular(words[-1])][-2:]).replace("-", "_"))

    def _names(self, item: Item) -> bool:
        return (
            item.text not in word_set("no names")
            and item.raw.lower() not in word_set("no names")
            and item.raw[:1].isalpha()
            and not item.raw.endswith("ly")
        )

    def _right(self, run: _Run) -> Parameter | None:
        """The parameter that follows a run: "16 and 32 epochs", "2 or 4 heads", "0.1 or 0.2 for dropout"."""
        for n in range(run.last + 1, min(run.last + 5, len(self.items))):
            item = self.items[n]
            if item.tag == "P" and item.parameter is not None:
                after = self.items[n + 1] if n + 1 < len(self.items) else None
                own = after is not None and (after.tag in "NVD(" or after.text in {"=", ":"})
                return None if own else item.parameter
            if item.tag not in "a)(" or item.text in {"with", "at"}:
                return None
        return None

    def _unknown_right(self, run: _Run) -> Parameter | None:
        words: list[str] = []
        for n in range(run.last + 1, min(run.last + 3, len(self.items))):
            item = self.items[n]
            if item.tag != "w" or not self._names(item):
                break
            words.append(item.raw.lower())
        return Parameter("_".join(words), "i") if words and words[-1].endswith("s") else None

    # -- what they say

    def _assign(self, run: _Run) -> None:
        first, after = run.values[0], self.items[run.last + 1] if run.last + 1 < len(self.items) else None
        before = self.items[run.first - 1] if run.first else None
        owner = self._left(run.first)
        if first.tag == "V":
            assert first.parameter is not None
            name = owner.name if owner is not None and owner.domain == "n" else first.parameter.name
            self._put(run, Parameter(name, "n"), sure=True)
            return
        counts = after is not None and (after.tag in "J$u" or after.text in word_set("dates"))
        unlike = (
            run.unit is not None and after is not None and run.unit.text != after.text and run.unit.tag != "P"
        )
        if owner is None and unlike and len(run.values) > 1:  # "14k series, 730 days"
            return
        end = run.values[-1].start + len(run.values[-1].raw)
        if len(run.values) > 1 and _WITHIN_A_JOB.match(self.text, end):
            return
        if counts and owner is None and (len(run.values) == 1 or after.tag == "J"):  # type: ignore[union-attr]
            return
        if after is not None and len(run.values) == 1 and owner is None and _COUNTED.match(after.text):
            return
        if (
            before is not None
            and before.text in word_set("moments")
            and owner is None
            and len(run.values) == 1
        ):
            return
        unit = run.unit or after
        right = (
            unit.parameter
            if unit is not None and unit.tag == "P" and unit.parameter is not None and unit.parameter.counted
            else None
        )
        if right is not None and self._owns_next(run, unit):
            right = None
        named = owner
        if right is not None and (
            owner is None
            or (owner.name != right.name and len(run.values) == 1 and not self._assigned(run.first))
        ):
            named = right
        sure = True
        if named is None and len(run.values) > 1:
            named = self._right(run) or self._unknown_left(run.first, run.unit) or self._unknown_right(run)
            if named is None:
                named, sure = self.earlier, False
        if named is None and len(run.values) > 1:
            small = all(isinstance(v.value, float) and 0 < v.value < 0.02 for v in run.values)
            named = Parameter("lr", "f") if small else Parameter("value")
        if named is None and len(run.values) == 1:
            named = self._right(run)
            if (
                named is None
                and self.earlier is not None
                and before is not None
                and _IN_TURN.search(self.text[max(0, first.start - 30) : first.start])
            ):
                named, sure = self.earlier, False
            if (
                named is None
                and "e-" in first.raw
                and isinstance(first.value, float)
                and 0 < first.value < 0.02
            ):
                named, sure = Parameter("lr", "f"), False
        if named is not None and self._plausible(named, run):
            self._put(run, named, sure=sure)

    def _owns_next(self, run: _Run, unit: Item | None) -> bool:
        """Whether the name behind a number has a number of its own: "batch 8 epochs 3"."""
        place = next(
            (n for n in range(run.last + 1, min(run.last + 3, len(self.items))) if self.items[n] is unit),
            None,
        )
        if place is None or place + 1 >= len(self.items):
            return False
        after = self.items[place + 1]
        return after.tag in "NV" or (
            after.text in {"=", ":"} and place + 2 < len(self.items) and self.items[place + 2].tag in "NV"
        )

    def _assigned(self, at: int) -> bool:
        return at > 0 and self.items[at - 1].text in {"=", ":"}

    def _plausible(self, parameter: Parameter, run: _Run) -> bool:
        values = [item.value for item in run.values]
        if parameter.name in {"num_layers", "num_heads"} and any(
            isinstance(v, int) and v >= 64 for v in values
        ):
            return False  # the widths of a network, layer by layer
        if parameter.domain == "i":
            return (
                all(
                    isinstance(value, int) or (isinstance(value, float) and value.is_integer())
                    for value in values
                )
                or run.values[0].tag == "D"
            )
        return parameter.domain != "n"

    def _put(self, run: _Run, parameter: Parameter, *, sure: bool) -> None:
        values = tuple(dict.fromkeys(_converted(parameter, item) for item in run.values))
        start, end = run.values[0].start, run.values[-1].start + len(run.values[-1].raw)
        found = Assignment(parameter.name, values, None, start, end, parameter.domain, sure)
        self.earlier = parameter
        if (
            len(values) == 2
            and all(isinstance(value, int | float) for value in values)
            and self._is_range(run)
        ):
            found = self._range(found)
        self.out.assignments.append(found)

    def _is_range(self, run: _Run) -> bool:
        before = self.items[run.first - 1].text if run.first else ""
        opened = any(item.tag == "f" for item in self.items[max(0, run.first - 2) : run.first])
        drawn = re.search(r"uniform|range", self.text[max(0, run.values[0].start - 25) : run.values[0].start])
        joined = run.joins[0] if run.joins else ""
        return (
            joined.strip(">") == "-"
            or before == "between"
            or (opened and "-" in joined)
            or (drawn is not None and joined == ",")
        )

    def _range(self, found: Assignment) -> Assignment:
        """A range: its values where it says its steps or how many, or where they are clear; else its bounds."""
        low, high = (float(value) for value in found.values if isinstance(value, int | float))
        whole = all(isinstance(value, int) for value in found.values) and found.domain != "f"
        behind = self.text[found.end : found.end + 60]
        step = re.match(
            r"[^.;?\n]{0,25}?\b(?:in (?:steps? of |increments? of )?|steps? (?:of |by |size )?|by |every |par pas de |stride )(?P<step>\d*\.?\d+(?:e-?\d+)?)(?!\s?(?:trial|run|job|point|value))"
            r"|\s*(?P<ja>\d*\.?\d+)\s+in steps of",
            behind,
        )
        points = re.match(
            r"[^.;?\n]{0,40}?\b(?P<n>\d+|three|four|five|six|seven|eight|ten) (?:\w+ )?(?:points?|values?|steps)\b",
            behind,
        )
        before = re.search(
            r"\b(?P<n>\d+|two|three|four|five|six|seven|eight|nine|ten|twelve) (?:[\w-]+ ){0,3}(?:from|between)\s*$",
            self.text[: found.start],
        )
        if step is not None:
            self.taken.update(range(found.end, found.end + step.end()))
            return replace(found, values=_walked(low, high, float(step["step"] or step["ja"]), whole=whole))
        count = points or before
        drawn = re.search(r"random|bayes|uniform|optuna|tpe|\bdraw|sampl", self.text) is not None
        if count is not None and not drawn:
            self.taken.update(range(found.end, found.end + (points.end() if points else 0)))
            n = items_of(count["n"])[0].value
            if isinstance(n, int) and 2 <= n <= MAX_TRIALS:
                return replace(
                    found, values=_spaced(low, high, n, whole=whole, log=_is_log(low, high, self.text))
                )
        if (whole and not drawn and "seed" in found.name) or (
            found.name in {"fold", "num_layers", "depth", "max_depth", "epochs"}
            and whole
            and abs(high - low) <= 12
        ):
            return replace(found, values=_walked(low, high, 1, whole=True))
        if (
            whole
            and not drawn
            and re.search(r"batch|rank|bs|length|seq|accum|hidden|size|window|bin", found.name)
            and low > 0
        ):
            doubled = [min(high, low)]
            while doubled[-1] < max(low, high):
                doubled.append(doubled[-1] * 2)
            if doubled[-1] == max(low, high) and len(doubled) > 2:
                ordered = doubled if low < high else doubled[::-1]
                return replace(found, values=tuple(int(value) for value in ordered))
        if low == high:
            return found
        numbers = [value for value in found.values if isinstance(value, int | float)]
        return replace(found, values=(), bounds=(min(numbers), max(numbers)))


def _is_log(low: float, high: float, text: str) -> bool:
    return min(low, high) > 0 and (
        re.search(r"\blog", text) is not None or max(low, high) / min(low, high) >= 50
    )


def _walked(low: float, high: float, step: float, *, whole: bool) -> tuple[Value, ...]:
    """The numbers from low to high in steps; at most `MAX_TRIALS`."""
    if step <= 0:
        return ()
    steps = min(math.floor(abs(high - low) / step + 1e-9), MAX_TRIALS - 1)
    sign = 1 if high >= low else -1
    values = [round(low + sign * n * step, 12) for n in range(steps + 1)]
    return tuple(int(value) if whole and float(step).is_integer() else value for value in values)


def _spaced(low: float, high: float, count: int, *, whole: bool, log: bool) -> tuple[Value, ...]:
    """So many numbers from low to high, evenly, by magnitude where that is asked."""
    shares = [n / (count - 1) for n in range(count)]
    values = [low * (high / low) ** share if log else low + share * (high - low) for share in shares]
    rounded = [float(f"{value:.3g}") for value in values]
    return tuple(dict.fromkeys(round(value) for value in values)) if whole and not log else tuple(rounded)


_DOUBLED = re.compile(r"seq|length|token|context|batch|window|vocab|ctx")


def _converted(parameter: Parameter, item: Item) -> Value:
    value = item.value
    if value is None:
        return item.raw
    if isinstance(value, float) and parameter.domain == "i" and value.is_integer():
        return int(value)
    if (
        isinstance(value, int)
        and item.raw.lower().endswith("k")
        and _DOUBLED.search(parameter.name)
        and value <= 1_000_000
    ):
        return value // 1000 * 1024
    return value
