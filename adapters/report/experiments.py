"""The experiments as a tree: which trial started from which, with which hypothesis, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.html import Markup, el
from wpfsm.fsm.records import Trial


def experiments(facts: Facts) -> Markup | None:
    """A nested list of kept and discarded changes; None for a loop that compared nothing step by step."""
    heads = [trial for trial in facts.trials if trial.repeat_of is None]
    if not any(trial.proposal is not None for trial in heads):
        return None
    numbers = {trial.number for trial in heads}
    roots = [trial for trial in heads if trial.base not in numbers]
    return _list(roots, heads, facts.metric)


def _list(trials: Sequence[Trial], heads: Sequence[Trial], metric: str) -> Markup:
    return el("ul", [_item(trial, heads, metric) for trial in trials], class_="experiments")


def _item(trial: Trial, heads: Sequence[Trial], metric: str) -> Markup:
    children = [each for each in heads if each.base == trial.number]
    result = f"{metric} = {trial.metric:.6g}" if trial.metric is not None else trial.state
    return el(
        "li",
        el("b", f"trial {trial.number}: {trial.label}"),
        f" - {result}, ",
        el("span", trial.verdict or trial.state, class_=f"verdict-{trial.verdict or trial.state}"),
        el("div", f"“{trial.note}”", class_="small") if trial.note else None,
        el("div", trial.verdict_why, class_="muted small") if trial.verdict_why else None,
        _list(children, heads, metric) if children else None,
    )
