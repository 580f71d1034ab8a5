"""Reads one list of values: "1e-4, 5e-5 and then 2e-5", "bf16/fp16", "rank 16, then rank 32", "4 to 32".

The values of a list are of one class (numbers, named values of one parameter, training methods, models,
scripts). Between two of them stand separators, fillers, and perhaps the parameter again.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from wpfsm.adapters.detect import vocabulary as words
from wpfsm.adapters.detect.grammar import Item
from wpfsm.adapters.detect.intervals import plausible
from wpfsm.adapters.detect.vocabulary import Domain, Parameter, word_set

_SEPARATORS = word_set(", and or then vs / | & -> => ; + against beat match equal plus x next than")
_BETWEEN = word_set(
    """
    other first second third does perform fare work lower higher smaller larger bigger also try test next finally lastly last
    after again with maybe perhaps one even another run at by using for in of a an the = : that it i use
    going go up on then and or if possible both followed eventually versus to do see not better
    worksbest diverge diverges unstable fail explode explodes spike spikes afterwards retrain rerun train ( finally as is about against give value
    """
)
_METHOD_NOISE = word_set(
    """
    full model base plain run training fine tune finetune adapter first lr schedule learning rate
    scheduler optimizer on top same finally , approach version variant recipe method pure job see let's
    let about stage standard
    """
)
OWNING_FILLERS = word_set("as for of the a an our my different random value in")
"""Between a list and the parameter behind it: "1e-4 and 5e-5 *for the* learning rate"."""
_RANGE_MARKS = frozenset({"to", "-", "\u2013", "..", "...", "through", "up", "until"})
_IN_TOKENS = frozenset({"max_seq_length", "max_tokens"})
"""Parameters whose values may be counted in tokens."""
_ELLIPSES = frozenset({"...", ".."})
_RUNS = frozenset({"run", "job", "trial", "model", "test"})
WHICH = frozenset({"random", "separate", "independent", "total", "more", "different"})
"""What may stand between a number and what it counts: "10 random trials"."""
IN_STEPS = {"warmup": "warmup_steps", "gradient_accumulation_steps": "gradient_accumulation_steps"}
"""Parameters that a number of steps gives a value to, and the parameter that it then is."""
_STARTS = frozenset({"checkpoint", "base", "weight"})
_REACH = 9
"""How many items may lie between two values of a list."""


@dataclass(frozen=True)
class Listing:
    """A list of values.

    Attributes:
        start: the item of its first value.
        last: the item of its last value.
        values: the items of its values.
        joins: how each value is joined to the one before: "," listed, "-" a range, "~" a gap ("1, 2, ..., 5").
        unit: the parameter that stands directly behind a value ("3 epochs"), or None.
    """

    start: int
    last: int
    values: tuple[Item, ...]
    joins: str
    unit: Parameter | None


def listing(items: Sequence[Item], start: int, owner: Parameter | None, taken: AbstractSet[int]) -> Listing:
    """Reads the list that begins at an item.

    Args:
        items: of one sentence.
        start: the first value.
        owner: the parameter in front of the list, if there is one.
        taken: items that are no values (the numbers of metrics).
    """
    values, joins, last = [items[start]], "", start
    unit = unit_behind(items, start, owner)
    while (following := _following(items, last, items[start], owner or unit, taken)) is not None:
        at, join = following
        ahead = unit_behind(items, at, owner or unit)
        if not _continues(items, at, owner or unit):
            break
        values.append(items[at])
        joins += join
        last = at
        unit = ahead or unit
    return Listing(start, last, tuple(values), joins, unit)


def unit_behind(items: Sequence[Item], at: int, owner: Parameter | None) -> Parameter | None:
    """The parameter that stands directly behind a number: "3 epochs", "16 batch size"."""
    after = items[at + 1] if at + 1 < len(items) else None
    if after is None or after.tag != "PARAM" or after.parameter is None:
        return None
    if after.parameter.name == "max_tokens" and owner is not None and owner.name in _IN_TOKENS:
        return None
    ahead = items[at + 2] if at + 2 < len(items) else None
    has_own = ahead is not None and (ahead.tag == "NUM" or ahead.text in {"=", ":", "of", "{", "[", "("})
    return None if has_own or (owner is not None and not after.parameter.counted) else after.parameter


def end_of_numbers(items: Sequence[Item], at: int) -> int:
    """The item behind an interval ("every 100, 200 and 500 steps"), whose numbers are no values."""
    while at < len(items) and (items[at].tag == "NUM" or items[at].text in {",", "and", "or"}):
        at += 1
    return at


def _following(
    items: Sequence[Item], last: int, first: Item, owner: Parameter | None, taken: AbstractSet[int]
) -> tuple[int, str] | None:
    """The next value of a list and how it is joined, or None when the list ends."""
    begin = _past_remark(items, last + 1)
    joints = ""
    for at in range(begin, min(begin + _REACH, len(items))):
        item = items[at]
        if starts_from(items, at):
            return None
        if at not in taken and _same_class(item, first):
            join = _join(joints, juxtaposed=_juxtaposed(item, first, owner, adjacent=at == last + 1))
            return None if join is None else (at, join)
        joint = _joint(items, at, last, first, owner)
        if joint is None:
            return None
        joints += joint
    return None


def starts_from(items: Sequence[Item], at: int) -> bool:
    """Whether a method names what the others start from: "on top of the SFT checkpoint"."""
    return items[at].tag == "METHOD" and at + 1 < len(items) and items[at + 1].text in _STARTS


def _joint(items: Sequence[Item], at: int, last: int, first: Item, owner: Parameter | None) -> str | None:
    """What one item between two values does: separate, span, leave a gap, nothing (" "), or end the list (None)."""
    item = items[at]
    if item.text == "to" and any(
        before.text in {"compare", "against"} for before in items[max(0, last - 5) : last]
    ):
        return ","
    if first.tag == "NUM" and item.text in _RANGE_MARKS and at == last + 1:
        return "-"
    if item.text in _ELLIPSES:
        return "~"
    if item.text in _SEPARATORS or (item.text == "after" and first.tag in {"METHOD", "MODEL"}):
        return ","
    if item.tag == "PARAM":
        again = _repeats(items, at, last, first, owner)
        stands_for_a_comma = again and first.tag == "NUM" and owner is not None and not owner.counted
        return ("," if stands_for_a_comma else " ") if again else None
    filler = item.text in _BETWEEN or (first.tag != "NUM" and item.text in _METHOD_NOISE)
    return " " if item.tag == "" and filler else None


def _join(joints: str, *, juxtaposed: bool) -> str | None:
    if "-" in joints:
        return "-"
    if "," in joints:
        return "~" if "~" in joints else ","
    return "," if juxtaposed else None


def _juxtaposed(item: Item, first: Item, owner: Parameter | None, *, adjacent: bool) -> bool:
    """Whether values may stand side by side without a separator: "lr 1e-4 5e-5 2e-5"."""
    return (adjacent and owner is not None) or ("e-" in item.raw and "e-" in first.raw)


def _same_class(item: Item, first: Item) -> bool:
    if item.tag != first.tag or (item.tag == "VAL" and item.parameter != first.parameter):
        return False
    return item.raw not in words.NUMBER_WORDS or first.raw in words.NUMBER_WORDS


def _repeats(items: Sequence[Item], at: int, last: int, first: Item, owner: Parameter | None) -> bool:
    """Whether a parameter inside a list only says again whose values these are ("rank 16, then rank 32")."""
    parameter = items[at].parameter
    if parameter is None:
        return False
    if first.tag != "NUM":
        return parameter == first.parameter or parameter.domain is Domain.NAME
    if owner is not None:
        return parameter == owner
    attached = at > last + 1 and all(items[n].text in OWNING_FILLERS for n in range(last + 1, at))
    return attached or (parameter.counted and at == last + 1)


def _continues(items: Sequence[Item], at: int, owner: Parameter | None) -> bool:
    """Whether a number is a value of the list's owner, and counts nothing else ("lr 1e-4, 3 epochs", "..., 20 trials")."""
    if items[at].tag != "NUM" or owner is None:
        return True
    counts_other = at + 1 < len(items) and _counted_by(items, at + 1, owner)
    return not counts_other and plausible(owner, [items[at].value])


def _counted_by(items: Sequence[Item], at: int, owner: Parameter) -> bool:
    """Whether the number before an item counts it: a unit, or another parameter that has no values of its own."""
    item = items[at]
    if item.text in WHICH and at + 1 < len(items):
        at, item = at + 1, items[at + 1]
    if item.tag != "PARAM" or item.parameter is None:
        return item.text in words.UNITS - (frozenset() if items[at - 1].text in WHICH else _RUNS) - {"of"}
    if item.parameter.name == "max_tokens" and owner.name in _IN_TOKENS:
        return False
    ahead = items[at + 1] if at + 1 < len(items) else None
    has_own = ahead is not None and (ahead.tag == "NUM" or ahead.text in {"=", ":"})
    plural = item.parameter.counted or item.raw.endswith("s")
    return plural and not has_own and item.parameter != owner and owner.name not in IN_STEPS


def _past_remark(items: Sequence[Item], at: int) -> int:
    """Behind a remark in parentheses without numbers: "1e-4 (our default), 5e-5"."""
    if at < len(items) and items[at].text == "(":
        for n in range(at + 1, min(at + 7, len(items))):
            if items[n].text == ")":
                return n + 1
            if items[n].tag == "NUM":
                break
    return at
