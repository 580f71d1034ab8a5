"""Every value that the trials of a loop file will give a hyperparameter, as far as the strategy tells beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.records import JSON
from wpfsm.fsm.strategies import Goal
from wpfsm.fsm.strategies.registry import build, missing_extra

MOST_TRIALS = 500


def values_given(file: LoopFile) -> Mapping[str, Sequence[JSON]]:
    """Each hyperparameter of the loop file and of its trials, with its values, each once."""
    values: dict[str, list[JSON]] = {name: [value] for name, value in file.job.hyperparameters.items()}
    for phase in file.phases:
        names = getattr(phase, "names", None)
        for name in names() if names else ():
            values.setdefault(name, [])
    goal = Goal(file.metric.name, file.metric.goal) if file.metric else None
    trials = (
        () if missing_extra(file.strategy) else build(file.strategy, goal, file.job.hyperparameters).preview()
    )
    for trial in trials[:MOST_TRIALS]:
        for name, value in trial.params.items():
            seen = values.setdefault(name, [])
            if value not in seen:
                seen.append(value)
    return values
