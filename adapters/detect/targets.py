"""Until a number is reached: "until eval loss < 0.3", "get accuracy to 90%"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wpfsm.adapters.detect import vocabulary as words
from wpfsm.adapters.detect.clauses import Sentence, Shape
from wpfsm.adapters.detect.findings import Finding, Pattern, Target
from wpfsm.adapters.detect.grammar import LOWER_IS_BETTER, Item
from wpfsm.adapters.detect.patterns import Rule

_UNTIL = Rule(
    r" (?:until|unless|before|as long as|so long as|while|when|once|stop|get|bring|push|drive|lower|reduce"
    r"|raise|improve|hit|reach|achieve|attain"
    r"|aim|target|targeting|goal|need|want|keep|train to|retrain to|finetune to|threshold|make sure|down to"
    r"|up to|continue|iterate|loop|till|train it to"
    r"|train this to|or bust|take|move|as soon as|must|has to|have to|again|repeat) "
)
_EARLY = Rule(
    r" (?:early stop|early stopping|in one run|single run|just once|only once|train once|run once|one run"
    r"|a single|callback) "
)
_CONDITION = Rule(r" (?:if|where|assert|whenever|should (?:be|end)|expect|report|log) ")
_LOOPING = Rule(
    r" (?:until|keep|otherwise|again|repeat|loop|iterate|as long as|retrain|rerun|while|another) "
)
_WHILE = Rule(r" (?:as long as|so long as|while) ")
_OPS = (
    ("<=", Rule(r" (?:<=|=<|at most|(?:no|not) (?:more|higher|greater|larger|worse) than|not above|max|maximum|not exceed) ")),
    (">=", Rule(r" (?:>=|at least|(?:no|not) (?:less|lower|smaller|worse) than|not below|min|minimum) ")),
    ("<", Rule(r" (?:<|below|under|underneath|beneath|(?:less|lower|smaller|fewer) than|sub|south of) ")),
    (">", Rule(r" (?:>|above|over|past|beyond|(?:more|greater|higher|larger) than|exceed|exceeds|surpass|surpasses|top|tops|cross|crosses|north of|clear|clears|pass) ")),
    ("better", Rule(r" (?:beat|better than|outperform|improve on) ")),
    ("at", Rule(r" (?:=|==|hit|reach|to|at|of|be|is|are|touch|touches|attain|attains|achieve|achieves|get|equal|around|about|near|fall|drop|target|goal|:) ")),
)  # fmt: skip
_OR_LESS = Rule(r"^ (?:or|and) (?:lower|less|below|under|smaller) ")
_OR_MORE = Rule(r"^ (?:(?:or|and) (?:more|above|higher|over|up|greater)|\+) ")
_OR_BETTER = Rule(r"^ or better ")
_FLIP = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
_BASELINE = Rule(
    r" (?:keep|again|retrain|rerun|iterate|repeat|loop|retry|continue) .*(?:until"
    r"|till) (?:\S+ ){0,8}(?:beat|better than|outperform|match|exceed|above the|improve on) "
)


Comparison = tuple[str, float, int, int]
"""The operator, the number, and the items where it begins and ends."""
_NO_COMPARISON = frozenset({"METRIC", "STOP", "VAL", "PKG", "METHOD", "PARAM"})


def until(sentences: Sequence[Sentence]) -> Finding | None:
    """Training again until a number is reached."""
    for sentence in sentences:
        if sentence.question:
            continue
        best = [target for target in _targets(sentence.live) if target is not None]
        if best:
            return Finding(Pattern.TRAIN_UNTIL_METRIC, f"it asks to go on until {best[-1]}", target=best[-1])
    for sentence in sentences:
        if not sentence.question and sentence.live.has(_BASELINE):
            return Finding(
                Pattern.TRAIN_UNTIL_METRIC,
                "it asks to go on until a metric beats a baseline, without its number",
            )
    return None


def _targets(shape: Shape) -> list[Target | None]:
    return [_target(shape, n) for n, item in enumerate(shape.items) if is_metric(item)]


def is_metric(item: Item) -> bool:
    """Whether an item names a metric ("precision" is one too, where a number follows)."""
    return item.tag == "METRIC" or (item.tag == "PARAM" and item.text == "precision")


def _target(shape: Shape, at: int) -> Target | None:
    """The target at a metric: "METRIC ... op ... NUM" or "op NUM METRIC"."""
    metric = shape.items[at].text
    lower = metric in LOWER_IS_BETTER or metric.partition("_")[2] in LOWER_IS_BETTER
    found = _after(shape, at) or _ahead(shape, at)
    if found is None:
        return None
    op, value, start, end = found
    rest = Shape(shape.items[end + 1 : end + 4]).text
    if _OR_LESS.match(rest):
        op = "<="
    elif _OR_MORE.match(rest):
        op = ">="
    elif _OR_BETTER.match(rest) and op in {"at", "better"}:
        op = "at"
    op = {"better": "<" if lower else ">", "at": "<=" if lower else ">="}.get(op, op)
    head = Shape(shape.items[:start]).text
    denied = (
        re.search(r" (?:isn't|aren't|not|doesn't|hasn't) ", Shape(shape.items[start : end + 1]).text)
        is not None
    )
    keeps_while = _keeps_while(shape, start)
    if (_WHILE.search(head) or keeps_while) and not denied:
        op = _FLIP[op]
    wrong_way = op.startswith(">") if lower else op.startswith("<")
    governed = (
        keeps_while
        or _UNTIL.search(head)
        or re.search(
            r" (?:or bust|keep going|until then|again|is (?:the|our|my) (?:goal|target)|otherwise|keep"
            r"|before (?:stop|we stop)) ",
            shape.text,
        )
    )
    conditional = _CONDITION.search(head) and not _LOOPING.search(shape.text)
    if wrong_way or not governed or conditional or shape.has(_EARLY):
        return None
    number = shape.items[end] if shape.items[end].tag == "NUM" else shape.items[start]
    return Target(metric, op, value, percent=number.raw.endswith(("%", "percent", "pct")))


def _keeps_while(shape: Shape, start: int) -> bool:
    """ "if accuracy is still below 0.9, train again": the condition to go on is the target turned round."""
    head, text = Shape(shape.items[:start]).text, shape.text
    return (
        re.search(r" (?:if|whenever) ", head) is not None
        and re.search(r" (?:keep|again|retrain|rerun|another|repeat) ", text) is not None
        and " until " not in head
    )


def _after(shape: Shape, at: int) -> Comparison | None:
    """The comparison behind a metric: "METRIC drops below NUM", "METRIC from NUM to NUM"."""
    items = shape.items
    for n in range(at + 1, min(at + 10, len(items))):
        item = items[n]
        if item.tag == "NUM" and isinstance(item.value, int | float):
            between = Shape(items[at + 1 : n]).text
            if " from " in between and [i.symbol for i in items[n + 1 : n + 3]] == ["to", "NUM"]:
                continue
            op = _op(between) or ("at" if n == at + 1 else None)
            after = items[n + 1] if n + 1 < len(items) else None
            counts = after is not None and (after.text in words.UNITS or after.tag == "PARAM")
            return None if op is None or counts else (op, float(item.value), at, n)
        if item.tag in _NO_COMPARISON or item.text in {",", "and", "then", "or"}:
            return None
    return None


def _ahead(shape: Shape, at: int) -> Comparison | None:
    for n in range(at - 1, max(-1, at - 4), -1):
        item = shape.items[n]
        if item.tag == "NUM" and isinstance(item.value, int | float):
            before = Shape(shape.items[max(0, n - 3) : n]).text
            return _op(before) or "at", float(item.value), n, at
        if item.text not in {
            "in",
            "on",
            "of",
            "the",
            "for",
            "macro",
            "micro",
            "mean",
            "average",
            "point",
            "top",
        }:
            return None
    return None


def _op(between: str) -> str | None:
    return next((op for op, pattern in _OPS if pattern.search(between)), None)


def metric_numbers(shape: Shape) -> set[int]:
    """The items that are numbers of a metric ("accuracy above 0.9"), so no values of a parameter."""
    found: set[int] = set()
    for at, item in enumerate(shape.items):
        if item.tag == "METRIC":
            hit = _after(shape, at) or _ahead(shape, at)
            if hit is not None:
                found.add(hit[3] if hit[3] != at else hit[2])
    return found
