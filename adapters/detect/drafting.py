"""Drafts a loop file for a detected request: ``wpfsm detect TEXT --write FILE``.

The draft validates as it stands (for the local backend); what the request did not say is marked ``TODO``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from wpfsm.adapters.detect.findings import Detection, Pattern
from wpfsm.adapters.detect.strategies import DraftPhase, Flow, jobs_of, phases_of
from wpfsm.adapters.detect.tables import texts

_NUMBER = "(-?(?:[Nn]a[Nn]|[Ii]nf)|[0-9.eE+-]+)"
"""A job that diverges must report that it did, and not keep the value of an earlier line."""
_WORDS = frozenset({"null", "true", "false", "y", "n", "yes", "no", "on", "off"})
_SPARE, _UNSAID = 4, 12
_COLUMN = 28
"""Where the comments of a draft begin, where its keys leave room."""


def draft(detection: Detection, name: str, *, requirements: bool = False) -> str:
    """The text of a commented loop file.

    Args:
        detection: of a candidate, or of a request that may be one.
        name: what the loop shall be called; what the loop file does not allow in a name is replaced.
        requirements: the source has a requirements file.

    Raises:
        ValueError: a reason against a warm pool stands in the request.
    """
    if detection.candidate is False:
        raise ValueError(f"there is no loop to draft: {detection.why}")
    target = detection.target or (detection.following.target if detection.following else None)
    metric = target.metric if target else "eval_loss"
    phases, plan, instance = phases_of(detection), detection.plan, detection.instance_type or ""
    lines = [line for phase in phases for line in _lines(phase, listed=len(phases) > 1)]
    most, count = plan.most or 0, jobs_of(detection)
    todo, packages = texts("todo"), detection.pattern is Pattern.DEPENDENCY_DEBUGGING
    named = f"  requirements: requirements.txt{'' if requirements else todo['requirements']}\n"
    template = Path(__file__).with_name("draft.txt").read_text(encoding="utf-8")
    return template.format(
        why=_one_line(detection.why),
        note=f"# Note: {_one_line(plan.note)}.\n" if plan.note else "",
        name=_slug(name),
        instance=instance if re.fullmatch(r"ml\.[a-z0-9-]+\.[a-z0-9]+", instance) else todo["instance"],
        backend="as the request says" if plan.local else todo["backend"],
        requirements=named if requirements or packages else "",
        settings=_flow(detection.settings) + ("" if detection.settings else todo["settings"]),
        metric_remark="" if target else todo["metric"],
        metric=_flow(metric) if not metric.isidentifier() else metric,
        goal="maximize" if target and target.op in {">", ">="} else "minimize",
        expression=_expression(metric).replace("'", "''"),
        strategy="\n".join(lines),
        jobs=max(most, count or 0) if most else (count or _UNSAID) + _SPARE,
        cost=f"{plan.cost:.2f}" if plan.cost else todo["cost"],
    )


def _expression(metric: str) -> str:
    """What such a script prints: ``val_acc: 0.91``, ``val_acc=0.91``, ``'val_acc': 0.91``."""
    words = r"[_ /-]".join(re.escape(part) for part in re.split(r"[_ /-]", metric))
    return rf"(?i)(?:^|[^\w]){words}['\"]?\s*[=:]\s*{_NUMBER}"


def _lines(phase: DraftPhase, *, listed: bool) -> Iterator[str]:
    """The lines of a strategy; as one of several phases, an entry of a list."""
    indent = "    " if listed else "  "
    yield from (f"  # {_one_line(line)}" for line in phase.above)
    for n, line in enumerate(_block(phase.keys, phase.remarks)):
        yield f"  - {line}" if listed and n == 0 else f"{indent}{line}"


def _block(keys: Mapping[str, object], remarks: Mapping[str, str]) -> Iterator[str]:
    """Keys and values, one a line; what holds lists or mappings itself is indented below its key."""
    for key, value in keys.items():
        remark = f"# {remarks[key]}" if key in remarks else ""
        inner: list[str] = []
        if isinstance(value, Mapping) and any(
            isinstance(each, list | Mapping | Flow) for each in value.values()
        ):
            inner = list(_block(value, remarks))
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            inner = [f"- {_flow(each)}" for each in value]
        line = f"{_key(key)}:" if inner else f"{_key(key)}: {_flow(value)}"
        yield f"{line:<{_COLUMN - 4}}  {remark}" if remark else line
        yield from (f"  {each}" for each in inner)


def _flow(value: object) -> str:
    """A value as YAML, in one line."""
    if isinstance(value, Flow):
        return value
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(str(key))}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, float):
        mantissa, exponent, power = repr(value).partition("e")
        return f"{mantissa}e{int(power)}" if exponent else mantissa
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w-]*", value) and value.lower() not in _WORDS
    return str(value) if plain else json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if name.isidentifier() and name.isascii() and name.lower() not in _WORDS else json.dumps(name)


def _slug(name: str) -> str:
    """A name that the loop file takes: it begins with a letter."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (plain if plain[:1].isalpha() else f"loop-{plain}")[:33].strip("-") or "loop"


def _one_line(text: str) -> str:
    return " ".join(text.split())
