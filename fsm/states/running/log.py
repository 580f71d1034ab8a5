"""Follows the job's log: its lines, its live metric, its silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wpfsm.fsm.context import Context
from wpfsm.fsm.ports import (
    LogLine,
)
from wpfsm.fsm.records import JSON, Job
from wpfsm.fsm.strategies.metrics import extract, last_finite

_LAST_WORDS = ("Reporting training SUCCESS", "Training Container Execution Completed")
"""What the SDK's driver prints when the script has ended."""


WAITING = frozenset({"", "Starting", "Pending", "LaunchingMLInstances", "PreparingTrainingStack"})
"""Secondary statuses before the script's container has begun."""
NO_LOG_YET = WAITING | {"Downloading"}


@dataclass
class Watch:
    """State of following a job that is not persisted; a resume rebuilds it by reading the log from the start."""

    cursor: str = ""
    caught_up: bool = False
    """Whether the log has been read to its present end."""
    last_output: float = 0.0
    """When the newest line was printed, or the script was last seen not to run; 0 before either."""
    ending: bool = False
    values: list[float] = field(default_factory=list)
    peers: list[list[float]] | None = None
    """What the completed trials reported; read when it is first needed."""
    log_at: float = 0.0

    @property
    def diverged(self) -> bool:
        """Whether the metric that was reported last is not finite."""
        return bool(self.values) and last_finite(self.values) is None


def follow_log(ctx: Context, job: Job, watch: Watch) -> None:
    """Read what is new in the log: into the archive, to whoever watches, and for the live metric."""
    now = ctx.clock.now()
    if job.secondary_status in NO_LOG_YET or now - watch.log_at < ctx.pace.log:
        return
    watch.log_at = now
    while not read_log(ctx, job, watch) and not watch.caught_up:
        # What was printed before this process came is read at once: silence is judged at the log's end only.
        ctx.check_stop()


def read_log(ctx: Context, job: Job, watch: Watch) -> bool:
    """One page of the log; True when there was nothing newer."""
    page = ctx.gateway.read_log(job.name, watch.cursor)
    watch.cursor = page.cursor
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
        watch.ending = watch.ending or any(words in line.text for words in _LAST_WORDS)
    if metric := ctx.file.metric:
        fresh = extract(metric.regex, [line.text for line in lines])
        watch.values += fresh
        if fresh:
            ctx.progress.metric(metric.name, fresh[-1])


def with_log_metric(ctx: Context, job: Job, watch: Watch) -> dict[str, JSON]:
    """FinalMetricDataList, or the log's last value where the service gave none.

    Where the log ends with one that is not finite, that one: the service's list keeps the last that its
    expression could read.
    """
    metrics: dict[str, JSON] = dict(job.metrics)
    metric = ctx.file.metric
    if metric and (metrics.get(metric.name) is None or watch.diverged):
        metrics[metric.name] = last_finite(watch.values)
    return metrics
