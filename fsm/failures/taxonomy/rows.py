"""What a row of the taxonomy is: a failure class, and the patterns by which it is recognized."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from wpfsm.fsm.failures.model import Family, Who

At: TypeAlias = Literal["any", "reason", "log", "api", "call", "status", "fact", "exception"]


@dataclass(frozen=True)
class LogPattern:
    """What a failure looks like in one place.

    Attributes:
        regex: searched without regard to case, line by line anchors; named groups become the details.
        strength: 0 to 1, see the module's docstring.
        at: ``any`` is FailureReason, API message and log; ``api`` is ``Code: message`` of an exception of the calls that
            make and end a job; ``call`` of those and of the script's own calls; ``status`` is the secondary status;
            ``fact`` what the controller saw itself; ``exception`` the exception that ended the job, as
            ``Type: message``.
        unless_local: does not hold when the group ``module`` names a module of the user's own source.
        prose: words that a script uses as well ("expert capacity"): they do not hold in an exception that the user's
            own code raised.
        fix: stands in place of the row's.
        stuck: why the automatic fix of the class cannot help here; the failure is handed off.
    """

    regex: str
    strength: float
    at: At = "any"
    unless_local: bool = False
    prose: bool = False
    fix: str = ""
    stuck: str = ""

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The compiled pattern; compiled on first use, since most commands never diagnose."""
        return re.compile(self.regex, re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class FailureClass:
    """One row of the table.

    Attributes:
        fix: a sentence; ``{name}`` in it is filled from the details, ``{place}`` is the file and line.
        otherwise: the sentence for when the message did not name what ``fix`` is about.
        no_job: says that no job exists, so nothing that a running script met is of this class.
        by_file: one such failure is like another in the same file, whatever numbers it prints and whichever
            statement met it first: memory that is full is found full now here and now there.
    """

    name: str
    family: Family
    means: str
    fix: str
    who: Who
    patterns: tuple[LogPattern, ...] = ()
    by_file: bool = False
    otherwise: str = ""
    no_job: bool = False
