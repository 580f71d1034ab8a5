"""What is known about a failed job, and how it is read: cleaned, split into sources, its exceptions parsed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from wpfsm.fsm.failures.traceback import Raised, bare, clean, parse, root
from wpfsm.fsm.failures.unpack import unpacked

Source: TypeAlias = Literal["reason", "log", "api", "call", "status", "fact", "exception"]

MOST_LINES = 5_000
"""Lines of the log's end that are read; a failure explains itself at the end."""

MOST_CHARS = 200_000
"""Characters of the log's end, without its repeated lines, that are searched: about a second for the whole table."""

REPEATS = 10
"""How often a line that differs only in its numbers is searched, at either end of the log."""

SUCCESS_LINES = 20
"""Lines of the log's end in which the launcher's report of success counts."""

LAST_REPORTS = 40
"""Lines of the log's end in which a number that is not finite is what became of the training."""

JOB_CALLS = frozenset({"CreateTrainingJob", "UpdateTrainingJob", "StopTrainingJob", "DescribeTrainingJob"})

_DIGITS = re.compile(r"\d+")
_SUCCESS = re.compile(
    r"Reporting training SUCCESS|^[-\d]+ [\d:]+ Completed - Training job completed", re.IGNORECASE
)
_NOT_FINITE = re.compile(
    r"\b[\w./-]*(?:loss|metric|perplexity|accuracy|score|norm)['\"]?\s*[:=]\s*['\"]?[-+]?(?:nan|inf)\b",
    re.IGNORECASE,
)
_API_ERROR = re.compile(
    r"An error occurred \((?P<code>[\w.]+)\) when calling the (?P<operation>\w+) operation"
    r"(?: \(reached max retries: \d+\))?: ?(?P<message>[^\n]*)"
)
_QUOTA_NUMBERS = re.compile(
    r"is (?P<limit>\d+) Instances?, with current utilization of (?P<used>\d+) Instances? and a request delta of "
    r"(?P<delta>\d+)"
)


@dataclass(frozen=True)
class Evidence:
    """All that a diagnosis may use.

    Attributes:
        failure_reason: FailureReason of the job (at most 1024 characters, so cut), or ``str()`` of a ClientError.
        log: the end of the job's log, oldest line first.
        status: TrainingJobStatus.
        secondary_status: SecondaryStatus; a time limit shows only here.
        api_error_code: code of the exception that a call raised, when the job was never made.
        api_error_message: its message.
        metric_missing: the job is Completed and its metric was never printed.
        metric_trouble: why the metric's expression does not read what the log reports; empty when it does.
        metric_hidden: what hides the metric from its expression; empty when nothing is known to.
        silent_seconds: how long the job had printed nothing when the watchdog stopped it; None when it did not.
        source_files: relative path to text of the loop's copy of the source.
        local: the job was a process of this machine, without a container.
        source_folder: the name of the folder that the source is a copy of; empty when it is not known.
        own_idle_instances: instances of the refused type that idle warm pools of this loop hold.
    """

    failure_reason: str = ""
    log: Sequence[str] = ()
    status: str = ""
    secondary_status: str = ""
    api_error_code: str = ""
    api_error_message: str = ""
    metric_missing: bool = False
    metric_trouble: str = ""
    metric_hidden: str = ""
    silent_seconds: float | None = None
    source_files: Mapping[str, str] = field(default_factory=dict)
    own_idle_instances: int = 0
    local: bool = False
    source_folder: str = ""


@dataclass(frozen=True)
class ApiError:
    """An exception of the service's API."""

    code: str
    message: str
    operation: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether it answers a call that makes, ends or describes a job, and not one of the script's."""
        return not self.operation or self.operation in JOB_CALLS

    @property
    def text(self) -> str:
        """``Code: message``, the form that the table's ``api`` patterns read."""
        return f"{self.code}: {self.message}"


@dataclass(frozen=True)
class Text:
    """One source of evidence as lines, with the exceptions found in it."""

    source: Source
    lines: tuple[str, ...]

    @cached_property
    def joined(self) -> str:
        """The lines as one string."""
        return "\n".join(self.lines)

    @cached_property
    def searchable(self) -> str:
        """:attr:`joined` without prefixes, the bulk of a repeated line (a progress report) left empty.

        Line numbers hold.
        """
        shapes = [_DIGITS.sub("0", line) for line in self.lines]
        total, seen = Counter(shapes), Counter[str]()
        kept: list[str] = []
        for line, shape in zip(self.lines, shapes, strict=True):
            seen[shape] += 1
            is_bulk = REPEATS < seen[shape] <= total[shape] - REPEATS
            kept.append("" if is_bulk else bare(line))
        left = MOST_CHARS
        for index in reversed(range(len(kept))):
            left -= len(kept[index])
            if left < 0:
                kept[: index + 1] = [""] * (index + 1)
                break
        return "\n".join(kept)

    @cached_property
    def raised(self) -> tuple[Raised, ...]:
        """The exceptions that it prints, without those that Python ignored at shutdown."""
        return tuple(one for one in parse(self.lines) if not self._ignored(one))

    @cached_property
    def root(self) -> Raised | None:
        """The exception that ended the job, as far as this source tells."""
        return root(self.raised)

    def line_at(self, offset: int) -> int:
        """The index of the line at a character offset of :attr:`searchable`."""
        return self.searchable.count("\n", 0, offset)

    def _ignored(self, raised: Raised) -> bool:
        before = self.lines[max(0, raised.start - 1) : raised.start]
        return any("Exception ignored in" in line for line in before)


@dataclass(frozen=True)
class ReadEvidence:
    """The evidence, ready to be searched."""

    evidence: Evidence

    @cached_property
    def reason(self) -> Text:
        """FailureReason; some launchers write a traceback into it with escaped newlines and quotes."""
        text = self.evidence.failure_reason
        if "\n" not in text.strip() and "\\n" in text:
            text = text.replace("\\n", "\n")
        return Text("reason", tuple(clean(line) for line in text.replace('\\"', '"').splitlines()))

    @cached_property
    def log(self) -> Text:
        """The end of the log."""
        return Text(
            "log", tuple(clean(line) for line in unpacked(self.evidence.log[-MOST_LINES:])[-MOST_LINES:])
        )

    @cached_property
    def root(self) -> Raised | None:
        """The exception that ended the job; the log is asked first, since FailureReason is cut."""
        return self.log.root or self.reason.root

    @cached_property
    def says_failed(self) -> bool:
        """Whether anything but a log's lines says that the job failed: the service, an exception, or we ourselves."""
        known = self.evidence.status in ("Failed", "Stopped") or bool(self.reason.joined.strip())
        return known or bool(self.api_errors or self.facts.lines or self.log.root)

    @cached_property
    def ended_well(self) -> bool:
        """Whether the log closes with the launcher's report of success, and nothing else contradicts it."""
        if self.evidence.status not in ("", "Completed") or self.reason.joined.strip() or self.facts.lines:
            return False
        return any(_SUCCESS.search(line) for line in self.log.lines[-SUCCESS_LINES:])

    @cached_property
    def api_errors(self) -> tuple[Text, ...]:
        """Exceptions of the calls that make and end a job: what the controller got, and what the texts quote."""
        ours = (error for error in self._api_errors() if error.is_ours)
        return tuple(dict.fromkeys(Text("api", (error.text,)) for error in ours))

    @cached_property
    def own_calls(self) -> tuple[Text, ...]:
        """Exceptions of the calls that the script made itself."""
        own = (error for error in self._api_errors() if not error.is_ours)
        return tuple(dict.fromkeys(Text("call", (error.text,)) for error in own))

    @cached_property
    def script_ran(self) -> bool:
        """Whether the user's own code is in the traceback of what ended the job."""
        return self.root is not None and self.root.in_user_code

    @cached_property
    def facts(self) -> Text:
        """What the controller saw itself, as lines that the table's ``fact`` patterns read."""
        return Text("fact", tuple(self._facts()))

    def _api_errors(self) -> Iterator[ApiError]:
        if self.evidence.api_error_code:
            yield ApiError(self.evidence.api_error_code, self.evidence.api_error_message)
        for text in (self.reason, self.log):
            for match in _API_ERROR.finditer(text.joined):
                yield ApiError(match["code"], match["message"], match["operation"])

    def _facts(self) -> Iterator[str]:
        if self.evidence.metric_trouble:
            yield f"metric: {self.evidence.metric_trouble}"
        if self.evidence.metric_missing:
            hidden = self.evidence.metric_hidden
            yield f"completed without its metric{f': {hidden}' if hidden else ''}"
            if any(_NOT_FINITE.search(line) for line in self.log.lines[-LAST_REPORTS:]):
                yield "its last numbers are not finite"
        if self.evidence.silent_seconds is not None:
            yield f"silent for {self.evidence.silent_seconds:.0f} seconds"
        if self._own_pool_holds_quota():
            yield "own_pool_holds_quota"

    def _own_pool_holds_quota(self) -> bool:
        """Whether releasing our own idle pool would make room, by the numbers that the service printed."""
        own = self.evidence.own_idle_instances
        if own <= 0:
            return False
        numbers = _QUOTA_NUMBERS.search("\n".join(text.joined for text in (*self.api_errors, self.reason)))
        if numbers is None:
            return any(text.joined.startswith("ResourceLimitExceeded") for text in self.api_errors)
        return int(numbers["used"]) - own + int(numbers["delta"]) <= int(numbers["limit"])
