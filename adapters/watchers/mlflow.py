"""Sends a loop to MLflow: a run for the loop, a child run for each trial.

Runs are found again by their tags, so that another controller, after a crash or at a resume, goes on with the same ones.
It works in a thread of its own and fails nothing: what could not be sent is sent with the next change, at the latest
by ``wpfsm resume``.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wpfsm.adapters.documents.tracked_runs import (
    DIGEST_TAG,
    LOOP_TAG,
    TRIAL_TAG,
    TrackedRun,
    tracked_runs,
)
from wpfsm.adapters.watchers.base import Watcher
from wpfsm.fsm.errors import MissingExtra
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.records import Loop

if TYPE_CHECKING:
    from wpfsm.fsm.ports import History

SEND_SECONDS = 2.0
"""Between two times that something is sent."""
LAST_SECONDS = 30.0
"""What the last sending may take, after the pool was released."""
_AT_ONCE = 900
"""Values of a request; the server takes 1,000."""
_PARAMS_AT_ONCE = 90
_ENVIRONMENT = {
    # A server that hangs must not cost the whole of the last half minute; and a client of ours tells nobody else.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Standard output is the verb's own.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",
}

Note = Callable[..., None]


def require(file: LoopFile) -> None:
    """See that what tracking needs is there before a loop begins.

    Raises:
        MissingExtra: MLflow is not installed.
    """
    if not is_tracked(file):
        return
    missing = find_spec("mlflow") is None
    if missing or (file.track.by_service and find_spec("sagemaker_mlflow") is None):
        raise MissingExtra("sagemaker" if file.track.by_service else "mlflow", "track.mlflow")


def is_tracked(file: LoopFile) -> bool:
    """Whether runs are sent from here. What runs locally never asks AWS: there an ARN is only put into the request."""
    return bool(file.track.mlflow) and not (file.track.by_service and file.backend == "local")


def tracker_for(loop: Loop, history: Callable[[], History], note: Note) -> MlflowTracker | None:
    """The tracker that a loop's file asks for."""
    file = LoopFile.model_validate(loop.loop_file)
    if not is_tracked(file) or (file.track.by_service and loop.endpoint_url):
        return None
    folder = Path(loop.loop_path).parent if loop.loop_path else Path.cwd()
    uri = place_of(str(file.track.mlflow), folder)
    return MlflowTracker(uri, file.track.experiment or loop.name, loop.id, history, note)


def place_of(uri: str, folder: Path) -> str:
    """Where a tracking URI leads: a path in it starts at the loop file's folder, wherever the program is run."""
    scheme, _, path = uri.partition(":///")
    if scheme == "sqlite" and path and not path.startswith("/"):
        return f"sqlite:///{(folder / path).resolve()}"
    return uri if urlsplit(uri).scheme else (folder / uri).resolve().as_uri()


class MlflowTracker(Watcher):
    """Sends what the rows say, whenever they changed.

    Args:
        uri: Where MLflow keeps its runs.
        experiment: Name of the experiment; made if it is not there.
        loop_id: The loop.
        history: Opens the rows, in the tracker's own thread.
        note: Told of what was sent and what was not.
    """

    def __init__(
        self, uri: str, experiment: str, loop_id: str, history: Callable[[], History], note: Note
    ) -> None:
        self._uri = uri
        self._experiment = experiment
        self._loop_id = loop_id
        self._open_history = history
        self._history: History | None = None
        self._client: Any = None
        self._note = note
        self._due = True
        self._sent_at = 0.0
        self.missed = ""
        """Why the newest state could not be sent; empty when it was."""
        self.sending = False
        """Whether a sending is under way."""

    def state(self, loop: Loop, why: str) -> None:  # noqa: ARG002 - the port's signature
        """There is something new."""
        self._due = True

    def tick(self) -> None:
        """Send it, not too often."""
        if self._due and time.monotonic() - self._sent_at >= SEND_SECONDS:
            self.send()

    def close(self) -> None:
        """Send what is left: the receipt's figures come last."""
        self.send()

    def send(self) -> None:
        """Bring MLflow up to the rows. Never raises."""
        self._due, self.sending = False, True
        try:
            self._history = self._history or self._open_history()
            runs = tracked_runs(self._history, self._loop_id, time.time())
            sent = Sender(self._connected(), self._experiment, self._loop_id).send(runs)
        except Exception as error:  # noqa: BLE001 - whatever it is, the loop goes on
            self._due = True
            why = f"{type(error).__name__}: {error}"
            if why != self.missed:
                self._note("warning", "not_tracked", where=_host(self._uri), why=why)
            self.missed = why
        else:
            self.missed = ""
            if sent:
                self._note("info", "tracked", where=_host(self._uri), runs=sent)
        self._sent_at, self.sending = time.monotonic(), False

    def _connected(self) -> Any:
        if self._client is None:
            for name, value in _ENVIRONMENT.items():
                os.environ.setdefault(name, value)
            from mlflow import MlflowClient

            # Its own words go to stderr, in the midst of ours; what went wrong is told by `note`.
            for talker in ("mlflow", "alembic"):
                logging.getLogger(talker).setLevel(logging.CRITICAL)
            self._client = MlflowClient(tracking_uri=self._uri)
        return self._client


class Sender:
    """Brings the runs of one loop to where its rows are, by an MLflow client.

    Args:
        client: An ``MlflowClient``.
        experiment: Name of the experiment.
        loop_id: The loop.
    """

    def __init__(self, client: Any, experiment: str, loop_id: str) -> None:
        self._client = client
        self._experiment = self._experiment_id(experiment)
        self._loop_id = loop_id

    def send(self, runs: list[TrackedRun]) -> int:
        """Create what is not there and change what is older; returns how many runs had something new."""
        there = self._there()
        parent, changed = "", 0
        for run in runs:
            found = there.get(run.trial)
            if found is None:
                found = self._create(run, parent)
            if run.trial == 0:
                parent = found.info.run_id
            if found.data.tags.get(DIGEST_TAG) != run.digest:
                self._update(run, found)
                changed += 1
        return changed

    def _experiment_id(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self._client.create_experiment(name))
            except MlflowException:  # somebody else made it at the same moment
                found = self._client.get_experiment_by_name(name)
                if found is None:
                    raise
        return str(found.experiment_id)

    def _there(self) -> dict[int, Any]:
        """The runs that were made before, by trial; of two for one trial the older."""
        found: dict[int, Any] = {}
        page = None
        while True:
            runs = self._client.search_runs(
                [self._experiment],
                f"tags.`{LOOP_TAG}` = '{self._loop_id}'",
                max_results=1000,
                page_token=page,
            )
            for run in sorted(runs, key=lambda run: run.info.start_time):
                found.setdefault(int(run.data.tags[TRIAL_TAG]), run)
            page = runs.token
            if not page:
                return found

    def _create(self, run: TrackedRun, parent: str) -> Any:
        """With its tags in the same call: a run that a crash leaves behind is found by them."""
        tags = {
            LOOP_TAG: self._loop_id,
            TRIAL_TAG: str(run.trial),
            "mlflow.source.name": "wpfsm",
            **({"mlflow.parentRunId": parent} if parent else {}),
        }
        return self._client.create_run(
            self._experiment, start_time=_ms(run.began), tags=tags, run_name=run.name
        )

    def _update(self, run: TrackedRun, found: Any) -> None:
        """The digest last: what a crash cuts short is sent again, and nothing of it twice."""
        from mlflow.entities import Metric, Param, RunTag

        run_id = found.info.run_id
        fresh = {name: value for name, value in run.params.items() if name not in found.data.params}
        # A parameter cannot be changed, and a patch may have.
        changed = {
            f"changed.{name}": value
            for name, value in run.params.items()
            if found.data.params.get(name, value) != value
        }
        for params in _parts([Param(*pair) for pair in fresh.items()], _PARAMS_AT_ONCE):
            self._client.log_batch(run_id, params=params)
        known = found.data.metrics
        values = [Metric(*point) for point in self._points(run, run_id, known)]
        for metrics in _parts(values, _AT_ONCE):
            self._client.log_batch(run_id, metrics=metrics)
        tags = [RunTag(*pair) for pair in {**run.tags, **changed}.items()]
        for some in _parts(tags, _PARAMS_AT_ONCE):
            self._client.log_batch(run_id, tags=some)
        if run.status == "RUNNING":
            self._client.update_run(run_id, status="RUNNING")
        else:
            self._client.set_terminated(run_id, run.status, _ms(run.ended or run.began))
        self._client.set_tag(run_id, DIGEST_TAG, run.digest)

    def _points(
        self, run: TrackedRun, run_id: str, known: Mapping[str, float]
    ) -> Iterator[tuple[str, float, int, int]]:
        """Values that MLflow does not have: name, value, milliseconds and step."""
        for name, points in run.series.items():
            had = self._steps(run_id, name) if name in known else set()
            for number, at, value in points:
                if value is not None and (number, _ms(at)) not in had:
                    yield name, value, _ms(at), number
        for name, value in run.metrics.items():
            if known.get(name) != value:
                yield name, value, _ms(run.ended or run.began), 0

    def _steps(self, run_id: str, name: str) -> set[tuple[int, int]]:
        return {(point.step, point.timestamp) for point in self._client.get_metric_history(run_id, name)}


def _parts(values: list[Any], size: int) -> Iterator[list[Any]]:
    for begin in range(0, len(values), size):
        yield values[begin : begin + size]


def _ms(at: float) -> int:
    return round(at * 1000)


def _host(uri: str) -> str:
    """Where, without a password that may stand in it."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else uri
