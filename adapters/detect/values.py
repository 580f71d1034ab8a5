"""Which values a request gives to which parameters.

A run of values ("1e-4, 5e-5 and 2e-5", "8 to 64") belongs to the name before it ("lr 1e-4, 5e-5"), to the name behind it
("2 or 4 heads", "1e-4 and 5e-5 for the learning rate"), or to the parameter that the request spoke of last. Runs and
their neighbours are found as expressions over the tags of the items, one letter an item.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from wpfsm.adapters.detect.findings import Value
from wpfsm.adapters.detect.intervals import values_between
from wpfsm.adapters.detect.items import Item
from wpfsm.adapters.detect.runs import Runs, ValueRun
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
        sure: the name stands at the values, and is not taken from an earlier sentence.
        now: it says how things are ("the model uses tau 0.07"), so that later values stand instead.
    """

    name: str
    values: tuple[Value, ...] = ()
    bounds: tuple[float, float] | None = None
    start: int = 0
    end: int = 0
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
            out.assignments.append(Assignment(named, quoted, None, start, end))
    out.assignments.sort(key=lambda each: each.start)
    return out


class _Reader(Runs):
    def __init__(self, text: str, taken: set[int]) -> None:
        super().__init__(text, taken)
        self.out = Reading(self.items)
        self.earlier: Parameter | None = None
        self.waiting = False
        """Whether the parameter that was spoken of last has no value yet."""

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

    def _assign(self, run: ValueRun) -> None:
        first, alone = self.items[run.places[0]], len(run.places) == 1
        listed = alone and "," in self.shape[max(0, run.places[0] - 2) : run.places[0]]
        jobs = listed and self._at(run.places[0] + 1).tag == "J"  # "lr and wd, like 9 trials"
        owner = None if jobs else self._left(run.places[0])
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

    def _only_counts(self, run: ValueRun) -> bool:
        """Whether a run without an owner counts jobs, days or things: "14k series, 730 days", "20 jobs", "3 May"."""
        after, before, alone = self._at(run.places[-1] + 1), self._at(run.places[0] - 1), len(run.places) == 1
        if run.unit is not None and run.unit.tag != "P" and run.unit.text != after.text:
            return True
        if not alone:
            return after.tag == "J"
        dated = after.text in word_set("dates") or before.text in word_set("moments")
        return after.tag in "J$u" or dated or rule("counted").match(after.text) is not None

    def _counted(self, run: ValueRun, owner: Parameter | None) -> Parameter | None:
        """The parameter that counts a run from behind ("8 epochs"), unless it has a number of its own."""
        place = run.places[-1] + 1
        unit = run.unit or self._at(place)
        if unit.tag != "P" or unit.parameter is None or not unit.parameter.counted:
            return None
        named = self._at(place + 1).text in {"=", ":", self._at(place + 1).raw}
        own = named and self._at(place) is unit and re.match(r"a?[NV]", self.shape[place + 1 :])
        assigned = self._at(run.places[0] - 1).text in {"=", ":"}
        taken = owner is not None and (owner.name == unit.parameter.name or len(run.places) > 1 or assigned)
        return None if own or taken else unit.parameter

    def _plausible(self, parameter: Parameter, run: ValueRun) -> bool:
        values = self._values(run)
        wide = parameter.name in {"num_layers", "num_heads", "layers"}
        if wide and any(isinstance(v, int) and v >= 64 for v in values):
            return False  # the widths of a network, layer by layer
        whole = all(isinstance(v, int) or (isinstance(v, float) and v.is_integer()) for v in values)
        return parameter.domain != "n" and (
            parameter.domain != "i" or whole or self._at(run.places[0]).tag == "D"
        )

    def _put(self, run: ValueRun, parameter: Parameter, *, sure: bool = True) -> None:
        values = tuple(dict.fromkeys(_converted(parameter, self.items[n]) for n in run.places))
        start, end = self.items[run.places[0]].start, self._end(run)
        said = rule("as it is").search(self.text[max(0, start - 45) : start])
        now = len(values) == 1 and (said or rule("until now").match(self.text, end)) is not None
        found = Assignment(parameter.name, values, None, start, end, sure, now)
        self.earlier, self.waiting = parameter, False
        numbers = [value for value in values if isinstance(value, int | float)]
        if len(numbers) == len(values) == 2 and self._is_range(run):
            listed, used = values_between(self.text, found.name, parameter.domain, numbers, start, end)
            self.taken.update(range(end, end + used))
            last = run.places[-1]
            self.shape = self.shape[: last + 1] + "".join(map(self._sign, range(last + 1, len(self.items))))
            found = replace(found, values=listed, bounds=None if listed else (min(numbers), max(numbers)))
        self.out.assignments.append(found)

    def _is_range(self, run: ValueRun) -> bool:
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
