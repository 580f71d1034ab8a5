"""Runs of values in a text, and the names beside them, found as expressions over the tags of its items, one letter an item."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wpfsm.adapters.detect.clauses import dead_spans
from wpfsm.adapters.detect.findings import Value
from wpfsm.adapters.detect.items import Item, items_of, singular
from wpfsm.adapters.detect.tables import Parameter, word_set


@dataclass
class ValueRun:
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


def related(one: str, other: str) -> bool:
    """Whether two names are one parameter's: "r" after "lora_r"."""
    return one == other or one.endswith(f"_{other}") or other.endswith(f"_{one}")


class Runs:
    """The items of a text, its shape, and the runs of values in it."""

    def __init__(self, text: str, taken: set[int]) -> None:
        self.items = items_of(text)
        self.text = text
        self.taken = taken
        self.dead = dead_spans(text)
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

    def _run(self, at: int) -> ValueRun:
        run, owner = ValueRun([at], []), self._left(at)
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
        self, run: ValueRun, gap: re.Match[str], owner: Parameter | None, *, join: str, line: bool
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

    def _unknown(self, run: ValueRun) -> Parameter | None:
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

    def _values(self, run: ValueRun) -> list[Value | None]:
        return [self.items[n].value for n in run.places]

    def _end(self, run: ValueRun) -> int:
        return self.items[run.places[-1]].start + len(self.items[run.places[-1]].raw)
