"""Follows the job's log: its lines, its live metric, its silence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import ServiceDenied
from wpfsm.fsm.ports import (
    LogLine,
)
from wpfsm.fsm.records import Job
from wpfsm.fsm.states.running.reports import MetricReports, read_metrics

_LAST_WORDS = ("Reporting training SUCCESS", "Training Container Execution Completed")
"""What the SDK's driver prints when the script has ended."""


_READY = re.compile(r"wpfsm: packages ready in (?P<seconds>\d+\.?\d*) s\b")
_SCRIPT_BEGINS = re.compile(r"^Running \w[\w ]* [Dd]river\b|^Executing command: ")


WAITING = frozenset({"", "Starting", "Pending", "LaunchingMLInstances", "PreparingTrainingStack"})
"""Secondary statuses before the script's container has begun."""
NO_LOG_YET = WAITING | {"Downloading"}


@dataclass
class Watch:
    """State of following a job that is not persisted; a resume rebuilds it by reading the log from the start."""

    began: float = 0.0
    """Since when the job is followed here."""
    cursor: str = ""
    caught_up: bool = False
    """Whether the log has been read to its present end."""
    last_output: float = 0.0
    """When the newest line was printed, or the script was last seen not to run; 0 before either."""
    ending: bool = False
    metrics: dict[str, MetricReports] = field(default_factory=dict)
    """What the log reported, by the metric's name; made with the first lines."""
    saved: tuple[float, int] | None = None
    """When the curves were kept last, and how many reports they had then; None before the first report."""
    peers: list[list[float]] | None = None
    """What the completed trials reported; read when it is first needed."""
    log_at: float = 0.0
    installing_at: float | None = None
    """When the installation of packages began, by the log."""
    install_seconds: float | None = None
    """How long it took; None while it lasts, and where none was seen."""
    lines: int = 0
    """How many lines were read."""
    unread: bool = False
    """The last read failed: of what the log says nothing is known."""
    denied: bool = False
    """The credentials may not read the log."""

    @property
    def reports(self) -> int:
        """How many numbers were reported, of every metric."""
        return sum(metric.curve.reports for metric in self.metrics.values())


def follow_log(ctx: Context, job: Job, watch: Watch) -> None:
    """Read what is new in the log: into the archive, to whoever watches, and for the live metric."""
    now = ctx.clock.now()
    if job.secondary_status in NO_LOG_YET or now - watch.log_at < ctx.pace.log:
        return
    watch.log_at = now
    while not read_log(ctx, job, watch) and not watch.caught_up and not watch.unread:
        # What was printed before this process came is read at once: silence is judged at the log's end only.
        ctx.check_stop()


def read_log(ctx: Context, job: Job, watch: Watch) -> bool:
    """One page of the log; True when there was nothing newer.

    No error of the log ends anything, and a log that cannot be read is not a silent one.
    """
    watch.unread = False
    page = None
    if not watch.denied:
        try:
            page = ctx.gateway.read_log(job.name, watch.cursor)
        except ServiceDenied as error:
            watch.denied = True
            ctx.progress.trouble(error)
    if page is None:
        watch.unread = not watch.denied
        watch.last_output = ctx.clock.now()
        return watch.denied
    watch.cursor = page.cursor
    watch.lines += len(page.lines)
    if page.lines:
        now = ctx.clock.now()
        # Lines from before this process came are as old as the log says; those that come while it looks are new.
        printed = now if watch.caught_up else min(now, max(line.at for line in page.lines))
        watch.last_output = max(watch.last_output, printed)
        ctx.archive.append(job.name, page.lines)
        _take_in(ctx, watch, page.lines)
    watch.caught_up = watch.caught_up or page.end
    return page.end


def silent_for(ctx: Context, job: Job, watch: Watch) -> float:
    """Seconds since the script printed something, or began; 0 while the log is not read to its end.

    It tells the same after a crash and in another turn: the log and the service remember both.
    """
    if not watch.caught_up:
        return 0.0
    now = ctx.clock.now()
    began = [t["start"] for t in job.transitions if isinstance(t, Mapping) and t["status"] == "Training"]
    if not began and not watch.last_output:
        return now - ctx.since(f"output of {job.name}")
    started = [min(now, start) for start in began if isinstance(start, int | float)]
    return now - max([watch.last_output, *started])


def _take_in(ctx: Context, watch: Watch, lines: Sequence[LogLine]) -> None:
    for line in lines:
        ctx.progress.log(line)
        time_installation(watch, line)
        watch.ending = watch.ending or any(words in line.text for words in _LAST_WORDS)
    read_metrics(ctx, watch.metrics, lines)


def time_installation(watch: Watch, line: LogLine) -> None:
    """Note when the SDK's driver, or the launcher, installed packages."""
    if told := _READY.search(line.text):
        watch.install_seconds = float(told["seconds"])
    elif line.text.strip() == "Installing requirements":
        watch.installing_at = line.at
    elif (
        watch.installing_at is not None and watch.install_seconds is None and _SCRIPT_BEGINS.search(line.text)
    ):
        watch.install_seconds = max(0.0, line.at - watch.installing_at)


def installed_for(watch: Watch) -> float | None:
    """Seconds of installation in a log that was read to its end; None where it was not."""
    if watch.install_seconds is not None:
        return watch.install_seconds
    if not watch.caught_up or not watch.lines:
        return None
    # An installation that failed is all that the job did.
    return max(0.0, watch.last_output - watch.installing_at) if watch.installing_at is not None else 0.0
