"""The phases of a loop as a document: what each is, where it stands, what it has cost."""

from __future__ import annotations

from collections.abc import Sequence

from wpfsm.adapters.documents.rows import best_of, phases_of
from wpfsm.fsm.costs.ledger import Ledger
from wpfsm.fsm.records import JSON, Job, Loop, State, Trial


def phase_objects(
    loop: Loop, trials: Sequence[Trial], jobs: Sequence[Job], ledger: Ledger
) -> list[dict[str, JSON]]:
    """One object a phase, in order; one for a loop with one strategy."""
    reached = max((trial.phase for trial in trials), default=1)
    return [
        _phase(loop, number, str(given.get("type")), reached, trials, jobs, ledger)
        for number, given in enumerate(phases_of(loop), start=1)
    ]


def _phase(
    loop: Loop,
    number: int,
    kind: str,
    reached: int,
    trials: Sequence[Trial],
    jobs: Sequence[Job],
    ledger: Ledger,
) -> dict[str, JSON]:
    mine = [trial for trial in trials if trial.phase == number]
    numbers = {trial.number for trial in mine}
    ran = {job.number for job in jobs if job.trial in numbers}
    costs = [line.cost_usd for line in ledger.jobs if line.number in ran]
    best = best_of(loop, mine)
    return {
        "number": number,
        "type": kind,
        "state": _state(loop, number, reached),
        "base": mine[0].base if mine else None,
        "trials": len(mine),
        "taken_over": sum(trial.taken_from is not None for trial in mine),
        "jobs": len(ran),
        "best": best.number if best else None,
        "cost_usd": None if any(cost is None for cost in costs) else sum(cost or 0.0 for cost in costs),
    }


def _state(loop: Loop, number: int, reached: int) -> str:
    if number > reached:
        return "not reached" if loop.state is State.CLOSED else "to come"
    ended = number < reached or loop.state in (State.RELEASING, State.CLOSED)
    return "over" if ended else "running"
