"""Renders the first request of a source digest in a child process.

The SageMaker SDK costs seconds and 200 MB to import, swallows Ctrl-C in ``train()`` and sends telemetry; the
controller never imports it. The child (:mod:`wpfsm.adapters.aws.render_child`) is started early, loads the
SDK while the checks run, and waits for the spec on its standard input.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wpfsm.adapters.aws.clients import Clients, Target, environment
from wpfsm.adapters.aws.errors import denied
from wpfsm.adapters.aws.launcher import UPLOADED
from wpfsm.adapters.aws.own_request import own_request
from wpfsm.adapters.aws.upload import UploadCount, count_files, upload_beside
from wpfsm.fsm.errors import MissingExtra, Refused, Unknown
from wpfsm.fsm.ports import RenderSpec, Request
from wpfsm.fsm.records import JSON

SECONDS = 600
"""How long the SDK may take to load, upload the source and build the request."""


class SdkRenderer:
    """Implements :class:`wpfsm.fsm.ports.Renderer` with ``ModelTrainer``."""

    def __init__(
        self, target: Target, loop_folder: Path, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._say = say
        self._target = target
        self._loop_folder = loop_folder
        self._child: subprocess.Popen[str] | None = None

    def prepare(self) -> None:
        """Start the child, so that it loads the SDK in the background."""
        if self._child is None and importlib.util.find_spec("sagemaker") is not None:
            self._child = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "wpfsm.adapters.aws.render_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=_child_environment(self._target),
                # Ctrl-C is the controller's to handle.
                start_new_session=True,
            )

    def render(self, spec: RenderSpec) -> Request:
        """Upload the source and build the request; the SDK is asked once for each entry of a loop.

        Raises:
            MissingExtra: The SDK is not installed.
            Refused: The SDK would not build the request, or the user's own request file is unusable.
            ServiceDenied: The upload was not permitted.
            Unknown: The upload failed.
        """
        own = spec.loop_file["job"]
        if isinstance(own, dict) and own.get("request"):
            return own_request(self._loop_folder / str(own["request"]))[0]
        if spec.like is not None:
            return upload_beside(Clients(self._target).s3, spec, spec.like, self._say)
        if importlib.util.find_spec("sagemaker") is None:
            raise MissingExtra("sagemaker", "rendering a job from source and entry")
        asked = {**asdict(spec), "loop_file": with_absolute_inputs(spec.loop_file, self._loop_folder)}
        count = UploadCount(count_files(Path(spec.source_path)), self._say)
        self.prepare()
        child, self._child = self._child, None
        assert child is not None
        output, errors = _converse(child, json.dumps(asked), count.one_more)
        return _answer(output, errors)

    def close(self) -> None:
        """End a child that was prepared and never used."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None


def with_absolute_inputs(loop_file: Mapping[str, JSON], folder: Path) -> dict[str, JSON]:
    """The loop file with each channel that is a folder beside it named in full: the SDK uploads that folder."""
    job = loop_file["job"]
    assert isinstance(job, Mapping)
    inputs = job.get("inputs") or {}
    assert isinstance(inputs, Mapping)
    named = {
        name: uri if "://" in str(uri) else str((folder / str(uri)).resolve()) for name, uri in inputs.items()
    }
    return {**loop_file, "job": {**job, "inputs": named}}


def _child_environment(target: Target) -> dict[str, str]:
    variables = {**os.environ, **environment(target)}
    # Defaults of the SDK's configuration files would change the match key behind the loop file's back.
    empty = str(Path(__file__).with_name("sdk_config.yaml"))
    variables |= {
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": empty,
        "SAGEMAKER_USER_CONFIG_OVERRIDE": empty,
        "PYTHONUNBUFFERED": "1",
    }
    if target.endpoint_url:
        variables["SAGEMAKER_VALIDATE_ROLE"] = "false"
    return variables


def _converse(child: subprocess.Popen[str], asked: str, uploaded: Callable[[], None]) -> tuple[str, str]:
    """Ask the child and hear it to its end; ``uploaded`` is called for each file that it reports.

    Raises:
        Unknown: It did not answer in time.
    """
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    late, errors, lines, stderr = threading.Event(), [], [], child.stderr

    def end() -> None:
        late.set()
        child.kill()

    drain = threading.Thread(target=lambda: errors.append(stderr.read()), daemon=True)
    drain.start()
    timer = threading.Timer(SECONDS, end)
    timer.start()
    try:
        with contextlib.suppress(BrokenPipeError):  # it has died, and its last words are read below
            child.stdin.write(asked)
            child.stdin.close()
        for line in child.stdout:
            if line.strip() == UPLOADED:
                uploaded()
            else:
                lines.append(line)
    finally:
        if sys.exc_info()[0] is not None:
            child.kill()
        child.wait()
        timer.cancel()
        drain.join()
        for stream in (child.stdin, child.stdout, stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
    if late.is_set():
        raise Unknown("RenderTimeout", f"no request after {SECONDS} s", operation="ModelTrainer")
    return "".join(lines), "".join(errors)


def _answer(output: str, errors: str) -> Request:
    answer: dict[str, Any] = {}
    for line in output.splitlines():
        with contextlib.suppress(ValueError):
            answer = json.loads(line)
    if request := answer.get("request"):
        rendered: Request = request
        return rendered
    failure = answer.get("error", {"class": "Exited", "message": errors.strip()[-2000:] or "no answer"})
    kind, message = failure["class"], failure["message"]
    if kind == "denied":
        raise denied(failure.get("code", "AccessDenied"), message, "ModelTrainer")
    if kind == "unknown":
        raise Unknown(failure.get("code", "Unknown"), message, operation="ModelTrainer")
    raise Refused(
        f"the SageMaker SDK could not render the job: {kind}: {message}",
        fix="correct the loop file's job section",
    )
