"""`wpfsm fetch`: the model artifact of the best trial, or of a given one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wpfsm.adapters.aws.targets import history_of, target_of
from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.documents.rows import best_of, section
from wpfsm.adapters.terminal.output import Options, emit
from wpfsm.adapters.verbs.loop_name import named
from wpfsm.fsm.errors import NotFound, UsageError
from wpfsm.fsm.ports import History
from wpfsm.fsm.records import JSON, Job, Loop, Trial
from wpfsm.state.database import explained

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

CHUNK = 1 << 20
"""Bytes that are written at once."""


def fetch(given: Options, which: str, number: int | None, folder: Path | None) -> int:
    """Download the model artifact into ``folder``, by default one of the job's name; an earlier copy is replaced.

    Raises:
        NotFound: No such loop or trial, no trial is best, or the job left no artifact.
        ServiceError: The service or S3 did not answer, or refused.
        UsageError: The folder cannot be written.
    """
    with explained(given.database):
        history = history_of(given)
        loop = named(history, which)
        trial = _trial_of(history, loop, number)
        owner, job = _job_of(history, loop, trial)
    from wpfsm.adapters.aws.account import Account

    account = Account(target_of(owner.backend, owner.region, given.database, owner.endpoint_url))
    reading = account.describe(job.name)
    if reading is None or not reading.artifact:
        raise NotFound(
            f"job {job.name} has no model artifact"
            if reading
            else f"the service does not know {job.name} any more",
            fix="a script's /opt/ml/model is uploaded when the job has completed",
        )
    file = Path(folder or job.name) / (reading.artifact.rpartition("/")[2] or "model.tar.gz")
    size = _download(account.clients.s3, reading.artifact, file)
    document: dict[str, JSON] = {
        "loop": loop.id,
        "trial": trial.number,
        "job": job.name,
        "params": dict(job.params),
        "metric": trial.metric,
        "uri": reading.artifact,
        "path": str(file.absolute()),
        "bytes": size,
    }
    metric = section(loop, "metric").get("name")
    value = f", {metric} = {trial.metric:.6g}" if trial.metric is not None else ""
    emit(
        given,
        {"schema": SCHEMA, "fetched": document},
        f"trial {trial.number}{value}: {file} ({size:,} bytes, from {reading.artifact})",
    )
    return 0


def _trial_of(history: History, loop: Loop, number: int | None) -> Trial:
    """The trial that is meant.

    Raises:
        NotFound: There is none.
    """
    trials = history.trials(loop.id)
    if number is None:
        best = best_of(loop, trials)
        if best is None:
            raise NotFound(
                f"loop {loop.id} has no best trial: none has completed with a metric",
                fix=f"name one: wpfsm fetch {loop.id} --trial N; wpfsm inspect {loop.id} lists them",
            )
        return best
    found = next((trial for trial in trials if trial.number == number), None)
    if found is None:
        raise NotFound(
            f"loop {loop.id} has no trial {number}",
            fix=f"it has {len(trials)}; wpfsm inspect {loop.id} lists them",
        )
    return found


def _job_of(history: History, loop: Loop, trial: Trial) -> tuple[Loop, Job]:
    """The newest job of a trial that has completed, and its loop: of one that took over a result, whoever ran it.

    Raises:
        NotFound: None has completed, or its loop was forgotten.
    """
    while trial.taken_from is not None:
        loop = history.find(trial.taken_loop) if trial.taken_loop else loop
        trial = _trial_of(history, loop, trial.taken_from)
    return loop, _completed(history.jobs(loop.id), loop, trial.number)


def _completed(jobs: Sequence[Job], loop: Loop, trial: int) -> Job:
    found = next((job for job in reversed(jobs) if job.trial == trial and job.status == "Completed"), None)
    if found is None:
        raise NotFound(
            f"no job of trial {trial} of loop {loop.id} has completed, so there is no model",
            fix=f"wpfsm inspect {loop.id} lists the jobs",
        )
    return found


def _download(s3: S3Client, uri: str, file: Path) -> int:
    """All of an object or none of it; returns its bytes.

    Raises:
        ServiceError: S3 refused, or the connection was lost on the way.
        UsageError: The file cannot be written.
    """
    from wpfsm.adapters.aws.errors import complete, translated

    place = urlsplit(uri)
    known = frozenset({"NoSuchKey", "NoSuchBucket"})
    with translated("GetObject", known):
        answer = s3.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))
    complete(answer, "GetObject", "Body")
    scratch = ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as target:
            scratch = target.name
            with translated("GetObject", known):
                for chunk in answer["Body"].iter_chunks(CHUNK):
                    target.write(chunk)
            size = target.tell()
        Path(scratch).chmod(0o644)
        os.replace(scratch, file)  # noqa: PTH105 - reads as what it is
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", fix="name a folder that can be written") from error
    finally:
        if scratch:
            Path(scratch).unlink(missing_ok=True)
    return size
