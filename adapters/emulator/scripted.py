"""A runner of made-up jobs: they take the time, print the lines and end the way a table says."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wpfsm.adapters.emulator.engine.log_store import LogStore
from wpfsm.adapters.emulator.runner.base import Ending, JobFailed, Launch

SIGKILLED, SIGTERMED = -9, -15


@dataclass(frozen=True)
class Script:
    """What one job does.

    Attributes:
        seconds: How long its processes run, on the emulator's clock.
        lines: What each host prints, spread evenly over that time.
        exit_code: How its processes end.
        failure: The content of ``/opt/ml/output/failure``.
        refused: FailureReason of a failure before the container, for instance ``ClientError: ...``.
        model: Whether a model is left behind.
        ignores_term: Runs on after SIGTERM until it is killed.
    """

    seconds: float = 1.0
    lines: Sequence[str] = ()
    exit_code: int = 0
    failure: str = ""
    refused: str = ""
    model: bool = True
    ignores_term: bool = False


@dataclass(frozen=True)
class _Run:
    launch: Launch
    script: Script
    began: float
    ends: float
    exit_code: int
    printed: int = 0


class ScriptedRunner:
    """Follows a table of scripts.

    Args:
        script: Returns what a job does; every job runs for a second and succeeds when None.
        grace: Seconds from SIGTERM to SIGKILL for a job that ignores it.
    """

    def __init__(self, script: Callable[[Launch], Script] | None = None, *, grace: float = 120.0) -> None:
        self._script = script or (lambda _: Script())
        self._grace = grace
        self._runs: dict[str, _Run] = {}
        self._lock = threading.Lock()
        self._moment: Callable[[], float] | None = None
        self._logs: LogStore | None = None

    def attach(self, logs: LogStore, moment: Callable[[], float]) -> ScriptedRunner:
        """Take the emulator's log sink and time; the emulator calls this."""
        self._logs, self._moment = logs, moment
        return self

    def prepare(self, launch: Launch) -> None:
        """See Runner."""
        if refused := self._script(launch).refused:
            raise JobFailed(refused)

    def start(self, launch: Launch) -> None:
        """See Runner."""
        script, now = self._script(launch), self._now()
        with self._lock:
            self._runs[launch.key] = _Run(launch, script, now, now + script.seconds, script.exit_code)

    def ends_at(self, key: str) -> float | None:
        """See Foretelling."""
        run = self._runs.get(key)
        return run.ends if run else None

    def poll(self, key: str) -> Ending | None:
        """Print what is due; see Runner."""
        with self._lock:
            run = self._runs[key]
            now = self._now()
            run = self._print(run, min(now, run.ends))
            self._runs[key] = run
        if now < run.ends:
            return None
        return Ending(run.exit_code, run.script.failure)

    def terminate(self, key: str) -> None:
        """See Runner."""
        run = self._runs[key]
        if run.script.ignores_term:
            self._cut(key, SIGKILLED, after=self._grace)
        else:
            self._cut(key, SIGTERMED)

    def kill(self, key: str) -> None:
        """See Runner."""
        self._cut(key, SIGKILLED)

    def finish(self, launch: Launch) -> str | None:
        """See Runner; nothing is uploaded, the URI is where a model would be."""
        with self._lock:
            run = self._runs.pop(launch.key, None)
        output = launch.request.get("OutputDataConfig")
        if run is None or not run.script.model or not isinstance(output, dict):
            return None
        return f"{str(output['S3OutputPath']).rstrip('/')}/{launch.name}/output/model.tar.gz"

    def drop_cache(self, cache: Path) -> None:
        """See Runner."""
        shutil.rmtree(cache, ignore_errors=True)

    def close(self) -> None:
        """See Runner; nothing runs."""

    def _cut(self, key: str, exit_code: int, after: float = 0.0) -> None:
        with self._lock:
            run = self._runs[key]
            end = min(run.ends, self._now() + after)
            self._runs[key] = replace(run, ends=end, exit_code=exit_code)

    def _print(self, run: _Run, now: float) -> _Run:
        """Write the lines whose time has come; those that a signal cut off never come."""
        lines, total = run.script.lines, max(run.script.seconds, 0.0)
        step = total / len(lines) if lines else 0.0
        times = [run.began + step * (i + 1) for i in range(len(lines))]
        due = [i for i in range(run.printed, len(lines)) if times[i] <= now + 1e-9]
        if due and self._logs is not None:
            stamped = [(int(times[i] * 1000), lines[i]) for i in due]
            for host in range(1, run.launch.instance_count + 1):
                stream = f"{run.launch.name}/algo-{host}-{int(run.began)}"
                self._logs.write_at(run.launch.account, run.launch.region, stream, stamped)
        return replace(run, printed=run.printed + len(due))

    def _now(self) -> float:
        if self._moment is None:
            raise RuntimeError("the runner is attached to no emulator")
        return self._moment()
