"""The runner that really runs training jobs: one process per host, here, each in a fresh environment.

What a container gives a job, as far as a process can have it: its own ``/opt/ml``, its own Python environment,
an environment of variables in which nothing of the user's is, the log, the stop with its grace, the artefacts.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from wpfsm.adapters.emulator.runner import container as inside
from wpfsm.adapters.emulator.runner.artifacts import CheckpointSync, upload
from wpfsm.adapters.emulator.runner.base import Ending, JobFailed, JSONValue, Launch, LogLine, Logs
from wpfsm.adapters.emulator.runner.channels import Channel, Downloads, S3Location
from wpfsm.adapters.emulator.runner.container import Container
from wpfsm.adapters.emulator.runner.images import Images, make_environment
from wpfsm.adapters.emulator.runner.orphans import Marker, end_orphans
from wpfsm.adapters.emulator.runner.pip_settings import pip_configuration
from wpfsm.adapters.emulator.runner.processes import HostProcess

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

S3 = Callable[[str, str], "S3Client"]
"""Makes an S3 client of the emulator itself for an account and a region."""

SERVICE_GRACE = 120.0
_CHECKPOINT_SECONDS = _LAST_LINES_SECONDS = 5.0


@dataclass(eq=False)
class _Job:
    """What the runner knows of a job whose processes were started."""

    launch: Launch
    containers: list[Container]
    checkpoints: list[CheckpointSync]
    processes: list[HostProcess] = field(default_factory=list)
    running: int = 0
    first_failure: Ending | None = None
    ending: Ending | None = None
    grace: threading.Timer | None = None
    over: threading.Event = field(default_factory=threading.Event)


class SubprocessRunner:
    """Runs training jobs as processes of this machine."""

    def __init__(
        self,
        state: Path,
        *,
        logs: Logs,
        s3: S3,
        images: Mapping[str, Path] | None = None,
        grace: float = SERVICE_GRACE,
        first_process_rules: bool = True,
        clock: Callable[[], float] = time.time,
        aws: Callable[[Launch], Mapping[str, str]] = lambda _: {},
    ) -> None:
        """Take over a state directory; processes that an earlier runner left in it are killed.

        Args:
            state: Where the default image and the list of running processes are kept.
            logs: Where output goes.
            s3: Makes clients for inputs and artefacts; they must not use the user's credentials.
            images: TrainingImage URI to the Python environment that stands for it.
            grace: Seconds from SIGTERM to SIGKILL, 120 on the service.
            first_process_rules: A container's process is its number 1, which gets no signal that it does not
                handle: it runs on until SIGKILL. True models that, where the system tells (Linux).
            clock: Seconds since the epoch, for the timestamps of log lines.
            aws: The variables of a job that lead its AWS clients to the emulator.
        """
        self._logs = logs
        self._aws = aws
        self._s3 = s3
        self._images = Images(state / "images", images or {})
        self._downloads = Downloads()
        self._markers = state / "processes"
        self._grace = grace
        self._first_process_rules = first_process_rules
        self._clock = clock
        self._pip = pip_configuration(os.environ)
        self._jobs: dict[str, _Job] = {}
        self._lock = threading.Lock()
        self._wake: Callable[[str], None] | None = None
        end_orphans(self._markers)
        inside.drop_dead_links()

    def on_exit(self, wake: Callable[[str], None]) -> None:
        """Call ``wake`` with a job's key when its processes have ended."""
        self._wake = wake

    def prepare(self, launch: Launch) -> None:
        """Fetch the inputs and lay out each host's ``/opt/ml`` and Python environment.

        Raises:
            JobFailed: An input or the image is not usable.
        """
        algorithm = cast("Mapping[str, str]", launch.request.get("AlgorithmSpecification") or {})
        image = self._images.find(algorithm.get("TrainingImage"))
        mode = algorithm.get("TrainingInputMode", "File")
        entries = cast("list[dict[str, JSONValue]]", launch.request.get("InputDataConfig") or [])
        channels = [Channel.parse(entry, mode) for entry in entries]
        containers = inside.containers(launch)
        for one in containers:
            inside.lay_out(one, launch, channels)
            make_environment(image, one.root / "env", self._pip)
        s3 = self._s3(launch.account, launch.region)
        for channel in channels:
            self._downloads.channel(s3, channel, [one.channel(channel.name) for one in containers])
        if checkpoint := _checkpoint(launch):
            for one in containers:
                self._downloads.prefix(s3, checkpoint.remote, one.checkpoints(checkpoint.local))
        for one in containers:
            inside.localise_drivers(one)

    def start(self, launch: Launch) -> None:
        """Start one process per host and return at once."""
        job = _Job(launch, inside.containers(launch), self._checkpoint_syncs(launch))
        job.running = len(job.containers)
        with self._lock:
            self._jobs[launch.key] = job
            try:
                for one in job.containers:
                    job.processes.append(self._start_host(job, one))
            except BaseException:
                self.kill(launch.key)
                del self._jobs[launch.key]
                raise
        if job.checkpoints:
            threading.Thread(
                target=self._sync_checkpoints, args=(job,), name="checkpoints", daemon=True
            ).start()

    def poll(self, key: str) -> Ending | None:
        """Return how the job's processes ended, None while one of them still runs."""
        return self._jobs[key].ending

    def terminate(self, key: str) -> None:
        """Send SIGTERM to each host's first process now, SIGKILL to all after the grace."""
        job = self._jobs.get(key)
        if job is None or job.ending is not None:
            return
        for process in job.processes:
            if not self._first_process_rules or process.catches(signal.SIGTERM) is not False:
                process.signal(signal.SIGTERM)
        if job.grace is None:
            job.grace = threading.Timer(self._grace, self.kill, args=(key,))
            job.grace.daemon = True
            job.grace.start()

    def kill(self, key: str) -> None:
        """Send SIGKILL now to all that the job runs."""
        if job := self._jobs.get(key):
            for process in job.processes:
                process.kill()

    def finish(self, launch: Launch) -> str | None:
        """Upload model and other output, and delete what the job had here.

        Returns:
            The S3 URI of the model, None when the job left none.

        Raises:
            JobFailed: The output location is not usable.
        """
        try:
            return self._upload(launch)
        finally:
            self._jobs.pop(launch.key, None)
            inside.discard(launch)

    def drop_cache(self, cache: Path) -> None:
        """Delete a pool's persistent cache directory."""
        shutil.rmtree(cache, ignore_errors=True)

    def close(self) -> None:
        """Kill everything that still runs, and wait for its end and its last lines."""
        jobs = list(self._jobs.items())
        for key, _ in jobs:
            self.kill(key)
        deadline = time.monotonic() + _LAST_LINES_SECONDS
        for _, job in jobs:
            job.over.wait(max(0.0, deadline - time.monotonic()))

    def _start_host(self, job: _Job, one: Container) -> HostProcess:
        """Start one host's process, with its log stream. Called with the lock held: the end waits for it."""
        launch = job.launch
        stream = f"{launch.name}/{one.host}-{int(self._clock())}"
        marker = Marker(self._markers)

        def emit(lines: list[LogLine]) -> None:
            self._logs.write(launch.account, launch.region, stream, lines)

        def ended(code: int) -> None:
            marker.remove()
            self._host_ended(job, one, code)

        process = HostProcess(
            inside.command(one, launch),
            cwd=one.root,
            environment=inside.environment(one, launch, one.root / "env" / "bin", self._aws(launch)),
            emit=emit,
            ended=ended,
            clock=self._clock,
            inherit=(marker.descriptor,),
            hint=self._hint(launch),
        )
        marker.started(process.pid)
        return process

    def _hint(self, launch: Launch) -> str:
        """Return what helps whoever finds a program missing in an image that stands for another one."""
        algorithm = cast("Mapping[str, str]", launch.request.get("AlgorithmSpecification") or {})
        uri = algorithm.get("TrainingImage", "")
        if not uri or not self._images.is_plain(uri):
            return ""
        return f"a plain Python stands for {uri}: `wpfsm emulator --image 'URI OR PATTERN=ENV'` names another"

    def _host_ended(self, job: _Job, one: Container, code: int) -> None:
        """Note the end of one host; the first failure ends the others, the last end is the job's."""
        with self._lock:
            job.running -= 1
            last = job.running == 0
            if code and job.first_failure is None:
                job.first_failure = Ending(code, one.failure())
                others = job.processes
            else:
                others = []
        for process in others:
            process.kill()
        if last:
            self._job_ended(job)

    def _job_ended(self, job: _Job) -> None:
        if job.grace is not None:
            job.grace.cancel()
        job.over.set()
        for sync in job.checkpoints:
            _quietly(sync)
        job.ending = job.first_failure or Ending(0, "")
        if self._wake is not None:
            self._wake(job.launch.key)

    def _checkpoint_syncs(self, launch: Launch) -> list[CheckpointSync]:
        checkpoint = _checkpoint(launch)
        if checkpoint is None:
            return []

        def s3() -> S3Client:
            return self._s3(launch.account, launch.region)

        locals_ = [one.checkpoints(checkpoint.local) for one in inside.containers(launch)]
        return [CheckpointSync(s3, local, checkpoint.remote) for local in locals_]

    def _sync_checkpoints(self, job: _Job) -> None:
        while not job.over.wait(_CHECKPOINT_SECONDS):
            for sync in job.checkpoints:
                _quietly(sync)

    def _upload(self, launch: Launch) -> str | None:
        output = cast("Mapping[str, str]", launch.request["OutputDataConfig"])
        to = S3Location.parse(output["S3OutputPath"]) / launch.name / "output"
        compress = output.get("CompressionType", "GZIP") != "NONE"
        s3 = self._s3(launch.account, launch.region)
        containers = inside.containers(launch)
        models = [one.ml / "model" for one in containers]
        others = [one.ml / "output" / "data" for one in containers]
        scratch = launch.workdir
        upload(s3, others, name="output", to=to, scratch=scratch, compress=compress)
        return upload(s3, models, name="model", to=to, scratch=scratch, compress=compress)


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    local: str
    remote: S3Location


def _checkpoint(launch: Launch) -> _Checkpoint | None:
    config = cast("Mapping[str, str]", launch.request.get("CheckpointConfig") or {})
    if not config:
        return None
    return _Checkpoint(config.get("LocalPath", "/opt/ml/checkpoints"), S3Location.parse(config["S3Uri"]))


def _quietly(sync: CheckpointSync) -> None:
    """Sync what can be synced: a checkpoint that does not arrive fails no job."""
    with contextlib.suppress(JobFailed, OSError):
        sync.sync()
