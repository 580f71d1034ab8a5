"""Runs a program of the user's on a hand-off packet."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import IO

from wpfsm.adapters.terminal.commands import in_document
from wpfsm.fsm.ports import StopRequest
from wpfsm.fsm.records import JSON

LATE, NOT_STARTED = 124, 127
"""Exit codes that a shell uses: ended by its time limit, could not be started."""
STOPPED = 130
_LOOK_SECONDS = 0.2


class Subprocess:
    """Implements :class:`wpfsm.fsm.ports.PatchCommand`.

    Args:
        base: Folder of the loop file, to which a relative program is relative.
        stop: What ends the program early, when somebody asks the controller to stop.
    """

    def __init__(self, base: str, stop: StopRequest | None = None) -> None:
        self._base = base
        self._stop = stop

    def run(self, command: Sequence[str], packet: Mapping[str, JSON], folder: str, seconds: float) -> int:
        """Run it in ``folder`` with the packet as JSON on stdin.

        Returns:
            Its exit code; 127 when it cannot be started, 124 when it was late, 130 when it had to stop. Its
            children end with it.
        """
        program = command[0]
        if os.sep in program:
            program = os.path.join(self._base, program)  # noqa: PTH118 - keeps a bare name for PATH
        with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
            # A file, not a pipe: a program that reads nothing must not block the controller.
            json.dump(in_document(packet), told)
            told.seek(0)
            try:
                process = self._start([program, *command[1:]], told, folder)
            except OSError:
                return NOT_STARTED
            return self._wait(process, seconds)

    def _start(self, words: Sequence[str], told: IO[str], folder: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            words,
            stdin=told,
            stdout=sys.stderr,  # the controller's stdout carries data
            cwd=folder,
            env={**os.environ, "WPFSM_SOURCE": folder},
            # Ctrl-C is the controller's to handle, and a late program ends with all that it started.
            start_new_session=True,
        )

    def _wait(self, process: subprocess.Popen[bytes], seconds: float) -> int:
        deadline = time.monotonic() + seconds
        code = None
        try:
            while code is None:
                if self._stop and self._stop.reason:
                    return STOPPED
                if time.monotonic() >= deadline:
                    return LATE
                with contextlib.suppress(subprocess.TimeoutExpired):
                    code = process.wait(_LOOK_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return code
