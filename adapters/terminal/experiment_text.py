"""The human form of an experiment: what was changed, the verdict, the best, and what is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wpfsm.fsm.units import duration, usd


def experiment_lines(experiment: Mapping[str, Any]) -> list[str]:
    """One experiment, a few lines."""
    start = f" on trial {experiment['base']}" if experiment["base"] else ""
    lines = [
        f"trial {experiment['trial']} ({experiment['label']}){start}: {experiment['verdict'] or experiment['state']}"
    ]
    if experiment["why"]:
        lines.append(f"why   {experiment['why']}")
    if experiment["note"]:
        lines.append(f"note  {experiment['note']}")
    if changed := [f"{name} {old!r} -> {new!r}" for name, (old, new) in experiment["changes"].items()]:
        lines.append(f"set   {', '.join(changed)}")
    if files := [f"{each['file']} +{each['added']} -{each['removed']}" for each in experiment["files"]]:
        lines.append(f"edit  {', '.join(files)}")
    return lines


def ask_lines(handoff: Mapping[str, Any]) -> list[str]:
    """What the loop waits for, the best so far, and what is left."""
    verdict = handoff["verdict"] or "over"
    lines = [
        f"waits for {'a proposal' if handoff['kind'] == 'ask' else 'a limit to be raised'}: {handoff['why']}"
    ]
    if handoff["trial"] is not None:
        lines.append(
            f"  trial {handoff['trial']} ({handoff['label']}): {verdict} {handoff['verdict_why']}".rstrip()
        )
    if diagnosis := handoff["diagnosis"]:
        lines.append(f"  {diagnosis['class']} ({diagnosis['confidence']:.0%}): {diagnosis['fix']}")
        lines += [f"  | {line}" for line in diagnosis["evidence"]]
    if base := handoff["base"]:
        lines.append(f"  base  trial {base['trial']} ({base['label']})")
    lines.append(f"  left  {left_text(handoff['left'])}")
    return lines


def left_text(left: Mapping[str, Any]) -> str:
    """``5 job(s), $3.20, 9m30s of hold``; what has no limit is left out."""
    words = []
    if left["jobs"] is not None:
        words.append(f"{left['jobs']} job(s)")
    if left["trials"] is not None:
        words.append(f"{left['trials']} trial(s)")
    if left["cost_usd"] is not None:
        words.append(usd(left["cost_usd"]))
    if left["hold_seconds"] is not None:
        words.append(f"{duration(left['hold_seconds'])} of hold")
    return ", ".join(words) or "no limit"
