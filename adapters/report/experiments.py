"""The experiments as a tree: which trial started from which, with which hypothesis, and what became of it.

The line of kept trials is the trunk and stays at one depth, so that a loop of a hundred small steps is read
downwards and not off the page; what was tried from a trial and led nowhere is a branch under it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.words import number
from wpfsm.fsm.records import Trial

DEEPEST = 6
"""Branches of branches beyond this one are drawn at it: a narrow screen has no room for more."""


@dataclass(frozen=True)
class Experiment:
    """One trial of the tree.

    Attributes:
        trial: Its row.
        depth: Branches away from the trunk.
        base: The trial that it started from; None for the loop file's values.
        result: Its metric, or how it ended.
        verdict: What became of it against the best so far, else its state.
    """

    trial: Trial
    depth: int
    base: int | None
    result: str
    verdict: str


def experiments(facts: Facts) -> list[Experiment]:
    """The tree, from its roots downwards; empty for a loop that compared nothing step by step."""
    heads = [trial for trial in facts.trials if trial.repeat_of is None]
    if not any(trial.proposal is not None for trial in heads):
        return []
    children: dict[int | None, list[Trial]] = {}
    numbers = {trial.number for trial in heads}
    for trial in heads:
        children.setdefault(trial.base if trial.base in numbers else None, []).append(trial)
    sizes = _sizes(heads, children)
    found: list[Experiment] = []
    waiting = [(trial, 0) for trial in reversed(children.get(None, []))]
    while waiting:
        trial, depth = waiting.pop()
        found.append(_experiment(trial, depth, numbers, facts.metric))
        below = children.get(trial.number, [])
        trunk = _trunk(below, sizes)
        branches = [(each, depth + 1) for each in below if each is not trunk]
        waiting += [*([(trunk, depth)] if trunk else []), *reversed(branches)]
    return found


def _trunk(children: Sequence[Trial], sizes: Mapping[int, int]) -> Trial | None:
    """The child that the line goes on with: kept, and with the most that came of it; the last of equals."""
    kept = [trial for trial in children if trial.verdict == "kept" or sizes[trial.number] > 1]
    return max(kept, key=lambda trial: (sizes[trial.number], trial.number), default=None)


def _sizes(heads: Sequence[Trial], children: Mapping[int | None, Sequence[Trial]]) -> dict[int, int]:
    """Trials in the tree under each, itself included. A base is older than what starts from it."""
    sizes: dict[int, int] = {}
    for trial in sorted(heads, key=lambda each: -each.number):
        sizes[trial.number] = 1 + sum(sizes.get(child.number, 1) for child in children.get(trial.number, ()))
    return sizes


def _experiment(trial: Trial, depth: int, numbers: set[int], metric: str) -> Experiment:
    return Experiment(
        trial=trial,
        depth=min(depth, DEEPEST),
        base=trial.base if trial.base in numbers else None,
        result=f"{metric} = {number(trial.metric)}" if trial.metric is not None else "",
        verdict=trial.verdict or trial.state,
    )
