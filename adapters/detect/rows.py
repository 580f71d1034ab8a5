"""Settings that are written row by row: "(1e-4, 8), (5e-5, 16)", "1e-4/8, 5e-5/16", "1e-4 with 8, 5e-5 with 16"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wpfsm.adapters.detect.clauses import Sentence, Shape
from wpfsm.adapters.detect.findings import Value
from wpfsm.adapters.detect.grammar import Item
from wpfsm.adapters.detect.intervals import plausible
from wpfsm.adapters.detect.patterns import Rule
from wpfsm.adapters.detect.quantities import converted
from wpfsm.adapters.detect.vocabulary import Kind, Parameter

Row = dict[Parameter, Value]

_V = r"(?:NUM|VAL)"
_NEXT = r"(?: (?:,|;|and|or|then|vs))+"
_NAMES = Rule(r" PARAM(?:(?: (?:,|/|and|x))+ PARAM)+ ")
_BRACKETED = Rule(rf" [(\[] {_V}(?: , {_V})+ [)\]](?:{_NEXT} [(\[] {_V}(?: , {_V})+ [)\]])+ ")
_SLASHED = Rule(rf" {_V}(?: / {_V})+(?:{_NEXT} {_V}(?: / {_V})+)+ ")
_ELLIPTIC = Rule(
    rf" PARAM (?:of |= )?{_V} (?P<join>with|at) PARAM (?:of |= )?{_V}(?:{_NEXT} {_V} (?P=join) {_V})+ "
)
"""The names stand in the first row only: "lr 1e-4 with batch size 8, 5e-5 with 16"."""


def rows(sentences: Sequence[Sentence]) -> list[Row]:
    """The rows of the first table that a request writes, each with a value for every name; else none."""
    tables = (found for sentence in sentences if not sentence.question for found in _tables(sentence.live))
    return next(tables, [])


def _tables(shape: Shape) -> Iterator[list[Row]]:
    names = _span(shape, _NAMES)
    for form in (_BRACKETED, _SLASHED, _ELLIPTIC):
        written = _span(shape, form)
        found = _table(written if form is _ELLIPTIC else names, written)
        if found:
            yield found


def _span(shape: Shape, rule: Rule) -> Sequence[Item]:
    """The items that a rule matches."""
    match = rule.search(shape.text)
    return shape.items[shape.index(match.start() + 1) : shape.index(match.end() - 2) + 1] if match else ()


def _table(names: Sequence[Item], written: Sequence[Item]) -> list[Row]:
    """The values under their names, row by row; nothing where they do not fit."""
    parameters = [item.parameter for item in names if item.tag == "PARAM" and item.parameter is not None]
    values = [item for item in written if item.tag in {"NUM", "VAL"}]
    width = len(parameters)
    if len(set(parameters)) != width or width < 2 or len(values) % width:
        return []
    columns = {name: _column(name, values[at::width]) for at, name in enumerate(parameters)}
    if not all(columns.values()):
        return []
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _column(parameter: Parameter, items: Sequence[Item]) -> list[Value]:
    """The values of one parameter; nothing where one of them cannot be its own."""
    if parameter.kind in {Kind.POOL, Kind.FIXED}:
        return []
    if all(item.tag == "VAL" and item.parameter == parameter for item in items):
        return [item.text for item in items]
    numbers = [item.value for item in items if item.tag == "NUM" and isinstance(item.value, int | float)]
    if len(numbers) != len(items) or not plausible(parameter, numbers):
        return []
    return [converted(parameter, item) for item in items]
