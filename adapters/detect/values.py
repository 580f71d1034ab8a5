"""Which values a request gives to which parameters.

A run of values ("1e-4, 5e-5 and 2e-5", "8 to 64") belongs to the name before it ("lr 1e-4, 5e-5"), to the name behind it
("2 or 4 heads", "1e-4 and 5e-5 for the learning rate"), or to the parameter that the request spoke of last. Runs and
their neighbours are found as expressions over the tags of the items, one letter an item.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from wpfsm.adapters.detect.clauses import dead_spans
from wpfsm.adapters.detect.findings import Value
from wpfsm.adapters.detect.intervals import values_between
from wpfsm.adapters.detect.items import Item, items_of, singular
from wpfsm.adapters.detect.tables import Parameter, rule, word_set

MAX_TRIALS = 200
"""More trials than this are not listed."""


@dataclass(frozen=True)
class Assignment:
    """Values that a request gives to one parameter.

    Attributes:
        name: the parameter's key in a trial.
        values: in order of mention; empty for a range.
        bounds: (low, high) of a range that the search shall fill.
        start: where the values begin in the text.
        end: where they end.
        domain: of the parameter.
        sure: the name stands at the values, and is not taken from an earlier sentence.
        now: it says how things are ("the model uses tau 0.07"), so that later values stand instead.
    """

    name: str
    values: tuple[Value, ...] = ()
    bounds: tuple[float, float] | None = None
    start: int = 0
    end: int = 0
    domain: str = "a"
    sure: bool = True
    now: bool = False

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
    """Parameters that are named, in order."""


@dataclass
class _Run:
    """A run of values: the places of its items, the signs between them, and what they are counted in."""

    places: list[int]
    joins: list[str]
    unit: Item | None = None


_NOTHING = Item("!", "", "", -1)
"""What stands beyond the ends of a text."""
_APART = frozenset({"in", "is", "on", "of", "with", "-"})
_GAP = re.compile(r"(?P<unit>[uwP]?)(?P<join>[,-][,a-]*|(?:[,-]a*)?\.[-,]?)?(?P<again>[Pw]?)(?=[NVD])")
"""What may stand between two values: "16 px, 512 px", "rank 8, rank 16", "8, then with 16", a bullet on a new line."""
_LEFT = re.compile(r"P[(]?(?:,(?=[af(J-]))?[af(J-]{0,7}$")
_RIGHT = re.compile(r"[a)(]{0,3}P(?![NVD(=:])")


def read_values(text: str, taken: set[int] | None = None) -> Reading:
    """Read the assignments of a text.

    Args:
        text: what is asked, in English words.
        taken: starts of numbers that belong to something else, such as a target.
    """
    out = _Reader(text, taken or set()).read()
    for match in rule("choices").finditer(text):
        name = next(found for key, found in match.groupdict().items() if key.startswith("name") and found)
        cells = next(found for key, found in match.groupdict().items() if key.startswith("list") and found)
        start, end = match.span()
        values = re.split(r"\s*(?:,|/|\||\bvs\.?\s)\s*(?:(?:and|or) )?|\s+(?:and|or)\s+", cells.strip(" ,"))
        inside = [each for each in out.assignments if each.start <= end and each.end >= start]
        unsaid = word_set("no names") if match["list"] is None else word_set("switches")
        plain = not unsaid & {value.lower() for value in values}
        if plain and len(values) > 1 and sum(len(each.values) for each in inside) < len(values):
            out.assignments = [each for each in out.assignments if each not in inside]
            named = name if name.isidentifier() else name.replace(" ", "_")
            quoted = tuple(value.strip("'\"") for value in values)
            out.assignments.append(Assignment(named, quoted, None, start, end, "n"))
    out.assignments.sort(key=lambda each: each.start)
    return out


def related(one: str, other: str) -> bool:
    """Whether two names are one parameter's: "r" after "lora_r"."""
    return one == other or one.endswith(f"_{other}") or other.endswith(f"_{one}")


class _Reader:
    def __init__(self, text: str, taken: set[int]) -> None:
        self.items = items_of(text)
        self.out = Reading(self.items)
        self.text = text
        self.taken = taken
        self.dead = dead_spans(text)
        self.earlier: Parameter | None = None
        self.waiting = False
        """Whether the parameter that was spoken of last has no value yet."""
        self.shape = "".join(self._sign(n) for n in range(len(self.items)))

    def _sign(self, n: int) -> str:
        """The tag of an item; "!" for what is denied or past, and for a number that gives no value."""
        item = self.items[n]
        dead = any(start <= item.start < end for start, end in self.dead)
        used = item.tag in "NVD" and (item.start in self.taken or self._is_count(n))
        return "!" if dead or used else item.tag

    def _is_count(self, n: int) -> bool:
        """Whether a number only counts something: "three values", "3 learning rates from"."""
        item, after, before = self.items[n], self._at(n + 1), self._at(n - 1)
        if item.tag != "N" or before.tag == "P" or before.text in {"=", ":"}:
            return False
        owner = after.parameter if after.tag == "P" else None
        if item.raw.isalpha():
            return owner is None or not owner.counted
        end = after.start + len(after.raw)
        plural = self.text[end - 1 : end + 1].rstrip().endswith("s")
        counts = isinstance(item.value, int) and item.value > 1 and owner is not None and plural
        listed = self._at(n + 2).text in {"(", ":"}
        return counts and owner is not None and (owner.domain in "fn" or listed)

    def _at(self, n: int) -> Item:
        return self.items[n] if 0 <= n < len(self.items) else _NOTHING

    def read(self) -> Reading:
        at = 0
        while at < len(self.items):
            item, sign = self.items[at], self.shape[at]
            if item.tag == "P" and item.text not in word_set("pool"):
                self.earlier, self.waiting = item.parameter, sign == "P"
            if sign == "P":
                self.out.mentioned.append(item.text)
            if sign in "NVD":
                run = self._run(at)
                self._assign(run)
                at = run.places[-1]
            at += 1
        return self.out

    # -- runs

    def _run(self, at: int) -> _Run:
        run, owner = _Run([at], []), self._left(at)
        gap = _GAP.match(self.shape, at + 1)
        while gap is not None and gap.end() - run.places[-1] <= 8:
            between = self.items[run.places[-1] + 1 : gap.end()]
            join = "".join(">" if each.text == "then" else each.tag for each in between if each.tag in ",-")
            line = "\n" in [each.text for each in between]
            if not self._goes_on(run, gap, owner, join=join, line=line):
                return run
            run.unit = between[0] if gap["unit"] and gap["join"] else run.unit
            run.places.append(gap.end())
            run.joins.append("," if line else join)
            gap = _GAP.match(self.shape, gap.end() + 1)
        return run

    def _goes_on(
        self, run: _Run, gap: re.Match[str], owner: Parameter | None, *, join: str, line: bool
    ) -> bool:
        """Whether the value behind a gap is one more of a run."""
        first, item, after = self.items[run.places[0]], self.items[gap.end()], self._at(gap.end() + 1)
        between = self.items[run.places[-1] + 1 : gap.end()]
        unit = between[0] if gap["unit"] and gap["join"] and not gap["again"] else _NOTHING
        again = between[-1] if gap["again"] else between[0] if gap["unit"] and not gap["join"] else None
        if (
            item.tag != first.tag
            or (first.tag == "V" and item.parameter != first.parameter)
            or after.tag in "J$"
        ):
            return False
        if again is not None and not self._same(again, owner):
            return False
        other = after.parameter if after.tag == "P" and self._at(gap.end() + 2).tag not in "NV" else None
        unlike = owner is not None and owner.domain == "f" and isinstance(item.value, int)
        if unlike and other is not None and other.counted:
            return False  # "lr 3e-4 and 4 layers"
        if len(run.places) == 2 and self._at(run.places[0] - 1).text == "between":
            return False
        if unit.parameter is not None and not (unit.parameter.counted and after.text == unit.text):
            return False  # a name behind a value opens the next one's: "batch 8 epochs 3, 4"
        if not line and "." in [each.tag for each in between]:
            return False
        if not join and not line:
            return (owner is not None or run.joins[-1:] == [""]) and not item.text.startswith("-")
        if line and not join and between[0].text != "\n":
            return False
        return not any(each.tag == "a" and each.text in _APART for each in between)

    def _same(self, item: Item, owner: Parameter | None) -> bool:
        """Whether an item repeats the name that owns a run: "rank 8, rank 16", "ZeRO stage 2, stage 3"."""
        if item.tag == "w":
            return owner is not None and owner.name.split("_")[-1] == item.text
        return owner is None or (item.parameter is not None and related(item.parameter.name, owner.name))

    # -- whose they are

    def _left(self, at: int) -> Parameter | None:
        """The parameter that a run directly follows."""
        match = _LEFT.search(self.shape, max(0, at - 9), at)
        if match is None or any(each.text == "\n" for each in self.items[match.start() : at]):
            return None
        return self.items[match.start()].parameter

    def _right(self, at: int) -> Parameter | None:
        """The parameter that follows a run: "16 and 32 epochs", "0.1 or 0.2 for dropout"."""
        match = _RIGHT.match(self.shape, at)
        if match is None or any(each.text in {"with", "at"} for each in self.items[at : match.end()]):
            return None
        return None if self._at(match.end()).text in {"=", ":"} else self.items[match.end() - 1].parameter

    def _unknown(self, run: _Run) -> Parameter | None:
        """A name that no table knows beside a run: "specaugment strengths like 0.2, 0.5", "2 or 4 towers"."""
        start, end = run.places[0], run.places[-1] + 1
        while start and (
            self.shape[start - 1] in "af(,-" or (self.shape[start - 1] == "." and end - start < 3)
        ):
            start -= 1
        left: list[str] = []
        while start and len(left) < 2 and self._names(start - 1):
            start -= 1
            left.insert(0, self.items[start].raw)
        counted = run.unit is not None and run.unit.tag != "P"  # "about 14k series, 730 days"
        if left and not counted and (not start or self.shape[start - 1] not in "NVD"):
            left = left if len(left[-1]) == 1 else [word.lower() for word in left]
            return Parameter("_".join([*left[:-1], singular(left[-1])]).replace("-", "_"))
        right = [self.items[n].raw.lower() for n in (end, end + 1) if self._names(n) and self._names(end)]
        return Parameter("_".join(right), "i") if not left and right and right[-1].endswith("s") else None

    def _names(self, n: int) -> bool:
        item, plain = self._at(n), self._at(n).raw.lower()
        listed = {item.text, plain} & word_set("no names")
        return (
            self.shape[n : n + 1] in {"w", "u", "m"}
            and item.raw[:1].isalpha()
            and not listed
            and not plain.endswith("ly")
        )

    # -- what they say

    def _assign(self, run: _Run) -> None:
        first, alone = self.items[run.places[0]], len(run.places) == 1
        owner = self._left(run.places[0])
        if first.parameter is not None and first.tag == "V":
            name = owner.name if owner is not None and owner.domain == "n" else first.parameter.name
            self._put(run, Parameter(name, "n"))
            return
        ahead = self.text[max(0, first.start - 30) : first.start]
        if rule("moment").search(ahead) if owner else self._only_counts(run):
            return
        if not alone and rule("within a job").match(self.text, self._end(run)):
            return
        named, sure = self._counted(run, owner) or owner or self._right(run.places[-1] + 1), True
        small = all(isinstance(v, float) and 0 < v < 0.02 for v in self._values(run))
        if named is None and not alone:
            named = None if self.waiting else self._unknown(run)
            if named is None:
                named, sure = self.earlier, self.earlier is None
                named = named or (Parameter("lr", "f") if small else Parameter("value"))
        elif named is None:
            named, sure = self.earlier if rule("in turn").search(ahead) else None, False
            named = named or (Parameter("lr", "f") if small and "e-" in first.raw else None)
        if named is not None and self._plausible(named, run):
            self._put(run, named, sure=sure)

    def _values(self, run: _Run) -> list[Value | None]:
        return [self.items[n].value for n in run.places]

    def _end(self, run: _Run) -> int:
        return self.items[run.places[-1]].start + len(self.items[run.places[-1]].raw)

    def _only_counts(self, run: _Run) -> bool:
        """Whether a run without an owner counts jobs, days or things: "14k series, 730 days", "20 jobs", "3 May"."""
        after, before, alone = self._at(run.places[-1] + 1), self._at(run.places[0] - 1), len(run.places) == 1
        if run.unit is not None and run.unit.tag != "P" and run.unit.text != after.text:
            return True
        if not alone:
            return after.tag == "J"
        dated = after.text in word_set("dates") or before.text in word_set("moments")
        return after.tag in "J$u" or dated or rule("counted").match(after.text) is not None

    def _counted(self, run: _Run, owner: Parameter | None) -> Parameter | None:
        """The parameter that counts a run from behind ("8 epochs"), unless it has a number of its own."""
        place = run.places[-1] + 1
        unit = run.unit or self._at(place)
        if unit.tag != "P" or unit.parameter is None or not unit.parameter.counted:
            return None
        own = self._at(place) is unit and re.match(r"[NV]|a[NV]", self.shape[place + 1 : place + 3])
        own = own and self._at(place + 1).text in {"=", ":", self._at(place + 1).raw}
        assigned = self._at(run.places[0] - 1).text in {"=", ":"}
        taken = owner is not None and (owner.name == unit.parameter.name or len(run.places) > 1 or assigned)
        return None if own or taken else unit.parameter

    def _plausible(self, parameter: Parameter, run: _Run) -> bool:
        values = self._values(run)
        wide = parameter.name in {"num_layers", "num_heads", "layers"}
        if wide and any(isinstance(v, int) and v >= 64 for v in values):
            return False  # the widths of a network, layer by layer
        whole = all(isinstance(v, int) or (isinstance(v, float) and v.is_integer()) for v in values)
        return parameter.domain != "n" and (
            parameter.domain != "i" or whole or self._at(run.places[0]).tag == "D"
        )

    def _put(self, run: _Run, parameter: Parameter, *, sure: bool = True) -> None:
        values = tuple(dict.fromkeys(_converted(parameter, self.items[n]) for n in run.places))
        start, end = self.items[run.places[0]].start, self._end(run)
        said = rule("as it is").search(self.text[max(0, start - 45) : start])
        now = len(values) == 1 and (said or rule("until now").match(self.text, end)) is not None
        found = Assignment(parameter.name, values, None, start, end, parameter.domain, sure, now)
        self.earlier, self.waiting = parameter, False
        numbers = [value for value in values if isinstance(value, int | float)]
        if len(numbers) == len(values) == 2 and self._is_range(run):
            listed, used = values_between(self.text, found.name, parameter.domain, numbers, start, end)
            self.taken.update(range(end, end + used))
            last = run.places[-1]
            self.shape = self.shape[: last + 1] + "".join(map(self._sign, range(last + 1, len(self.items))))
            found = replace(found, values=listed, bounds=None if listed else (min(numbers), max(numbers)))
        self.out.assignments.append(found)

    def _is_range(self, run: _Run) -> bool:
        first, join = run.places[0], run.joins[0]
        start, before = self.items[first].start, self._at(first - 1).text
        opened = "f" in self.shape[max(0, first - 2) : first] and "-" in join
        drawn = re.search(r"uniform|range", self.text[max(0, start - 25) : start]) or (
            before == "[" and rule("drawn").search(self.text)
        )
        return join.strip(">") == "-" or before == "between" or opened or bool(drawn and join == ",")


_DOUBLED = re.compile(r"seq|length|token|context|batch|window|vocab|ctx")


def _converted(parameter: Parameter, item: Item) -> Value:
    """An item's value as the parameter takes it: 2k tokens are 2048, 8.0 layers are 8."""
    value = item.value
    if value is None:
        return item.raw
    if isinstance(value, float) and parameter.domain == "i" and value.is_integer():
        return int(value)
    thousands = item.raw.lower().endswith("k") and _DOUBLED.search(parameter.name)
    return value // 1000 * 1024 if thousands and isinstance(value, int) and value <= 1_000_000 else value
