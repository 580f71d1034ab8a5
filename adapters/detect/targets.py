"""Until a number is reached: "until eval loss < 0.3", "F1 is .78, we need .85"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wpfsm.adapters.detect.findings import StatedTarget
from wpfsm.adapters.detect.items import Item, items_of
from wpfsm.adapters.detect.tables import rule

_FLIP = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
_NO_METRIC = frozenset({"weight", "scale", "coefficient", "function", "term", "head", "curve"})


@dataclass(frozen=True)
class Goals:
    """The target of a text, and the starts of the numbers that belong to metrics."""

    target: StatedTarget | None
    taken: frozenset[int]


@dataclass(frozen=True)
class _Metric:
    name: str
    up: bool
    start: int
    end: int


def read_goals(text: str) -> Goals:
    """The target that a text asks for, in English words, and every number that is a metric's."""
    items = items_of(text)
    metrics = _metrics(items, text)
    taken: set[int] = set()
    best: tuple[int, StatedTarget] | None = None
    percents = False
    for n, item in enumerate(items if metrics else ()):
        metric = _metric_of(n, items, metrics, text) if item.tag == "N" else None
        if metric is None or _counts(items[n + 1 : n + 2]):
            continue
        end = item.start + len(item.raw)
        sentence = max(text.rfind(mark, 0, item.start) for mark in (". ", "? ", "! ", "\n", "; ")) + 1
        head, tail = text[sentence : item.start], text[end : end + 25]
        op, near = _op(head, tail), head[-70:]
        named = rf"\s?%?\s*(?:\w+ ){{0,2}}{re.escape(text[metric.start : metric.end])}"
        close = metric.end <= item.start and rule("metric at").fullmatch(text[metric.end : item.start])
        if close or op or re.match(named, tail):
            taken.add(item.start)
        stated = rule("fact").search(head[-14:]) and op is None and not rule("strong goal").search(near)
        wanted = op or (rule("goal").search(near) and not stated) or rule("goal behind").match(tail)
        if not wanted or rule("notify").search(near):
            percents = percents or item.percent
            continue
        taken.add(item.start)
        op = _meant(op, metric, head)
        if (op[0] == ">") != metric.up and metric.name != "metric":
            continue
        value, percent = float(str(item.value)), item.percent
        if (items[n + 1 : n + 2] and items[n + 1].text == "percent" and not percent) or (
            percents and not percent and 1 < value <= 100
        ):
            percent, value = True, value / 100
        strength = 2 if rule("contract").search(near) else 1
        if best is None or strength >= best[0]:
            best = (strength, StatedTarget(metric.name, op, value, percent))
    return Goals(best[1] if best else None, frozenset(taken))


def _counts(after: list[Item]) -> bool:
    """Whether a number counts jobs, money, days or a parameter by what stands behind it."""
    return bool(after) and (
        after[0].tag in "J$T"
        or (after[0].tag == "u" and after[0].text not in {"percent", "point"})
        or (after[0].parameter is not None and after[0].tag == "P" and after[0].parameter.counted)
    )


def _op(head: str, tail: str) -> str | None:
    """The comparison that stands at a number: "below 3", "3 or less"; None where none is said."""
    near = re.split(r"[,;(]|\band\b|\bbut\b|\d", head)[-1][-40:]
    after = rule("op behind").match(tail)
    if after is not None:
        return "<=" if after["less"] else ">="
    behind = re.match(r"\s?%?\s+(above|below|at least|at most)\b", tail)  # as Japanese puts it
    if behind is not None:
        return {"above": ">", "below": "<", "at least": ">=", "at most": "<="}[behind[1]]
    return next((op for op in ("<=", ">=", "<", ">") if rule(f"op {op}").search(near)), None)


def _meant(op: str | None, metric: _Metric, head: str) -> str:
    """The comparison that ends the loop: "while the loss is above 3" ends it at 3 and below."""
    if op and rule("while").search(head) and not re.search(r"until[^.;]*$", head):
        op = _FLIP[op]
    if rule("beats").search(head):
        op = ">" if metric.up else "<"
    return op or (">=" if metric.up else "<=")


def _metrics(items: list[Item], text: str) -> list[_Metric]:
    found: list[_Metric] = []
    for n, item in enumerate(items):
        end = item.start + len(item.raw)
        after = [each.text for each in items[n + 1 : n + 3]]
        compared = after[:1] and after[0] in {"<", ">", "<=", ">="} and after[1:] == ["#"]
        if item.tag == "M" and not re.match(r"\w", text[end:]) and text[item.start - 1 : item.start] != "_":
            cut = re.match(r"@\d+", text[end:])
            if not after or after[0] not in _NO_METRIC:
                split = re.search(r"\b(eval|val|valid|test|train)/$", text[: item.start])
                name = f"{split[1] + '_' if split else ''}{item.text}{cut.group() if cut else ''}"
                found.append(_Metric(name, item.up, item.start, end + (cut.end() if cut else 0)))
        elif compared and item.tag in "wP" and item.raw[:1].isalpha():
            found.append(_Metric(item.raw, after[0].startswith(">"), item.start, end))
        elif item.text == "precision" and rule("precision metric").match(text[end:]):
            found.append(_Metric("precision", True, item.start, end))
    return found


def _metric_of(n: int, items: list[Item], metrics: list[_Metric], text: str) -> _Metric | None:
    """The metric that a number is nearest to: right behind it, else before it in the same list of words."""
    item = items[n]
    before = [metric for metric in metrics if metric.end <= item.start]
    after = [metric for metric in metrics if metric.start > item.start]
    if after and rule("metric behind").fullmatch(text[item.start + len(item.raw) : after[0].start]):
        return after[0]
    if not before:
        return None
    owner = next((each for each in reversed(items[:n]) if each.tag in "PM"), None)
    if owner is not None and owner.tag == "P" and owner.start > before[-1].start:
        between = text[owner.start + len(owner.raw) : item.start]
        if len(between) < 12 or re.search(r"\d", between):
            return None
    return before[-1] if len(re.findall(r"\w+", text[before[-1].end : item.start])) <= 22 else None
