"""From values to trials: grids, rows that belong together, ranges, values made by a rule, and seeds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice, product

from wpfsm.adapters.detect.findings import Trial, Value
from wpfsm.adapters.detect.items import items_of
from wpfsm.adapters.detect.plans import number_of
from wpfsm.adapters.detect.runs import related
from wpfsm.adapters.detect.tables import rule
from wpfsm.adapters.detect.values import MAX_TRIALS, Assignment, Reading


def trials_of(reading: Reading, text: str) -> tuple[list[Trial], dict[str, Value], bool]:
    """The trials that a reading makes, the settings that all share, and whether the trials are rows of their own."""
    rows = _tuples(reading, text) or _repeated(reading.assignments) or _beside(text)
    if rows:
        changing = [name for name in rows[0] if len({repr(row[name]) for row in rows}) > 1]
        shared = {name: value for name, value in rows[0].items() if name not in changing}
        extra = {
            a.name: a.values[0] for a in reading.assignments if len(a.values) == 1 and a.name not in rows[0]
        }
        return [{name: row[name] for name in changing} for row in rows], {**shared, **extra}, True
    groups = _groups(reading.assignments)
    settings = {name: group.values[0] for name, group in groups.items() if not group.varies and group.values}
    listed = {name: list(group.values) for name, group in groups.items() if len(group.values) > 1}
    ranges = {n: {"min": g.bounds[0], "max": g.bounds[1]} for n, g in groups.items() if g.bounds}
    if ranges:  # a search over both: what is listed stays a choice
        space: Trial = {
            name: ranges.get(name) or list(group.values) for name, group in groups.items() if group.varies
        }
        return [space], settings, False
    if not listed:
        return [], settings, False
    sizes = {len(values) for values in listed.values()}
    if len(listed) > 1 and len(sizes) == 1 and (rule("paired").search(text) or _same_product(listed)):
        return (
            [dict(zip(listed, point, strict=True)) for point in zip(*listed.values(), strict=True)],
            settings,
            True,
        )
    points = islice(product(*listed.values()), MAX_TRIALS)
    return [dict(zip(listed, point, strict=True)) for point in points], settings, False


def _groups(assignments: Sequence[Assignment]) -> dict[str, Assignment]:
    """The assignments by name: what is asked for in turn adds up; how things are gives way to what is asked for."""
    groups: dict[str, Assignment] = {}
    for each in assignments:
        key = next((name for name in groups if related(name, each.name)), each.name)
        found, earlier = replace(each, name=key), groups.get(key)
        if earlier is None or earlier.now or (found.bounds and not earlier.bounds):
            groups[key] = found
        elif not earlier.bounds:
            groups[key] = replace(earlier, values=tuple(dict.fromkeys([*earlier.values, *found.values])))
    return groups


def _same_product(listed: Mapping[str, Sequence[Value]]) -> bool:
    """Batch sizes and accumulation steps that keep the effective batch."""
    if len(listed) != 2 or not any("acc" in name or name == "ga" for name in listed):
        return False
    pairs = zip(*listed.values(), strict=True)
    return len({a * b for a, b in pairs if isinstance(a, int) and isinstance(b, int)}) == 1


def _repeated(assignments: Sequence[Assignment]) -> list[dict[str, Value]]:
    """Whole configurations one after the other: "lr 1e-4 bs 8, then lr 5e-5 bs 16"."""
    rows: list[dict[str, Value]] = [{}]
    for found in assignments:
        if len(found.values) != 1:
            return []
        name = next((known for known in rows[0] if related(known, found.name)), found.name)
        if name in rows[-1]:
            rows.append({})
        rows[-1][name] = found.values[0]
    same = len(rows) > 1 and len(rows[0]) > 1 and all(row.keys() == rows[0].keys() for row in rows)
    return rows if same and len({tuple(row.items()) for row in rows}) == len(rows) else []


def _beside(text: str) -> list[dict[str, Value]]:
    """Values that are given in turn with another's: "lr 1e-4 with batch size 8, 5e-5 with 16 and 2e-5 with 32"."""
    first = rule("beside").search(text)
    if first is None:
        return []
    spoken = [[item.text for item in items_of(first[key]) if item.tag == "P"] for key in ("name", "other")]
    numbers = [first["one"], first["two"], *re.findall(r"[\d.]+(?:e[-+]?\d+)?", first["rest"])]
    names = [parts[-1] for parts in spoken if parts]
    pairs = zip(map(_cell, numbers[::2]), map(_cell, numbers[1::2]), strict=True)
    return [dict(zip(names, pair, strict=True)) for pair in pairs] if len(names) == 2 else []


def _tuples(reading: Reading, text: str) -> list[dict[str, Value]]:
    """Rows in brackets or with strokes: "(lr, batch) = (1e-4, 8), (5e-5, 16)", "lr/batch 1e-4/8, 5e-5/16"."""
    mentioned = list(dict.fromkeys(reading.mentioned))
    beside = rule("paired").search(text) or re.search(r"[a-z]\s?/\s?[a-z]", text)
    for form in ("bracketed", "slashed") if beside else ("bracketed",):
        found = [
            m for m in rule(form).finditer(text) if form == "slashed" or not _is_named(reading, m.start())
        ]
        cells = [re.split(r"\s*[,;/]\s*", match["row"]) for match in found]
        rows = [row for row in cells if _valued(row)]
        heads = [row for row in cells if not any(re.match(r"[\d.]", cell) for cell in row)]
        names = [items_of(cell)[0].text for cell in heads[0]] if heads and form == "bracketed" else mentioned
        if len(rows) > 1 and all(len(row) == len(names) == len(set(names)) > 1 for row in rows):
            return [{name: _cell(cell) for name, cell in zip(names, row, strict=True)} for row in rows]
    return []


def _is_named(reading: Reading, start: int) -> bool:
    """Whether a bracket has a name of its own before it: then it is a list of that name's values."""
    before = [item for item in reading.items if item.start < start][-5:]
    while before and before[-1].tag in "aw" and before[-1].text not in {"are", "is", ":"}:
        before.pop()
    return bool(before) and before[-1].tag == "P"


def _valued(row: Sequence[str]) -> bool:
    tags = [items_of(cell)[0].tag if items_of(cell) else "" for cell in row]
    return all(tag in {"N", "V"} for tag in tags) and "N" in tags


def _cell(cell: str) -> Value:
    value = items_of(cell)[0].value
    return value if value is not None else cell


# --- values that a rule makes -------------------------------------------------------------------------------------

_RULE_VALUES = 6


def made_by_rule(text: str, reading: Reading, count: int | None) -> tuple[str, tuple[Value, ...], str] | None:
    """Values of a rule such as "double it each time, starting at 1e-5": the name, the values, and the rule in words."""
    found = rule("factor").search(text)
    names = [name for name in reading.mentioned if name not in {"instance_count", "gpu_count"}]
    if (
        found is None
        or not rule("repeatedly").search(text)
        or any(len(each.values) > 2 for each in reading.assignments)
    ):
        return None
    name = names[0] if names else "lr"
    start = rule("rule start").search(text)
    single = next(
        (each.values[0] for each in reading.assignments if len(each.values) == 1 and each.name == name), None
    )
    first = items_of(start["n"] or start["m"])[0].value if start else single
    said = " ".join(found.group().split())
    if not isinstance(first, int | float) or first == 0:
        return name, (), said
    factor, step = _step(found, first)
    stop = rule("rule stop").search(text[start.end() if start else found.end() :])
    last = items_of(stop["n"] or stop["m"])[0].value if stop else None
    values: list[Value] = [first]
    most = count or (20 if isinstance(last, int | float) else _RULE_VALUES)
    while len(values) < min(most, 20):
        raw = float(values[-1]) * factor + step
        whole = isinstance(first, int) and raw.is_integer()
        past = isinstance(last, int | float) and (raw > last if raw > float(values[-1]) else raw < last)
        if past or raw <= 0 or (isinstance(first, int) and raw < 1) or raw == values[-1]:
            break
        values.append(int(raw) if whole else float(f"{raw:.6g}"))
    return name, tuple(values), said


def _step(found: re.Match[str], first: float) -> tuple[float, float]:
    """What the next value is: the last one times the first number, plus the second."""
    if found["half"] or found["double"] or found["ten"]:
        return (0.5 if found["half"] else 2.0 if found["double"] else 0.1), 0.0
    said = (found["by"] or found["to"]).lower()
    amount = {"ten": 10.0, "two": 2.0, "three": 3.0, "half": 2.0}.get(said) or float(said)
    added = amount <= first and not (found["factor"] or found["times"]) and (amount < 1 or amount >= 8)
    if found["down"]:
        return (
            (1.0, -amount)
            if added and not found["down"].lower().startswith("div")
            else (1 / (amount or 1), 0.0)
        )
    return (1.0, amount) if added and not found["up"].lower().startswith("mult") else (amount, 0.0)


def repeated_seeds(text: str) -> list[Trial]:
    """The same job several times: "five different seeds", "run it 4 times to see the variance"."""
    match = rule("seeds").search(text)
    if match is None and rule("spread").search(text):
        match = rule("times").search(text) or rule("count").search(text)
    n = number_of(next((said for said in match.groups() if said), "")) if match else None
    return [{"seed": value} for value in range(n)] if n and 2 <= n <= MAX_TRIALS else []
