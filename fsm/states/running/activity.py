"""Running: follows the newest job to its end.

One read of the service and one of the log a turn. What changed goes into the history; what only moved
(the log's cursor, the live metric) is kept without an event. The job before is settled once this one has
its instances: then the service says whether it took over that pool.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from wpfsm.fsm.context import Context, expected_seconds, release
from wpfsm.fsm.errors import Rejected
from wpfsm.fsm.intents import intend
from wpfsm.fsm.polling import next_read
from wpfsm.fsm.ports import JobReading, LogLine
from wpfsm.fsm.records import JSON, Change, Job, Outcome
from wpfsm.fsm.states.running.warm_start import settle_previous
from wpfsm.fsm.steps.observe_job import is_terminal, observe
from wpfsm.fsm.strategies import early_stopping
from wpfsm.fsm.strategies.metrics import extract, last_finite

PEER_LINES = 100_000
"""Lines of a completed trial's log that are searched for what it reported."""
_WAITING = frozenset({"", "Starting", "Pending", "LaunchingMLInstances", "PreparingTrainingStack"})
LATE_READS = 3
"""Reads in a row that must find nothing new before a log that matters is taken for complete."""
_NO_LOG_YET = _WAITING | {"Downloading"}
_SCRIPT_IS_NOT_RUNNING = _NO_LOG_YET | {"Uploading"}
_LAST_WORDS = ("Reporting training SUCCESS", "Training Container Execution Completed")
"""What the SDK's driver prints when the script has ended."""


@dataclass
class _Watch:
    """What one pass over a job remembers; a resume starts a new one from the log's beginning."""

    cursor: str = ""
    last_output: float = 0.0
    ending: bool = False
    values: list[float] = field(default_factory=list)
    peers: list[list[float]] | None = None
    """What the completed trials reported; read when it is first needed."""
    log_at: float = 0.0

    @property
    def diverged(self) -> bool:
        """Whether the metric that was reported last is not finite."""
        return bool(self.values) and last_finite(self.values) is None


def run(ctx: Context) -> Change:
    """Follow the job until the service will not change it any more."""
    job = ctx.store.last_job()
    assert job is not None, "Running is entered with a job"
    history = [j for j in ctx.jobs() if j.number < job.number]
    expected = expected_seconds(history)
    ctx.archive.restart(job.name)
    watch = _Watch(last_output=ctx.clock.now())
    missing_since: float | None = None
    while True:
        ctx.check_stop()
        reading = ctx.describe(job.name)
        if reading is None:
            # A job that was accepted does not vanish: this is lag, or other credentials.
            missing_since = missing_since or ctx.clock.now()
            if ctx.clock.now() - missing_since > ctx.pace.outage:
                return release(Outcome.FAILED, f"{job.name} was accepted, and the service does not know it")
            ctx.wait(ctx.pace.least, f"{job.name} to appear")
            continue
        missing_since = None
        job = _observed(ctx, job, reading)
        if job.secondary_status not in _WAITING or is_terminal(job):
            job = settle_previous(ctx, job)
        if is_terminal(job):
            return _ended(ctx, job, watch)
        _follow_log(ctx, job, watch)
        job = _watch_over(ctx, job, watch)
        elapsed = ctx.clock.now() - job.created_at if job.created_at else 0.0
        ending = watch.ending or job.secondary_status == "Uploading"
        pause = next_read(ctx.pace, elapsed=elapsed, expected=expected, ending=ending)
        ctx.wait(pause, f"{job.name} to end")


def _observed(ctx: Context, job: Job, reading: JobReading) -> Job:
    merged = observe(job, reading, ctx.clock.now())
    changed = (merged.status, merged.secondary_status) != (job.status, job.secondary_status)
    if changed and not is_terminal(merged):
        why = f"{job.name} is {merged.status} ({merged.secondary_status})"
        ctx.record("observed", why, jobs=(merged,), data={"job": job.name, "status": merged.status,
                                                          "secondary": merged.secondary_status})  # fmt: skip
    ctx.progress.job(merged, reading)
    return merged


def _follow_log(ctx: Context, job: Job, watch: _Watch) -> None:
    """Read what is new in the log: into the archive, to whoever watches, and for the live metric."""
    now = ctx.clock.now()
    if job.secondary_status in _NO_LOG_YET or now - watch.log_at < ctx.pace.log:
        return
    watch.log_at = now
    _read_log(ctx, job, watch)


def _read_log(ctx: Context, job: Job, watch: _Watch) -> bool:
    """One page of the log; True when there was nothing newer."""
    page = ctx.read_log(job, watch.cursor)
    watch.cursor = page.cursor
    if page.lines:
        watch.last_output = ctx.clock.now()
        ctx.archive.append(job.name, page.lines)
        _take_in(ctx, watch, page.lines)
    return page.end


def _take_in(ctx: Context, watch: _Watch, lines: Sequence[LogLine]) -> None:
    for line in lines:
        ctx.progress.log(line)
        watch.ending = watch.ending or any(words in line.text for words in _LAST_WORDS)
    if metric := ctx.file.metric:
        fresh = extract(metric.regex, [line.text for line in lines])
        watch.values += fresh
        if fresh:
            ctx.progress.metric(metric.name, fresh[-1])


def _watch_over(ctx: Context, job: Job, watch: _Watch) -> Job:
    """Stop a job that is silent, hopeless, or beyond the loop's wall-clock limit."""
    if job.secondary_status in _SCRIPT_IS_NOT_RUNNING:
        # Silence is the script's: its time begins when it does.
        watch.last_output = ctx.clock.now()
    if job.status == "Stopping" or job.secondary_status in _WAITING:
        return job
    if job.stopped_for:
        return _stop_again(ctx, job)
    silence = ctx.file.job.silence
    silent = ctx.clock.now() - watch.last_output
    if silence and silent > silence:
        return stop_job(ctx, job, "silence", f"no output for {silent:.0f} s")
    max_wall = ctx.file.limits.max_wall
    if max_wall and ctx.clock.now() - ctx.loop.created_at > max_wall:
        return stop_job(ctx, job, "limit", f"limits.max_wall of {max_wall:.0f} s was reached")
    if reason := _hopeless(ctx, watch):
        return stop_job(ctx, job, "early_stop", reason)
    return job


def _hopeless(ctx: Context, watch: _Watch) -> str | None:
    rule, goal = ctx.file.early_stop, ctx.goal
    if not (rule and goal and watch.values):
        return None
    if watch.peers is None:
        watch.peers = list(_peers(ctx))
    return early_stopping.hopeless(
        watch.values, watch.peers, goal, rule.warmup_reports, min_trials=rule.min_trials
    )


def _peers(ctx: Context) -> Iterator[list[float]]:
    """The live metric of each completed trial; a smoke trial is too short to be compared with."""
    metric = ctx.file.metric
    assert metric is not None, "early_stop needs a metric"
    job_of = {job.trial: job for job in ctx.jobs()}
    for trial in ctx.store.trials():
        if trial.state == "completed" and not trial.smoke:
            yield extract(metric.regex, ctx.archive.tail(job_of[trial.number].name, PEER_LINES))


def _stop_again(ctx: Context, job: Job) -> Job:
    """A crash may have come between the intent to stop and the call."""
    unanswered = any(i.kind == "stop" and i.job_name == job.name for i in ctx.store.intents())
    return stop_job(ctx, job, job.stopped_for, "the stop before was not answered") if unanswered else job


def stop_job(ctx: Context, job: Job, reason: str, why: str) -> Job:
    """StopTrainingJob behind an intent. The pool stays: stopping is not releasing."""
    intent = intend(ctx, "stop", job, reason)
    stopped = replace(job, stopped_for=job.stopped_for or reason)
    ctx.record("stop_intended", f"stop {job.name}: {why}", jobs=(stopped,), intents=(intent,))
    answer = "accepted"
    try:
        ctx.steady("service.stop", lambda: ctx.ports.service.stop(job.name))
    except Rejected as error:
        # Already terminal, as the next read will show.
        answer = f"{error.code}: {error.message}"
    ctx.record(
        "stop_answered",
        f"stop {job.name}: {answer}",
        intents=(replace(intent, status="done", answer=answer),),
    )
    return stopped


def _ended(ctx: Context, job: Job, watch: _Watch) -> Change:
    """Terminal: read the log to its end, then leave.

    Late lines arrive after the status. They are waited for only where something hangs on them: a failure to
    diagnose, a metric that the service did not give, or one that diverged.
    """
    metric = ctx.file.metric
    failed = job.status != "Completed" or (metric is not None and job.metrics.get(metric.name) is None)
    began = ctx.clock.now()
    quiet = 0
    while ctx.clock.now() - began < ctx.pace.grace:
        quiet = quiet + 1 if _read_log(ctx, job, watch) else 0
        wanted = failed or watch.diverged
        if quiet >= (LATE_READS if wanted else 1):
            break
        if wanted:
            ctx.clock.pause(ctx.pace.least)
    return Change(
        kind="ended",
        why=f"{job.name} {job.status}" + (f": {job.failure_reason[:200]}" if job.failure_reason else ""),
        data={"job": job.name, "status": job.status, "secondary": job.secondary_status},
        jobs=(replace(job, log_cursor=watch.cursor, metrics=_with_log_metric(ctx, job, watch)),),
    )


def _with_log_metric(ctx: Context, job: Job, watch: _Watch) -> dict[str, JSON]:
    """FinalMetricDataList, or the log's last value where the service gave none.

    Where the log ends with one that is not finite, that one: the service's list keeps the last that its
    expression could read.
    """
    metrics: dict[str, JSON] = dict(job.metrics)
    metric = ctx.file.metric
    if metric and (metrics.get(metric.name) is None or watch.diverged):
        metrics[metric.name] = last_finite(watch.values)
    return metrics
