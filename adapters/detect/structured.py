"""Trials that a request holds as data: JSON, YAML, a table of comma-separated values or a Markdown table."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wpfsm.adapters.detect.findings import Trial, TrialValue, Value
from wpfsm.adapters.detect.items import number
from wpfsm.adapters.detect.tables import word_set

_TUPLES = re.compile(
    r"layers|hidden_(?:sizes|dims|units)|betas|kernels?$|channels|filters|milestones|dims$|shape|mean$|std$|metrics|tags|inputs|classes",
    re.IGNORECASE,
)


@dataclass
class Data:
    """What the data of a request says.

    Attributes:
        columns: the values of each parameter, to be crossed.
        ranges: the bounds of each parameter that a search shall fill.
        rows: trials as they are written.
        settings: single values.
        method: the search that it names.
        rest: the text without the data.
    """

    columns: dict[str, list[Value]] = field(default_factory=dict)
    ranges: dict[str, dict[str, int | float]] = field(default_factory=dict)
    rows: list[Trial] = field(default_factory=list)
    settings: dict[str, Value] = field(default_factory=dict)
    method: str = ""
    rest: str = ""


def read_data(text: str, blocks: Sequence[str] = ()) -> Data:
    """Take the data out of a text."""
    data = Data()
    for block in blocks:
        _take(_parsed(block), data) or _table(block, data)
    text = _inline(text, data)
    text = _lines(text, data)
    data.rest = text
    return data


def _inline(text: str, data: Data) -> str:
    """Read every JSON object of a text, and take it out."""
    out, at = "", 0
    while at < len(text):
        start = text.find("{", at)
        array = text.find("[{", at)
        start = array if 0 <= array < start or start < 0 else start
        if start < 0:
            break
        end = _closing(text, start)
        if end == len(text) and text[-1] not in "]}":  # cut off: nothing behind it is data either
            break
        piece = text[start:end]
        found = _json(piece) if ":" in piece or start == array else None
        if found is not None and _take(found, data):
            out, at = f"{out}{text[at:start]} ", end
        else:
            out, at = out + text[at : start + 1], start + 1
    return out + text[at:]


def _closing(text: str, start: int) -> int:
    depth = 0
    for n in range(start, len(text)):
        depth += (text[n] in "{[") - (text[n] in "}]")
        if depth == 0:
            return n + 1
    return len(text)


def _json(piece: str) -> object:
    try:
        return json.loads(piece)
    except ValueError:
        pass
    quoted = re.sub(r"(?<=[{,\s])([A-Za-z_]\w*)\s*:", r'"\1":', piece)
    try:
        return json.loads(quoted)
    except ValueError:
        pass
    try:
        found: object = ast.literal_eval(piece)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
    return found


_YAML_LINE = re.compile(r"^\s*(?:-\s+)?['\"]?[\w.-]+['\"]?\s*:(?:\s.*)?$|^\s*-\s+\S.*$")


def _lines(text: str, data: Data) -> str:
    """Read runs of lines that are YAML or a table, and take them out."""
    lines = text.split("\n")
    kept: list[str] = []
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and (
            _YAML_LINE.match(lines[end]) or (end > at and re.match(r"^\s+\S", lines[end]))
        ):
            end += 1
        if (
            end - at >= 2
            and any(":" in line for line in lines[at:end])
            and _take(_parsed("\n".join(lines[at:end])), data)
        ):
            at = end
            continue
        end = at
        while end < len(lines) and re.match(r"^\s*(?:\|.*\||[\w.+-]+(?:\s*,\s*[\w.+-]+)+)\s*$", lines[end]):
            end += 1
        if end - at >= 3 and _table("\n".join(lines[at:end]), data):
            at = end
            continue
        kept.append(lines[at])
        at += 1
    return "\n".join(kept)


def _parsed(block: str) -> object:
    found = _json(block.strip())
    if found is not None or ":" not in block:
        return found
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        loaded: object = YAML(typ="safe", pure=True).load(block)
    except (YAMLError, ValueError, AttributeError, RecursionError):
        return None
    return loaded


def _take(found: object, data: Data) -> bool:
    """Add what a parsed object says; whether it says anything about trials."""
    if isinstance(found, list):
        rows = [_row(each) for each in found if isinstance(each, Mapping)]
        data.rows += [row for row in rows if row]
        return len([row for row in rows if row]) > 1
    if not isinstance(found, Mapping):
        return False
    told = False
    for key, value in found.items():
        name = str(key)
        if name.lower() in word_set("holders") | {"strategy", "values"} and isinstance(value, Mapping):
            told = _take(value, data) or told
        elif name == "method" and isinstance(value, str):
            data.method = value
        elif name.lower() in word_set("row holders") and isinstance(value, list | Mapping):
            told = _take(list(value.values()) if isinstance(value, Mapping) else value, data) or told
        else:
            told = _entry(name, value, data) or told
    return told


def _entry(name: str, value: object, data: Data) -> bool:
    if isinstance(value, Mapping):
        low, high, values = value.get("min"), value.get("max"), value.get("values")
        if _is_number(low) and _is_number(high):
            data.ranges[name] = {"min": low, "max": high}  # type: ignore[dict-item]
            return True
        return _entry(name, values, data) if isinstance(values, list) else False
    if isinstance(value, list):
        scalars = [_scalar(each) for each in value]
        values = [each for each in scalars if each is not None]
        if len(values) == len(value) > 1 and not (
            _TUPLES.search(name) and all(_is_number(each) for each in values)
        ):
            data.columns[name] = list(dict.fromkeys(values))
            return True
        return False
    scalar = _scalar(value)
    if scalar is not None:
        data.settings[name] = scalar
    return False


def _row(found: Mapping[object, object]) -> Trial:
    row: Trial = {}
    for key, value in found.items():
        name = "recipe" if str(key) in {"name", "recipe", "label", "id"} else str(key)
        if isinstance(value, Mapping):
            row |= _row(value)
            continue
        scalar = _scalar(value)
        if scalar is not None:
            row[name] = scalar
    return row


def _scalar(value: object) -> Value | None:
    """A value as the loop file takes it: 1e-5 is a number also where YAML 1.1 reads a word."""
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, str):
        try:
            return number(value.strip())
        except (ValueError, OverflowError):
            return value.strip() or None
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _table(block: str, data: Data) -> bool:
    """Read a table whose first line names the columns."""
    lines = [
        line.strip() for line in block.split("\n") if line.strip() and not re.fullmatch(r"[\s|:-]+", line)
    ]
    cells = [[cell.strip() for cell in re.split(r"[|,\t]", line.strip("|"))] for line in lines]
    if (
        len(cells) < 3
        or len({len(row) for row in cells}) != 1
        or not all(re.match(r"[A-Za-z_]", name) for name in cells[0])
    ):
        return False
    rows: list[Trial] = []
    for row in cells[1:]:
        values: dict[str, TrialValue] = {}
        for name, cell in zip(cells[0], row, strict=True):
            scalar = _scalar(cell)
            if scalar is not None and cell not in {"?", "-", "TBD"}:
                values[name.strip()] = scalar
        rows.append(values)
    wanted = set.intersection(*(set(row) for row in rows)) if rows else set()
    if not wanted or not any(_is_number(value) for row in rows for value in row.values()):
        return False
    data.rows += [{name: value for name, value in row.items() if name in wanted} for row in rows]
    return True
