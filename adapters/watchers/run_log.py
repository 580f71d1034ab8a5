"""The log of one loop: JSON lines in a file beside the database, and for people on stderr when asked.

One canonical line a step: from which state to which, why, how long it took, what was called how often, what
was committed. Around it only what a step cannot say: when a controller began and ended, a job's change of
status, trouble. Loop and job are bound to every line, and secrets are taken out before anything is written.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from wpfsm.adapters.terminal.output import Options
from wpfsm.fsm.failures.redact import MASK, is_secret_name, redact
from wpfsm.fsm.ports import JobReading, LogLine
from wpfsm.fsm.records import Job, Loop, State
from wpfsm.state.paths import siblings
from wpfsm.state.private import private_folder

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

LEVELS: Mapping[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_SLOW_CALL_SECONDS = 10.0
_FIRST = ("at", "level", "event", "loop", "job")


def path_of(database: Path, loop_id: str) -> Path:
    """Where the log of a loop is."""
    return siblings(database, "logs") / f"{loop_id}.jsonl"


def log_for(given: Options, loop: Loop) -> LoopLog:
    """The log of a loop, for the controller that is about to drive it.

    ``--debug`` shows it on stderr in full; ``WPFSM_LOG=info`` (or debug, warning, error) from that level on.
    """
    asked = "debug" if given.debug else os.environ.get("WPFSM_LOG", "").lower()
    return LoopLog(
        path_of(given.database, loop.id),
        loop.id,
        level="debug" if asked == "debug" else "info",
        human=sys.stderr if asked in LEVELS else None,
        human_level=LEVELS.get(asked, 20),
    )


@dataclass
class _Step:
    """What has happened since the last transition."""

    began: float
    calls: Counter[str] = field(default_factory=Counter)
    call_seconds: float = 0.0
    commits: Counter[str] = field(default_factory=Counter)
    waited_for: str = ""


class LoopLog:
    """Implements :class:`wpfsm.fsm.ports.Progress` and the hook of :mod:`wpfsm.fsm.failpoints`. Never fails.

    Args:
        path: The file; lines are appended.
        loop_id: Bound to every line.
        level: The least level that is written; ``debug`` adds a line for each boundary.
        human: Where people read along; None for nowhere.
        human_level: The least level that they see.
        monotonic: Seconds, for durations.
    """

    def __init__(
        self,
        path: Path,
        loop_id: str,
        *,
        level: str = "info",
        human: TextIO | None = None,
        human_level: int = LEVELS["info"],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        import structlog

        self._sinks = _Sinks(path, human, human_level)
        logger = structlog.wrap_logger(
            self._sinks,
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                structlog.processors.format_exc_info,
                _without_secrets,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
            context_class=dict,
            cache_logger_on_first_use=False,
        )
        self._log = cast("FilteringBoundLogger", logger.bind(loop=loop_id))
        self._monotonic = monotonic
        self._step = _Step(monotonic())
        self._call_began = 0.0
        self._state = ""
        self._job_status = ""

    def began(self, loop: Loop, **fields: object) -> None:
        """A controller takes the loop up."""
        self._state = str(loop.state)
        self._say("info", "controller_began", state=self._state, pid=os.getpid(), **fields)

    def ended(self, **fields: object) -> None:
        """The controller lets go; what it did since the last transition is not lost."""
        self._say("info", "controller_ended", state=self._state, **self._so_far(), **fields)

    def note(self, level: str, event: str, **fields: object) -> None:
        """A line of anybody's."""
        self._say(level, event, **fields)

    # --- boundaries -------------------------------------------------------------------------------

    def boundary(self, name: str) -> None:
        """The hook: counts calls and commits, and times the calls."""
        side, _, point = name.partition(" ")
        kind, _, what = point.partition(" ")
        if side == "before":
            self._call_began = self._monotonic()
            return
        took = self._monotonic() - self._call_began
        if kind == "call":
            self._step.calls[what] += 1
            self._step.call_seconds += took
            level = "warning" if took > _SLOW_CALL_SECONDS else "debug"
            self._say(level, "call", call=what, seconds=round(took, 3))
        else:
            self._step.commits[what] += 1
            self._say("debug", "commit", commit=what, seconds=round(took, 3))

    # --- progress ---------------------------------------------------------------------------------

    def state(self, loop: Loop, why: str) -> None:
        """The canonical line: one step of the loop is over."""
        before, self._state = self._state, str(loop.state)
        if loop.state is State.RUNNING:
            self._log = self._log.bind(job=loop.pool_owner)
        fields = self._so_far()
        self._step = _Step(self._monotonic())
        self._say(
            "info",
            "step",
            **{"from": before, "to": self._state},
            why=why,
            outcome=str(loop.outcome) if loop.outcome else None,
            epoch=loop.epoch,
            version=loop.version,
            **fields,
        )
        if loop.state is State.SUBMITTING:  # what comes now belongs to a job that has no name yet
            self._log = self._log.try_unbind("job")

    def job(self, job: Job, reading: JobReading | None) -> None:  # noqa: ARG002 - the port's signature
        """A job's change of status; from here on its name is on every line."""
        status = f"{job.name} {job.status} {job.secondary_status} {job.pool_status}"
        if status == self._job_status:
            return
        self._job_status = status
        self._log = self._log.bind(job=job.name)
        self._say(
            "info", "job", status=job.status, secondary=job.secondary_status, pool=job.pool_status or None
        )

    def log(self, line: LogLine) -> None:
        """Not kept here: the job's own log has it."""

    def metric(self, name: str, value: float) -> None:
        """A live value."""
        self._say("debug", "metric", metric=name, value=value)

    def waiting(self, what: str, until: float | None = None) -> None:  # noqa: ARG002 - the port's signature
        """The last wait of the step."""
        self._step.waited_for = what

    def trouble(self, error: Exception) -> None:
        """An error that was survived, with its traceback."""
        self._say("error", "trouble", error=type(error).__name__, exc_info=error)

    def close(self) -> None:
        """Close the file."""
        self._sinks.close()

    # --- inside -----------------------------------------------------------------------------------

    def _so_far(self) -> dict[str, object]:
        step = self._step
        return {
            "seconds": round(self._monotonic() - step.began, 3),
            "calls": dict(step.calls),
            "call_seconds": round(step.call_seconds, 3),
            "commits": dict(step.commits),
            "waited_for": step.waited_for or None,
        }

    def _say(self, level: str, event: str, **fields: object) -> None:
        with contextlib.suppress(Exception):  # a full disk ends the log, not the loop
            getattr(self._log, level)(event, **fields)


class _Sinks:
    """Where finished lines go. One write a line, so that threads and processes do not mix theirs."""

    def __init__(self, path: Path, human: TextIO | None, human_level: int) -> None:
        import structlog

        self._human = human
        self._human_level = human_level
        self._render = structlog.dev.ConsoleRenderer(colors=human is not None and human.isatty())
        self._to_json = structlog.processors.JSONRenderer(ensure_ascii=False)
        self._file: int | None = None
        with contextlib.suppress(OSError):
            private_folder(path.parent)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, **event: object) -> None:
        level = str(event.get("level", "info"))
        if self._file is not None:
            ordered = {**{key: event[key] for key in _FIRST if key in event}, **event}
            os.write(self._file, (str(self._to_json(None, level, ordered)) + "\n").encode())
        if self._human is not None and LEVELS[level] >= self._human_level:
            shown: dict[str, Any] = {k: v for k, v in event.items() if v not in (None, "", {}) and k != "at"}
            print(self._render(None, level, {**shown, "timestamp": event.get("at")}), file=self._human)

    debug = info = warning = error = write

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _without_secrets(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask by name and by shape, however deep."""
    return cast("dict[str, Any]", masked(dict(event)))


def masked(value: object) -> object:
    """A copy of ``value`` without secrets."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {
            str(key): MASK if isinstance(inner, str) and is_secret_name(str(key)) else masked(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(inner) for inner in value]
    return value
