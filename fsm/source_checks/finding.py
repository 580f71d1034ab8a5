"""What a check of the source found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Check: TypeAlias = Literal["imports", "requirements", "hyperparameters", "checkpoint", "metric"]


@dataclass(frozen=True)
class SourceFinding:
    """One thing in the source that would cost a job.

    Attributes:
        check: Which check found it; what ``checks.ignore`` of the loop file silences.
        text: What, with the names.
        file: Where, relative to the source folder; empty when it is in no one place.
        line: Counted from 1; 0 when it is in no one line.
        fix: The next thing to do.
        known: False when this is a remark that something could not be judged, which is no fault.
    """

    check: Check
    text: str
    file: str = ""
    line: int = 0
    fix: str = ""
    known: bool = True

    def __str__(self) -> str:
        """``file:line: text``."""
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return place + self.text
