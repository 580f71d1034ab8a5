"""Reads that follow from other reads, the same whatever keeps the rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from wpfsm.fsm.records import Obligation, Proposal, Trial


class DerivedReads(ABC):
    """What a history answers from the rows of a loop that it lists."""

    @abstractmethod
    def trials(self, loop_id: str) -> Sequence[Trial]:
        """Trials of a loop, by number."""

    @abstractmethod
    def proposals(self, loop_id: str) -> Sequence[Proposal]:
        """What was proposed to a loop from outside, by number."""

    @abstractmethod
    def obligations(self, loop_id: str) -> Sequence[Obligation]:
        """Obligations of a loop."""

    def trial(self, loop_id: str, number: int) -> Trial:
        """One trial of a loop; raises ``LookupError`` when there is none."""
        return {trial.number: trial for trial in self.trials(loop_id)}[number]

    def proposal(self, loop_id: str, number: int) -> Proposal:
        """One proposal to a loop; raises ``LookupError`` when there is none."""
        return {row.number: row for row in self.proposals(loop_id)}[number]

    def owed_jobs(self, loop_id: str) -> list[str]:
        """Names of the jobs of a loop whose release is not read back."""
        return [row.job_name for row in self.obligations(loop_id) if row.status == "owed"]
