"""The verdict on a trial against the best so far, and what the next one starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import mean
from typing import Literal

from wpfsm.fsm.records import Trial, Verdict
from wpfsm.fsm.strategies.comparison import interval
from wpfsm.fsm.strategies.metrics import Goal

Keep = Literal["better", "all", "last"]


def best_trial(trials: Sequence[Trial], goal: Goal | None) -> Trial | None:
    """The completed trial with the best metric; the earlier one of two equals. A smoke trial never is."""
    winner: Trial | None = None
    for trial in trials:
        if goal is None or trial.smoke or trial.state != "completed" or trial.metric is None:
            continue
        if winner is None or winner.metric is None or goal.better(trial.metric, winner.metric):
            winner = trial
    return winner


def root_of(trial: Trial) -> int:
    """The number of the trial that it repeats; its own for one that repeats none."""
    return trial.repeat_of or trial.number


def compare_groups(
    ours: Sequence[float], theirs: Sequence[float], goal: Goal
) -> tuple[Literal["better", "worse", "within noise", "unknown"], str]:
    """Whether one group of results is better than another, and the figures."""
    mine, other = mean(ours), mean(theirs)
    figures = f"{goal.metric} = {mine:.6g} (n={len(ours)}) against {other:.6g} (n={len(theirs)})"
    ends = interval(ours, theirs)
    if ends is None:
        return "unknown", figures
    low, high = ends
    figures += f", 95 % interval of the difference {low:+.3g} to {high:+.3g}"
    if low <= 0 <= high:
        return "within noise", figures
    return ("better" if goal.better(mine, other) else "worse"), figures


def judge(
    trial: Trial, before: Sequence[Trial], goal: Goal | None, keep: Keep = "better"
) -> tuple[Verdict, str]:
    """What became of a trial that is over, and why in words.

    Args:
        trial: The trial, with its end.
        before: The trials before it.
        goal: The metric and which way is better; None when the loop has none.
        keep: What the loop keeps.
    """
    if trial.state == "failed":
        return "failed", "it failed"
    if trial.state == "stopped":
        return "stopped", "it was stopped"
    if trial.state != "completed" or trial.smoke:
        return "", ""
    if goal is None or trial.metric is None:
        return "kept", "the loop has no metric to compare"
    own = [t for t in before if root_of(t) == root_of(trial)]
    before = [t for t in before if root_of(t) != root_of(trial)]
    best = best_average(before, goal)
    if best is None or best.metric is None:
        return "kept", f"{goal.metric} = {trial.metric:.6g}, the first result"
    ours, theirs = _values([*own, trial]), _values([t for t in before if root_of(t) == best.number])
    if min(len(ours), len(theirs)) >= 2:
        told, figures = compare_groups(ours, theirs, goal)
        figures = f"{figures} of trial {best.number}"
        if told == "within noise":
            return "inconclusive", f"within the noise: {figures}"
        if told != "unknown":
            kept = told == "better" or keep != "better"
            return ("kept" if kept else "discarded"), f"{told}: {figures}"
    figures = (
        f"{goal.metric} = {trial.metric:.6g} against {best.metric:.6g} of trial {best.number} "
        f"({trial.metric - best.metric:+.3g})"
    )
    if goal.better(trial.metric, best.metric):
        return "kept", f"better: {figures}"
    if keep != "better":
        return "kept", f"not better, kept by keep: {keep}: {figures}"
    return "discarded", f"not better: {figures}"


def _values(trials: Sequence[Trial]) -> list[float]:
    return [t.metric for t in trials if t.state == "completed" and t.metric is not None]


def best_average(trials: Sequence[Trial], goal: Goal | None) -> Trial | None:
    """The trial whose repeats are best on the average, with that average."""
    groups: dict[int, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(root_of(trial), []).append(trial)
    heads = [
        replace(group[0], number=number, metric=mean(values), state="completed")
        for number, group in groups.items()
        if (values := _values(group))
    ]
    return best_trial(heads, goal)


def base_trial(trials: Sequence[Trial], keep: Keep = "better") -> Trial | None:
    """The trial that the next one starts from; None for the job as the loop file gives it."""
    ended = ("completed", "failed", "stopped")
    over = [t for t in trials if t.state in ended and not t.smoke and t.repeat_of is None]
    if keep == "last":
        return over[-1] if over else None
    kept = [t for t in over if t.state == "completed" and t.verdict in ("kept", "")]
    return kept[-1] if kept else None


def start_of(
    spec: str, trials: Sequence[Trial], goal: Goal | None, keep: Keep, failed: Trial | None = None
) -> Trial | None:
    """The trial that a proposal starts from; None for the job as the loop file gives it.

    Args:
        spec: ``best``, ``last``, the number of a trial, or empty.
        trials: Every trial of the loop.
        goal: The metric and which way is better.
        keep: What the loop keeps, which decides where nothing is said.
        failed: At a failure hand-off, the trial that the proposal stands in for.
    """
    if spec.isdecimal():
        return next((t for t in trials if t.number == int(spec)), None)
    completed = [t for t in trials if t.state == "completed" and not t.smoke and t.repeat_of is None]
    if spec == "best":
        return best_average(trials, goal) or (completed[-1] if completed else None)
    if spec == "last":
        return completed[-1] if completed else None
    return failed if failed is not None else base_trial(trials, keep)
