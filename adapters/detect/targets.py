"""Until a number is reached: "until eval loss < 0.3", "F1 is .78, we need .85"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wpfsm.adapters.detect.findings import Target
from wpfsm.adapters.detect.items import Item, items_of

_OPS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (op, re.compile(rf"(?:{words})", re.IGNORECASE))
    for op, words in (
        (
            "<=",
            r"<=|=<|\bat most\b|\bno (?:more|higher|greater|worse) than\b|\bnot (?:be )?(?:above|over|exceed)|\bmax(?:imum)?\b|\bnot exceed",
        ),
        (
            ">=",
            r">=|\bat least\b|\bno (?:less|lower|worse) than\b|\bnot (?:be |fall )?(?:below|under)|\bmin(?:imum)?\b|\bminimum of\b",
        ),
        ("<", r"<|\bbelow\b|\bunder\b|\bbeneath\b|(?:less|lower|smaller|fewer) than|\bsub\b|\bsouth of\b"),
        (
            ">",
            (
                r">|\babove\b|\bover\b|\bpast\b|\bbeyond\b|(?:more|greater|higher|larger) than|\bexceeds?\b|\bexceeding\b|\bsurpass(?:es)?\b|\btops?\b|\bcross(?:es)?\b"
                r"|\bnorth of\b|\bclears?\b|\bpass(?:es)?\b"
            ),
        ),
    )
)
_GOAL = re.compile(
    r"\b(?:train (?:it |this |them )?to|until|till|til|unless|before|reach(?:es)?|hits?|need(?:s|ed)?|needs? to|want(?:s|ed)?|wanted|target(?:ing)?|goal|must|should|required?|requires|demand(?:s|ed)?|promised?|accepts?"
    r"|get (?:\w+ ){0,4}to|bring|push|drive|raise|lower|reduce|improve|increase|make it|make that|get (?:it|that|there)|aim(?:ing)?|at least|at most|has to|have to|or bust|required is|contract|threshold|sla"
    r"|down to|up to|as long as|while|says|say|comes? out|come|become|go(?:es)? to|continue|keep|again|repeat|loop|iterate|retrain|rerun|needed|expects?|for go-?live|agreed|dahin|rauf auf|happy|worse than)\b",
    re.IGNORECASE,
)
_FACT = re.compile(
    r"\b(?:is|was|at|are|now|currently|reached|gives?|gave|got|stands?|sits?|stuck|lies?|today|yesterday|measured?|from|reports?|liegt|est|está|em|en|rn)\b\W*$|[(=:]\s*$",
    re.IGNORECASE,
)
_WHILE = re.compile(
    r"\b(?:as long as|so long as|while|stays?|remains?|isn't|is not|(?:if|whenever)\b[^.;\n]{0,40}\b(?:is|stays)(?: still)?)\b[^.;\n]*$",
    re.IGNORECASE,
)
_FLIP = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
_NOTIFY = re.compile(
    r"\b(?:tell|ping|notify|alert|let me know|send|email|say|inform|remind|bescheid|message)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Goals:
    """The target of a text, and the starts of the numbers that belong to metrics."""

    target: Target | None
    taken: frozenset[int]
    metric: str | None = None


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
    if not metrics:
        return Goals(None, frozenset())
    taken: set[int] = set()
    best: tuple[int, Target] | None = None
    current_percent = False
    for n, item in enumerate(items):
        if item.tag != "N" or not isinstance(item.value, int | float):
            continue
        metric = _metric_of(item, items, n, metrics, text)
        if metric is None:
            continue
        end = item.start + len(item.raw)
        after = items[n + 1] if n + 1 < len(items) else None
        if after is not None and (
            after.tag in "J$T"
            or (after.tag == "u" and after.text not in {"percent", "point"})
            or (after.tag == "P" and after.parameter and after.parameter.counted)
        ):
            continue
        sentence = max(text.rfind(mark, 0, item.start) for mark in (". ", "? ", "! ", "\n", "; ")) + 1
        head, tail = text[sentence : item.start], text[end : end + 25]
        close = metric.end <= item.start and re.fullmatch(
            r"\W*(?:(?:is|was|at|of|to|=|:|now|currently|sits?|only|still|score|rate|value|the|in|on|validation|test|about|around|reached|stuck) ?\W*){0,4}",
            text[metric.end : item.start],
        )
        op = _op(head, tail)
        near = head[-70:]
        if (
            close
            or op
            or re.match(rf"\s?%?\s*(?:\w+ ){{0,2}}{re.escape(text[metric.start : metric.end])}", tail)
        ):
            taken.add(item.start)
        fact = _FACT.search(head[-14:]) is not None and op is None
        wanted = (
            op is not None
            or (
                _GOAL.search(near) is not None
                and not (
                    fact
                    and not re.search(
                        r"(?:until|target|goal|must|should|need|want|reach|keep)\b", near, re.IGNORECASE
                    )
                )
            )
            or re.match(
                r"\s?%?\s*(?:or (?:better|more|less|lower|above|below|bust)|\+|minimum|is (?:the|our|my) (?:goal|target)|needed|required|before)",
                tail,
            )
        )
        if not wanted or _NOTIFY.search(near):
            current_percent = current_percent or item.percent
            continue
        taken.add(item.start)
        op = op or ("at-or-better" if re.match(r"\s?%?\s*or (?:better|bust)", tail) else "at")
        if _WHILE.search(head) and op in _FLIP and not re.search(r"until[^.;]*$", head):
            op = _FLIP[op]
        if re.search(r"\b(?:beats?|outperforms?|better than|improves? on)\b[^,.;]{0,20}$", head):
            op = ">" if metric.up else "<"
        if op.startswith("at"):
            op = ">=" if metric.up else "<="
        if (op[0] == ">") != metric.up and metric.name != "metric":
            continue
        value = float(item.value)
        percent = item.percent or (after is not None and after.text == "percent")
        if not percent and current_percent and 1 < value <= 100:
            percent, value = True, value / 100
        elif after is not None and after.text == "percent":
            value = value / 100
        strength = (
            2
            if re.search(
                r"until|till|need|target|goal|must|promis|demand|contract|sla|threshold|agree|accept",
                near,
                re.IGNORECASE,
            )
            else 1
        )
        if best is None or strength >= best[0]:
            best = (strength, Target(metric.name, op, value, percent))
    return Goals(best[1] if best else None, frozenset(taken), metrics[-1].name)


def _op(head: str, tail: str) -> str | None:
    near = re.split(r"[,;(]|\band\b|\bbut\b|\d", head)[-1][-40:]
    after = re.match(
        r"\s?%?\s*(?:percent )?or (?P<less>less|lower|below|under|smaller)|\s?%?\s*(?:or (?:more|above|higher|over|up)|\+(?!\d)|minimum)",
        tail,
    )
    if after is not None:
        return "<=" if after["less"] else ">="
    return next((op for op, rule in _OPS if rule.search(near)), None)


def _metrics(items: list[Item], text: str) -> list[_Metric]:
    found: list[_Metric] = []
    for n, item in enumerate(items):
        end = item.start + len(item.raw)
        compared = (
            n + 2 < len(items) and items[n + 1].text in {"<", ">", "<=", ">="} and items[n + 2].tag == "N"
        )
        if item.tag == "M":
            cut = re.match(r"@(\d+)", text[end:])
            ahead = text[item.start - 1 : item.start]
            joined = re.match(r"[\w]+", text[end:]) or ahead == "_"
            if joined:
                continue
            measured = n + 1 < len(items) and items[n + 1].text in {
                "weight",
                "scale",
                "coefficient",
                "function",
                "term",
                "head",
                "curve",
            }
            if not measured:
                found.append(
                    _Metric(
                        f"{item.text}{cut.group() if cut else ''}",
                        item.up,
                        item.start,
                        end + (cut.end() if cut else 0),
                    )
                )
        elif compared and item.tag in "wP" and item.raw[:1].isalpha():
            up = items[n + 1].text.startswith(">")
            found.append(_Metric(item.raw, up, item.start, end))
        elif (
            item.tag == "P"
            and item.text == "precision"
            and re.match(r"\W*(?:\w+\W+){0,4}[\d.]+\s?%?", text[end:])
            and not re.match(r"\W*(?:fp|bf|tf)?\d\d", text[end:])
        ):
            found.append(_Metric("precision", True, item.start, end))
    return found


def _metric_of(item: Item, items: list[Item], n: int, metrics: list[_Metric], text: str) -> _Metric | None:
    """The metric that a number is nearest to: in the same list of words before it, else right behind it."""
    before = [metric for metric in metrics if metric.end <= item.start]
    after = [metric for metric in metrics if metric.start > item.start]
    end = item.start + len(item.raw)
    if after and re.fullmatch(
        r"\s?%?\s*(?:(?:in|on|of|the|for|macro|micro|mean|average|point|points|val|validation|at) ?){0,3}\s*",
        text[end : after[0].start],
    ):
        return after[0]
    owner = next((each for each in reversed(items[:n]) if each.tag in "PM"), None)
    if not before:
        return None
    last = before[-1]
    if owner is not None and owner.tag == "P" and owner.start > last.start:
        between = text[owner.start + len(owner.raw) : item.start]
        if len(between) < 12 or re.search(r"\d", between):
            return None
    span = text[last.end : item.start]
    return last if len(re.findall(r"\w+", span)) <= 22 else None
