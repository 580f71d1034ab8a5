"""What happens to a training job from its creation to its end, step by step.

Each method takes a job as it is and the moment at which something happened to it, and saves what it becomes.
All are called under the store's lock, in order of time; nothing here reads the clock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from wpfsm.adapters.emulator.engine.log_store import LogStore
from wpfsm.adapters.emulator.engine.pools import Pools
from wpfsm.adapters.emulator.engine.records import Fate, Job, JobEnd, Phase, Request, Secondary, Status
from wpfsm.adapters.emulator.engine.settings import Settings
from wpfsm.adapters.emulator.engine.store import Store
from wpfsm.adapters.emulator.engine.workers import Workers
from wpfsm.adapters.emulator.engine.workspace import Workspace
from wpfsm.adapters.emulator.runner.base import Ending, JobFailed, Launch, Runner

logger = logging.getLogger(__name__)

INTERNAL_ERROR = "InternalServerError: We encountered an internal error.  Please try again."
CAPACITY_ERROR = (
    "CapacityError: Unable to provision requested ML compute capacity."
    " Please retry using a different ML instance type."
)
DEFAULT_MAX_RUNTIME = 24 * 3600
LONGEST_REASON = 1024

STOPPED = JobEnd(Status.STOPPED, Secondary.STOPPED)
TIMED_OUT = JobEnd(Status.STOPPED, Secondary.MAX_RUNTIME_EXCEEDED)
COMPLETED = JobEnd(Status.COMPLETED, Secondary.COMPLETED)
LAST_WORDS = {
    Secondary.COMPLETED: "Training job completed",
    Secondary.FAILED: "Training job failed",
    Secondary.STOPPED: "Training job stopped",
    Secondary.MAX_RUNTIME_EXCEEDED: "Training job runtime exceeded MaxRuntimeInSeconds provided",
}

Arrival = Callable[[float], None]
"""The rest of a step whose blocking work is done; called with the moment."""


class Lifecycle:
    """Drives jobs through their phases.

    Args:
        arrive: Queues the rest of a step that waited for blocking work; safe from any thread.
    """

    def __init__(
        self,
        *,
        store: Store,
        settings: Settings,
        pools: Pools,
        logs: LogStore,
        runner: Runner,
        workers: Workers,
        arrive: Callable[[Arrival], None],
        workspace: Workspace,
    ) -> None:
        self._store = store
        self._settings = settings
        self._pools = pools
        self._logs = logs
        self._runner = runner
        self._workers = workers
        self._arrive = arrive
        self._workspace = workspace

    # From creation to the container

    def begin(self, job: Job, at: float) -> None:
        """Start a job that was just accepted, on its pool or on instances that have to be launched."""
        message = "Preparing the instances for training" if job.warm else "Launching requested ML instances"
        if job.fate.slow_start and not job.warm:
            message = "Insufficient capacity error from EC2 while launching instances, retrying!"
        delay = self._settings.warm_start if job.warm else self._settings.cold_start
        job = replace(job, phase=Phase.STARTING, due=at + delay + job.fate.slow_start)
        self._store.save_job(job.moved(Secondary.STARTING, message, at))

    def due(self, job: Job, at: float) -> None:
        """Do what a job's time has come for."""
        if job.status is Status.STOPPING and job.phase is Phase.STARTING:
            self.end(job, STOPPED, at)
        elif job.foreign:
            self.end(job, COMPLETED, at)
        elif job.phase is Phase.STARTING:
            self._launched(job, at)
        elif job.phase is Phase.PULLING:
            self._run(job, at)
        elif job.phase is Phase.RUNNING:
            self._overdue(job, at)

    def _launched(self, job: Job, at: float) -> None:
        if job.fate.failure and job.fate.fails_in is Phase.STARTING and not job.warm:
            self.end(job, _failed(job.fate.failure), at)
            return
        if not job.warm:
            job = self._pools.launch(job, at)
        job = job.said("Preparing the instances for training", at)
        # MaxRuntimeInSeconds covers all attempts together (RetryStrategy of the service model).
        started = at if job.started is None else job.started
        job = replace(job, phase=Phase.PREPARING, due=None, started=started)
        job = job.moved(Secondary.DOWNLOADING, "Downloading the training image", at)
        self._store.save_job(job)
        self._logs.watch(job)
        launch = self._workspace.launch(job)
        self._work(job, lambda: self._prepare(launch), self._prepared)

    def _prepare(self, launch: Launch) -> None:
        self._workspace.make(launch)
        self._runner.prepare(launch)

    def _prepared(self, job: Job, error: Exception | None, _: object, at: float) -> None:
        if job.status is Status.STOPPING:
            self._finish(job, STOPPED, at)
        elif error is not None:
            self._finish(job, _failed(_reason(error)), at)
        else:
            cached = job.warm and self._settings.switches.image_cached_when_warm
            pull = 0.0 if cached else self._settings.switches.image_pull_seconds
            self._store.save_job(replace(job, phase=Phase.PULLING, due=at + pull))

    def _run(self, job: Job, at: float) -> None:
        try:
            self._runner.start(self._workspace.launch(job))
        except Exception as error:  # whatever a runner raises is the end of this job only
            if not isinstance(error, JobFailed):
                logger.exception("the runner failed to start %s", job.key)
            self._finish(job, _failed(_reason(error)), at)
            return
        limit = (job.started or at) + max_runtime(job)
        fails = at + job.fate.fails_after if self._fails_running(job) else limit
        job = replace(job, phase=Phase.RUNNING, due=max(at, min(limit, fails)))
        message = "Training image download completed. Training in progress."
        self._store.save_job(job.moved(Secondary.TRAINING, message, at))

    @staticmethod
    def _fails_running(job: Job) -> bool:
        return job.fate.failure is not None and job.fate.fails_in is Phase.RUNNING

    # From the container to the end

    def _overdue(self, job: Job, at: float) -> None:
        limit = (job.started or at) + max_runtime(job)
        if self._fails_running(job) and at < limit:
            job = replace(job, outcome=_failed(job.fate.failure or INTERNAL_ERROR), due=None)
            self._store.save_job(job)
            self._runner.kill(job.key)
            return
        job = replace(job, outcome=TIMED_OUT, status=Status.STOPPING, due=None)
        self._store.save_job(job.moved(Secondary.STOPPING, "Stopping the training job", at))
        self._runner.terminate(job.key)

    def exited(self, job: Job, ending: Ending, at: float) -> None:
        """Take note that a job's processes have ended."""
        outcome = job.outcome
        if outcome is None:
            outcome = COMPLETED if ending.exit_code == 0 else _failed(_algorithm_error(ending))
        self._finish(job, outcome, at)

    def _finish(self, job: Job, outcome: JobEnd, at: float) -> None:
        early = job.phase is not Phase.RUNNING
        job = replace(job, outcome=outcome, due=None, phase=Phase.FINISHING)
        if job.status is not Status.STOPPING and not early:
            job = job.moved(Secondary.UPLOADING, "Uploading generated training model", at)
        self._store.save_job(job)
        launch = self._workspace.launch(job)
        self._work(job, lambda: self._runner.finish(launch), self._finished)

    def _finished(self, job: Job, error: Exception | None, result: object, at: float) -> None:
        outcome = job.outcome or COMPLETED
        if error is not None and outcome.status is not Status.FAILED:
            outcome = _failed(_reason(error))
        self.end(replace(job, model=cast("str | None", result)), outcome, at)

    def end(self, job: Job, outcome: JobEnd, at: float) -> None:
        """Make a job terminal, or start it over when it may be retried."""
        metrics = self._logs.unwatch(job)
        if self._retries(job, outcome):
            again = self._pools.abandon(job, "unhealthy", at)
            fate = Fate(late_logs=job.fate.late_logs, absent_pool=job.fate.absent_pool)
            fresh = replace(
                again, attempt=job.attempt + 1, warm=False, launched=False, outcome=None, fate=fate
            )
            self.begin(fresh, at)
            return
        job = self._pools.leave(job, outcome, at)
        job = replace(
            job,
            status=outcome.status,
            phase=Phase.ENDED,
            due=None,
            ended=at,
            outcome=outcome,
            reason=outcome.reason,
            metrics=metrics or job.metrics,
        )
        self._store.save_job(job.moved(outcome.secondary, LAST_WORDS[outcome.secondary], at))
        self._workspace.forget(job)  # the runner has emptied it

    @staticmethod
    def _retries(job: Job, outcome: JobEnd) -> bool:
        strategy = cast("Request", job.request.get("RetryStrategy", {}))
        allowed = cast("int", strategy.get("MaximumRetryAttempts", 0))
        internal = (outcome.reason or "").startswith("InternalServerError")
        return internal and job.attempt <= allowed and job.status is Status.IN_PROGRESS

    def stop(self, job: Job, at: float) -> None:
        """Stop a job that runs: SIGTERM, then the artefacts, then Stopped."""
        failing = job.outcome is not None and job.outcome.status is Status.FAILED
        job = replace(job, status=Status.STOPPING, outcome=job.outcome if failing else STOPPED)
        if job.phase is Phase.STARTING or job.foreign:
            job = replace(job, due=at)
        elif job.phase in {Phase.PULLING, Phase.RUNNING}:
            job = replace(job, due=None)
        job = job.moved(Secondary.STOPPING, "Stopping the training job", at)
        self._store.save_job(job)
        if job.phase is Phase.PULLING:
            self._finish(job, STOPPED, at)
        elif job.phase is Phase.RUNNING and not job.foreign:
            self._runner.terminate(job.key)

    # Work

    def _work(
        self,
        job: Job,
        work: Callable[[], object],
        then: Callable[[Job, Exception | None, object, float], None],
    ) -> None:
        """Do blocking work, then go on with the job as it is by then."""

        def done(error: Exception | None, result: object) -> None:
            def arrival(at: float) -> None:
                present = self._store.job(job.place, job.name)
                if present and (present.attempt, present.phase) == (job.attempt, job.phase):
                    then(present, error, result, at)

            self._arrive(arrival)

        def run() -> None:
            try:
                result = work()
            except Exception as error:
                if not isinstance(error, JobFailed):
                    logger.exception("the runner failed on %s", job.key)
                done(error, None)
            else:
                done(None, result)

        self._workers.submit(run)


def max_runtime(job: Job) -> float:
    """Return the longest time that a job may run, in seconds."""
    condition = cast("Request", job.request.get("StoppingCondition", {}))
    return cast("int", condition.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME))


def _failed(reason: str) -> JobEnd:
    return JobEnd(Status.FAILED, Secondary.FAILED, reason[:LONGEST_REASON])


def _reason(error: Exception) -> str:
    return error.reason if isinstance(error, JobFailed) else INTERNAL_ERROR


def _algorithm_error(ending: Ending) -> str:
    code = ending.exit_code if ending.exit_code >= 0 else 128 - ending.exit_code
    tail = f", exit code: {code}"
    head = f"AlgorithmError: {ending.failure}"
    return head[: LONGEST_REASON - len(tail)] + tail
