"""Trials that a request holds as data: JSON, YAML, a table of comma-separated values or a Markdown table."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wpfsm.adapters.detect.findings import Trial, Value
from wpfsm.adapters.detect.items import number
from wpfsm.adapters.detect.tables import rule, word_set

_YAML_LINE = re.compile(r"^\s*(?:-\s+)?['\"]?[\w.-]+['\"]?\s*:(?:\s.*)?$|^\s*-\s+\S.*$")
_TABLE_LINE = re.compile(r"^\s*(?:\|.*\||[\w.+-]+(?:\s*,\s*[\w.+-]+)+)\s*$")
_EMPTY = frozenset({"?", "-", "TBD", ""})


@dataclass
class Data:
    """What the data of a request says.

    Attributes:
        columns: the values of each parameter, to be crossed; of a range its bounds.
        rows: trials as they are written.
        settings: single values.
        method: the search that it names.
        rest: the text without the data.
    """

    columns: dict[str, list[Value] | dict[str, int | float]] = field(default_factory=dict)
    rows: list[Trial] = field(default_factory=list)
    settings: dict[str, Value] = field(default_factory=dict)
    method: str = ""
    rest: str = ""

    @property
    def searches(self) -> bool:
        """Whether a column is a range, so that trials are drawn."""
        return any(isinstance(column, dict) for column in self.columns.values())


def read_data(text: str, blocks: Sequence[str] = ()) -> Data:
    """Take the data out of a text."""
    data = Data()
    for block in blocks:
        _take(_parsed(block), data) or _table(block, data)
    data.rest = _lines(_inline(text, data), data)
    return data


def _inline(text: str, data: Data) -> str:
    """Read every JSON object of a text, and take it out."""
    out, at = "", 0
    for match in re.finditer(r"\{|\[\s*\{", text):
        if match.start() < at:
            continue
        end = _closing(text, match.start())
        if text[end - 1] not in "]}":  # cut off: nothing behind it is data either
            break
        piece = text[match.start() : end]
        if ":" in piece and _take(_parsed(piece), data):
            out, at = f"{out}{text[at : match.start()]} ", end
    return out + text[at:]


def _closing(text: str, start: int) -> int:
    depth = 0
    for n in range(start, len(text)):
        depth += (text[n] in "{[") - (text[n] in "}]")
        if depth == 0:
            return n + 1
    return len(text)


def _lines(text: str, data: Data) -> str:
    """Read runs of lines that are YAML or a table, and take them out."""
    lines = text.split("\n")
    kept: list[str] = []
    at = 0
    while at < len(lines):
        for least, form, reads in ((2, _YAML_LINE, _yaml), (3, _TABLE_LINE, _table)):
            end = at
            while end < len(lines) and (
                form.match(lines[end]) or (end > at and least == 2 and re.match(r"\s+\S", lines[end]))
            ):
                end += 1
            if end - at >= least and reads("\n".join(lines[at:end]), data):
                break
        else:
            kept.append(lines[at])
            end = at + 1
        at = end
    return "\n".join(kept)


def _yaml(block: str, data: Data) -> bool:
    return ":" in block and _take(_parsed(block), data)


def _parsed(block: str) -> object:
    """A text as JSON or YAML, which also reads `{lr: [1e-4]}` and Python's quotation marks; None if it is neither."""
    try:
        return json.loads(block)
    except ValueError:
        if ":" not in block:
            return None
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        loaded: object = YAML(typ="safe", pure=True).load(block.strip())
    except (YAMLError, ValueError, AttributeError, RecursionError, TypeError):
        return None
    return loaded


def _take(found: object, data: Data) -> bool:
    """Add what a parsed object says; whether it says anything about trials."""
    if isinstance(found, list):
        rows = [row for each in found if isinstance(each, Mapping) and (row := _row(each))]
        data.rows += rows
        return len(rows) > 1
    told = False
    for key, value in found.items() if isinstance(found, Mapping) else ():
        name = str(key)
        holds = isinstance(value, Mapping) and not {"min", "max", "values"} & value.keys()
        if name.lower() in word_set("row holders") and isinstance(value, list | Mapping):
            told = _take(list(value.values()) if isinstance(value, Mapping) else value, data) or told
        elif holds and name.lower() in word_set("holders"):
            told = _take(value, data) or told
        elif name == "method" and isinstance(value, str):
            data.method = value
        else:
            told = _entry(name, value, data) or told
    return told


def _entry(name: str, value: object, data: Data) -> bool:
    """Add one key and its value; whether it is a column of trials."""
    if isinstance(value, Mapping):
        low, high = value.get("min"), value.get("max")
        if isinstance(low, int | float) and isinstance(high, int | float):
            data.columns[name] = {"min": low, "max": high}
            return True
        value = value.get("values")
    if isinstance(value, list):
        values = [scalar for each in value if (scalar := _scalar(each)) is not None]
        wide = [each for each in values if isinstance(each, int | float) and (each > 15 or name != "layers")]
        whole = rule("tuple names").search(name) and len(wide) == len(values)
        if len(values) == len(value) > 1 and not whole:
            data.columns[name] = list(dict.fromkeys(values))
            return True
    elif (scalar := _scalar(value)) is not None:
        data.settings[name] = scalar
    return False


def _row(found: Mapping[object, object]) -> Trial:
    row: Trial = {}
    for key, value in found.items():
        name = "recipe" if str(key) in {"name", "recipe", "label", "id"} else str(key)
        scalar = _scalar(value)
        row |= _row(value) if isinstance(value, Mapping) else {} if scalar is None else {name: scalar}
    return row


def _scalar(value: object) -> Value | None:
    """A value as the loop file takes it: 1e-5 is a number also where YAML 1.1 reads a word."""
    if isinstance(value, str):
        try:
            return number(value.strip())
        except (ValueError, OverflowError):
            return value.strip() or None
    finite = isinstance(value, bool | int) or (isinstance(value, float) and abs(value) < float("inf"))
    return value if finite and isinstance(value, int | float) else None


def _table(block: str, data: Data) -> bool:
    """Read a table whose first line names the columns; a column that is not filled is left out."""
    lines = [line.strip() for line in block.split("\n") if re.search(r"[^\s|:-]", line)]
    head, *rows = [[cell.strip() for cell in re.split(r"[|,\t]", line.strip("|"))] for line in lines or [""]]
    if len(rows) < 2 or any(len(row) != len(head) for row in rows) or not all(map(str.isidentifier, head)):
        return False
    columns = {name: [row[n] for row in rows] for n, name in enumerate(head)}
    filled = {name: list(map(_scalar, cells)) for name, cells in columns.items() if not _EMPTY & set(cells)}
    if not any(isinstance(value, int | float) for values in filled.values() for value in values):
        return False
    data.rows += [
        {name: v for name, values in filled.items() if (v := values[n]) is not None} for n in range(len(rows))
    ]
    return True
