"""The verdict on each variant of an ablation, as a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from wpfsm.adapters.documents.rows import phases_of, section
from wpfsm.fsm.records import JSON, Loop, Trial
from wpfsm.fsm.strategies.comparison import BASELINE, compare
from wpfsm.fsm.strategies.metrics import Goal


def comparisons(loop: Loop, trials: Sequence[Trial]) -> list[JSON]:
    """Each variant of an ablation against the baseline; empty for every other strategy."""
    metric = section(loop, "metric")
    goal = Goal(str(metric.get("name")), "maximize" if metric.get("goal") == "maximize" else "minimize")
    return [
        asdict(comparison)
        for number, strategy in enumerate(phases_of(loop), start=1)
        if strategy.get("type") == "ablate"
        for comparison in compare(_values(strategy, [t for t in trials if t.phase == number]), goal)
    ]


def _values(strategy: Mapping[str, JSON], trials: Sequence[Trial]) -> dict[str, list[float]]:
    """The metrics of an ablation's completed trials, by variant."""
    variants = strategy.get("variants")
    listed = variants if isinstance(variants, Sequence) and not isinstance(variants, str) else ()
    names = [BASELINE, *(str(v["name"]) for v in listed if isinstance(v, Mapping))]
    done = [t for t in trials if t.state == "completed" and not t.smoke]
    return {name: [t.metric for t in done if t.label == name and t.metric is not None] for name in names}
