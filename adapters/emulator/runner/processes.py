"""One host's process: its output, line by line, and its end, noticed when it happens."""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from wpfsm.adapters.emulator.runner.base import LogLine

logger = logging.getLogger(__name__)

BATCH_SECONDS = 0.1
"""A line is forwarded at most this long after it was printed."""
LONGEST_LINE = (1 << 20) - 26
"""CloudWatch Logs quotas: an event holds 1 MB, of which 26 bytes are overhead. A longer line is cut in pieces."""
USUAL_MASK = 0o022
"""What a job's files may be used for, whatever the emulator allows for its own."""
_DRAIN_SECONDS = 0.5
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126


class HostProcess:
    """A process in a session of its own, watched by two threads: one reads, one waits.

    When the process ends, whatever it left running in its process group ends with it, as in a container.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        emit: Callable[[list[LogLine]], None],
        ended: Callable[[int], None],
        clock: Callable[[], float] = time.time,
        inherit: Sequence[int] = (),
        hint: str = "",
    ) -> None:
        """Start the process.

        Args:
            command: The program, looked up in the PATH of ``environment``, and its arguments.
            cwd: Its working directory.
            environment: Its whole environment.
            emit: Called with lines as they come, from the reading thread.
            ended: Called once, after the last ``emit``, with the exit code (negative for a signal).
            clock: Seconds since the epoch, for the timestamps of lines.
            inherit: File descriptors that the process keeps open.
            hint: Said where the program is not found.
        """
        self._emit = emit
        self._ended = ended
        self._clock = clock
        self._reaping = threading.Lock()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        self._hint = hint
        self._process = self._spawn(command, cwd, environment, inherit)
        self._waiter = threading.Thread(target=self._wait, name="job-wait", daemon=True)
        self._reader = threading.Thread(target=self._read, name="job-read", daemon=True)
        self._waiter.start()
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process, which leads a process group of the same number."""
        return self._process.pid

    def signal(self, number: int) -> None:
        """Send a signal to the process alone."""
        with self._reaping, contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL to the process and to all that it started."""
        with self._reaping:
            if self._process.returncode is None:
                kill_group(self.pid)

    def catches(self, number: int) -> bool | None:
        """Tell whether the process has a handler for a signal; None where the system does not say."""
        return catches(self.pid, number)

    def _spawn(
        self, command: Sequence[str], cwd: Path, environment: Mapping[str, str], inherit: Sequence[int]
    ) -> subprocess.Popen[bytes]:
        """Start the command; one that cannot be started fails as it would in a container, with a line that says why."""
        import shutil

        name = command[0]
        program = name if "/" in name else shutil.which(name, path=environment["PATH"])
        arguments = [program or "", *command[1:]]
        if program is None:
            missing = f'exec: "{name}": executable file not found in $PATH'
            arguments = _refusal("\n".join(filter(None, [missing, self._hint])), _NOT_FOUND)

        def start(words: Sequence[str]) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                words,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                start_new_session=True,
                pass_fds=inherit,
                umask=USUAL_MASK,
            )

        try:
            return start(arguments)
        except OSError as error:
            code = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE
            return start(_refusal(f'exec: "{name}": {(error.strerror or str(error)).lower()}', code))

    def _wait(self) -> None:
        """Notice the end; stop what is left of the group while its number cannot be taken by another."""
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        else:  # macOS before Python 3.13
            self._process.wait()
        with self._reaping:
            kill_group(self.pid)
            self._process.wait()
        os.write(self._wake, b"!")

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            self._pump(output.fileno())
        self._waiter.join()
        os.close(self._woken)
        os.close(self._wake)
        self._ended(self._process.returncode)

    def _pump(self, output: int) -> None:
        """Read until the output ends, or nearly: a process that left the group may hold it open for ever."""
        lines = Lines()
        batch: list[LogLine] = []
        due = deadline = float("inf")
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while True:
                now = time.monotonic()
                if now >= deadline:
                    break
                timeout = min(due, deadline) - now
                ready = selector.select(None if timeout == float("inf") else max(timeout, 0))
                descriptors = {key.fd for key, _ in ready}
                if output in descriptors:
                    if not (chunk := os.read(output, 1 << 16)):
                        break
                    stamp = int(self._clock() * 1000)
                    batch += [(stamp, line) for line in lines.feed(chunk)]
                    due = min(due, time.monotonic() + BATCH_SECONDS) if batch else due
                if self._woken in descriptors:
                    selector.unregister(self._woken)
                    deadline = time.monotonic() + _DRAIN_SECONDS
                if batch and time.monotonic() >= due:
                    self._forward(batch)
                    batch, due = [], float("inf")
        stamp = int(self._clock() * 1000)
        self._forward(batch + [(stamp, line) for line in lines.rest()])

    def _forward(self, batch: list[LogLine]) -> None:
        """Hand lines over; a log that cannot take them is no reason to stop reading, which would stop the job."""
        if not batch:
            return
        try:
            self._emit(batch)
        except Exception:
            logger.exception("%d lines of process %d were lost", len(batch), self.pid)


class Lines:
    """Cuts bytes into the lines of a log: decoded, none empty, none longer than an event may be."""

    def __init__(self) -> None:
        self._partial = bytearray()

    def feed(self, chunk: bytes) -> list[str]:
        """Take bytes; return the lines that are complete."""
        self._partial += chunk
        if b"\n" not in chunk and len(self._partial) <= LONGEST_LINE:
            return []
        *complete, partial = bytes(self._partial).split(b"\n")
        whole = len(partial) - len(partial) % LONGEST_LINE
        complete.append(partial[:whole])
        self._partial = bytearray(partial[whole:])
        return [text for line in complete for text in _decode(line)]

    def rest(self) -> list[str]:
        """Return what came after the last newline."""
        rest, self._partial = bytes(self._partial), bytearray()
        return _decode(rest)


def catches(pid: int, number: int) -> bool | None:
    """Tell whether a process has a handler for a signal; None where the system does not say (macOS)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), None)
    return None if caught is None else bool(int(caught, 16) >> (number - 1) & 1)


def kill_group(group: int) -> None:
    """Send SIGKILL to a process group, which may be gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _decode(line: bytes) -> list[str]:
    line = line.rstrip(b"\r")
    pieces = (line[start : start + LONGEST_LINE] for start in range(0, len(line), LONGEST_LINE))
    return [text for piece in pieces if (text := piece.decode("utf-8", errors="replace"))]


def _refusal(message: str, code: int) -> list[str]:
    return ["/bin/sh", "-c", 'printf "%s\\n" "$1"; exit "$2"', "sh", message, str(code)]
