"""The seam between the engine, which owns the life cycle, and whatever runs a training job's processes.

The engine decides when a job downloads, trains, uploads and ends; a runner does the work of each phase.
Two runners are shipped: one starts real processes, one follows a script of made-up outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

JSONValue = None | bool | int | float | str | list["JSONValue"] | dict[str, "JSONValue"]
"""Whatever a JSON document can hold; timestamps are seconds since the epoch."""

LogLine = tuple[int, str]
"""One line of output: milliseconds since the epoch (real time), text without its newline."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One training job as the engine hands it to a runner.

    Attributes:
        key: ``<account>/<region>/<name>``, unique among all jobs that exist at one time.
        account: Twelve digits.
        region: For instance ``us-east-1``.
        name: The TrainingJobName.
        arn: The TrainingJobArn.
        request: The CreateTrainingJob request as it was received.
        instance_type: For instance ``ml.g5.xlarge``.
        instance_count: Hosts to run, named ``algo-1`` to ``algo-<n>``.
        workdir: A directory for this job alone, empty when ``prepare`` is called.
        cache: The pool's persistent cache directory, which exists; None when the job is on no pool.
    """

    key: str
    account: str
    region: str
    name: str
    arn: str
    request: Mapping[str, JSONValue]
    instance_type: str
    instance_count: int
    workdir: Path
    cache: Path | None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job's processes ended.

    Attributes:
        exit_code: Of the first host that failed, else 0; negative for a signal.
        failure: The content of ``/opt/ml/output/failure``, empty when there is none.
    """

    exit_code: int
    failure: str = ""


NO_IMAGE = "ClientError: Cannot pull algorithm container."
"""How the FailureReason of a job begins whose image is not to be had: the job failed before it had a cluster."""


class JobFailed(Exception):
    """The job cannot go on for a reason that the service would give in FailureReason.

    Raised by ``prepare`` and ``finish``.

    Attributes:
        reason: The whole FailureReason, for instance ``ClientError: Data download failed: ...``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Logs(Protocol):
    """Where a runner sends what its jobs print. Safe to call from any thread."""

    def write(self, account: str, region: str, stream: str, lines: Sequence[LogLine]) -> None:
        """Append lines to ``stream`` (``<job>/algo-<n>-<epoch seconds>``) of the training job log group."""


class Runner(Protocol):
    """Runs the processes of training jobs. Every method may be called from any thread."""

    def prepare(self, launch: Launch) -> None:
        """Fetch inputs and image, write the configuration files. Blocks; runs in a worker thread.

        Raises:
            JobFailed: An input, the image or the entry point is not usable.
        """

    def start(self, launch: Launch) -> None:
        """Start one process per host and return at once."""

    def poll(self, key: str) -> Ending | None:
        """Return how the job's processes ended, None while one of them still runs."""

    def terminate(self, key: str) -> None:
        """Send SIGTERM now. SIGKILL after the grace (120 s on the service) is the runner's duty."""

    def kill(self, key: str) -> None:
        """Send SIGKILL now."""

    def finish(self, launch: Launch) -> str | None:
        """Upload the artefacts and clean up. Blocks; runs in a worker thread, after every ending.

        Returns:
            The S3 URI of the model archive, None when the job left no model.

        Raises:
            JobFailed: The output location is not usable.
        """

    def drop_cache(self, cache: Path) -> None:
        """Delete a pool's persistent cache directory, because the pool ended."""

    def close(self) -> None:
        """Kill everything that still runs, and wait for its end and its last lines."""


@runtime_checkable
class Watched(Protocol):
    """What a runner of real processes offers besides, so that an ending is noticed at once."""

    def on_exit(self, wake: Callable[[str], None]) -> None:
        """Register what to call, from any thread, with a job's key when its processes have ended."""


@runtime_checkable
class Foretelling(Protocol):
    """What a runner of made-up jobs offers besides, so that a clock that jumps ends them on time."""

    def ends_at(self, key: str) -> float | None:
        """Return when the job's processes end, in seconds of the emulator's clock; None if unknown."""
