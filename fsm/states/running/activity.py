"""Running: follows the newest job to its end.

One read of the service and one of the log a turn. What changed goes into the history; what only moved
(the log's cursor, the live metric) is kept without an event. The job before is settled once this one has
its instances: then the service says whether it took over that pool.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from wpfsm.fsm.context import Context, StopRequested, release
from wpfsm.fsm.gateway import next_read
from wpfsm.fsm.ports import (
    JobReading,
)
from wpfsm.fsm.records import Change, Job, Outcome
from wpfsm.fsm.states.running.log import (
    NO_LOG_YET,
    WAITING,
    Watch,
    follow_log,
    installed_for,
    read_log,
    silent_for,
)
from wpfsm.fsm.states.running.reports import SAVE_SECONDS, MetricReports, curves_of, with_log_metrics
from wpfsm.fsm.states.running.warm_start import decide_start
from wpfsm.fsm.steps.lanes import release_strays
from wpfsm.fsm.steps.observe_job import observe
from wpfsm.fsm.steps.service_writes import stop_job
from wpfsm.fsm.strategies import early_stopping
from wpfsm.fsm.strategies.metrics import extract
from wpfsm.fsm.units import duration

PEER_LINES = 100_000
"""Lines of a completed trial's log that are searched for what it reported."""
LATE_READS = 3
"""Reads in a row that must find nothing new before a log that matters is taken for complete."""
_SCRIPT_IS_NOT_RUNNING = NO_LOG_YET | {"Uploading"}


def run(ctx: Context) -> Change:
    """Follow the job until the service will not change it any more."""
    job = ctx.store.last_job()
    assert job is not None, "Running is entered with a job"
    history = [j for j in ctx.group_jobs() if j.number < job.number]
    expected = expected_seconds(history)
    ctx.archive.restart(job.name)
    watch = Watch(began=ctx.clock.now())
    missing = f"{job.name} to appear"
    while True:
        ctx.check_stop()
        reading = ctx.gateway.describe(job.name)
        if reading is None:
            # A job that was accepted does not vanish: this is lag, or other credentials.
            if ctx.clock.now() - ctx.since(missing) > ctx.pace.outage:
                return release(Outcome.FAILED, f"{job.name} was accepted, and the service does not know it")
            ctx.wait(ctx.pace.least, missing)
            continue
        ctx.waited_enough(missing)
        job = _observed(ctx, job, reading)
        if job.secondary_status not in WAITING or job.is_terminal:
            job = decide_start(ctx, job)
        release_strays(ctx)
        if job.is_terminal:
            return _ended(ctx, job, watch)
        follow_log(ctx, job, watch)
        _keep_curves(ctx, job, watch)
        job = _watch_over(ctx, job, watch)
        elapsed = _elapsed(ctx, job, watch)
        ending = watch.ending or job.secondary_status == "Uploading"
        pause = next_read(ctx.pace, elapsed=elapsed, expected=expected, ending=ending)
        ctx.wait(pause, f"{job.name} to end")


def _elapsed(ctx: Context, job: Job, watch: Watch) -> float:
    """Seconds since the service accepted the job, and at least those for which it has been followed here.

    The moment is the service's. Where this machine's clock is behind, the job would seem to be new for as long, and
    be read as densely as a new one.
    """
    now = ctx.clock.now()
    return max(now - watch.began, now - job.created_at if job.created_at else 0.0)


def _observed(ctx: Context, job: Job, reading: JobReading) -> Job:
    merged = observe(job, reading, ctx.clock.now())
    changed = (merged.status, merged.secondary_status) != (job.status, job.secondary_status)
    if changed and not merged.is_terminal:
        why = f"{job.name} is {merged.status} ({merged.secondary_status})"
        ctx.record(
            "observed",
            why,
            jobs=(merged,),
            data={"job": job.name, "status": merged.status, "secondary": merged.secondary_status},
        )
    ctx.progress.job(merged, reading)
    return merged


def _watch_over(ctx: Context, job: Job, watch: Watch) -> Job:
    """Stop a job that is silent, hopeless, or beyond the loop's wall-clock limit."""
    if job.secondary_status in _SCRIPT_IS_NOT_RUNNING:
        # Silence is the script's: its time begins when it does.
        watch.last_output = ctx.clock.now()
    if job.status == "Stopping" or job.secondary_status in WAITING:
        return job
    if job.stopped_for:
        return _stop_again(ctx, job)
    silence = ctx.file.job.silence
    silent = silent_for(ctx, job, watch) if silence else 0.0
    if silence and silent > silence:
        return stop_job(ctx, job, "silence", f"no output for {duration(silent)}")
    max_wall = ctx.file.limits.max_wall
    if max_wall and ctx.clock.now() - ctx.loop.created_at > max_wall:
        return stop_job(ctx, job, "limit", f"limits.max_wall of {duration(max_wall)} was reached")
    if reason := _pruning_reason(ctx, watch):
        return stop_job(ctx, job, "early_stop", reason)
    return job


def _keep_curves(ctx: Context, job: Job, watch: Watch) -> None:
    """Keep what was reported so far, for whoever looks at the running job; its end keeps all of it."""
    now = ctx.clock.now()
    if watch.saved is None and watch.reports:
        # By the log, not by when this process or turn came to read it.
        watch.saved = (min(m.curve.points[0][1] for m in watch.metrics.values() if m.curve.reports), 0)
    if watch.saved and watch.reports > watch.saved[1] and now - watch.saved[0] >= SAVE_SECONDS:
        watch.saved = (now, watch.reports)
        ctx.record("observed", "", quiet=True, curves=curves_of(job, watch.metrics))


def _goal_of(ctx: Context, watch: Watch) -> MetricReports | None:
    """What the log reported of the metric that decides."""
    return watch.metrics.get(ctx.file.metric.name) if ctx.file.metric else None


def _pruning_reason(ctx: Context, watch: Watch) -> str | None:
    rule, goal, reported = ctx.file.early_stop, ctx.goal, _goal_of(ctx, watch)
    if not (rule and goal and reported and reported.values):
        return None
    if watch.peers is None or (ctx.loop.lane and len(watch.peers) != _completed(ctx)):
        watch.peers = list(_peers(ctx))  # siblings complete trials meanwhile
    return early_stopping.should_prune(
        reported.values, watch.peers, goal, rule.warmup_reports, min_trials=rule.min_trials
    )


def _completed(ctx: Context) -> int:
    return sum(t.state == "completed" and not t.smoke for t in ctx.store.trials())


def _peers(ctx: Context) -> Iterator[list[float]]:
    """The live metric of each completed trial; a smoke trial is too short to be compared with."""
    metric = ctx.file.metric
    assert metric is not None, "early_stop needs a metric"
    job_of = {job.trial: job for job in ctx.group_jobs()}
    for trial in ctx.store.trials():
        if trial.state == "completed" and not trial.smoke:
            ctx.check_stop()
            yield extract(metric.regex, ctx.archive.tail(job_of[trial.number].name, PEER_LINES))


def _stop_again(ctx: Context, job: Job) -> Job:
    """A crash may have come between the intent to stop and the call."""
    unanswered = any(intent.status == "open" for intent in ctx.store.intents_of(job.name, "stop"))
    return stop_job(ctx, job, job.stopped_for, "the stop before was not answered") if unanswered else job


def _ended(ctx: Context, job: Job, watch: Watch) -> Change:
    """Terminal: read the log to its end, then leave.

    Late lines arrive after the status. They are waited for only where something hangs on them: a failure to
    diagnose, a metric that the service did not give, or one that diverged.
    """
    metric = ctx.file.metric
    failed = job.status != "Completed" or (metric is not None and job.metrics.get(metric.name) is None)
    began, quiet = ctx.clock.now(), 0
    patience = ctx.pace.grace
    while ctx.clock.now() - began < patience and not _stop_asked(ctx):
        quiet = quiet + 1 if read_log(ctx, job, watch) else 0
        patience = ctx.pace.outage if watch.unread else ctx.pace.grace
        reported = _goal_of(ctx, watch)
        wanted = failed or (reported is not None and reported.diverged)
        if not wanted and (quiet or watch.unread):
            break
        if quiet >= LATE_READS and not _is_late(job, watch):
            break
        if wanted:
            what = f"whether the log of {job.name} {'can be read again' if watch.unread else 'is complete'}"
            waited_since = ctx.since(f"the last lines of {job.name}")
            if ctx.clock.now() - waited_since >= patience:
                break
            ctx.progress.waiting(what, waited_since + patience)
            ctx.clock.pause(ctx.pace.least)
    ctx.archive.save(job.name)
    return Change(
        kind="ended",
        why=f"{job.name} {job.status}" + (f": {job.failure_reason[:200]}" if job.failure_reason else ""),
        data={"job": job.name, "status": job.status, "secondary": job.secondary_status},
        jobs=(
            replace(
                job,
                log_cursor=watch.cursor,
                metrics=with_log_metrics(ctx, job, watch.metrics),
                install_seconds=installed_for(watch),
            ),
        ),
        curves=curves_of(job, watch.metrics),
    )


def _is_late(job: Job, watch: Watch) -> bool:
    """A job that trained and has shown no line: its log is late, as likely as it is empty."""
    trained = job.started_at is not None or job.startup_seconds is not None
    return trained and not watch.lines and not watch.denied


def _stop_asked(ctx: Context) -> bool:
    """Whether to leave a log that may have a million lines; what became of the job is committed all the same."""
    try:
        ctx.check_stop()
    except StopRequested:
        return True
    return False


def expected_seconds(jobs: Sequence[Job]) -> float | None:
    """Median seconds from acceptance to the end: of warm jobs, else the training of the cold ones."""
    whole = [j.ended_at - j.created_at for j in jobs if j.start == "warm" and j.ended_at and j.created_at]
    training = [j.ended_at - j.started_at for j in jobs if j.is_terminal and j.ended_at and j.started_at]
    known = sorted(whole or training)
    return known[len(known) // 2] if known else None
