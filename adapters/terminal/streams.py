"""Standard streams that are closed, broken or full: none of it ends a loop, or leaves the table of exit codes.

A stream that is closed when the program starts is opened on ``/dev/null``: a database that was opened in its
place would be written into by the first ``print``. One that fails later is given up. For a verb that drives a
loop, the loop is what matters, and its exit code is the loop's own. For a verb that only reads, a reader that
has seen enough (``| head -1``) is no error, and a disk that is full is one.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TextIO

LOST = 75
"""Exit code of a verb that only reads, when what it read could not be written: it may be run again."""


class OutputLost(Exception):
    """Standard output cannot be written any more.

    Args:
        cause: What the system said.
    """

    def __init__(self, cause: OSError) -> None:
        super().__init__(f"standard output cannot be written: {cause.strerror}")
        self.exit_code = 0 if cause.errno in (errno.EPIPE, errno.EBADF) else LOST


class _Raw(io.FileIO):
    """A descriptor whose first error is kept; what is written afterwards goes nowhere.

    Attributes:
        strict: Raise :class:`OutputLost` at the first error.
        lost: The first error.
    """

    strict = False
    lost: OSError | None = None

    def write(self, data: object, /) -> int:
        """Write, or pretend to."""
        size = memoryview(data).nbytes  # type: ignore[arg-type]
        if self.lost is not None:
            return size
        try:
            return super().write(data)  # type: ignore[arg-type]
        except OSError as error:
            self.lost = error
            if self.strict:
                raise OutputLost(error) from error
            return size


_output: _Raw | None = None


def secure() -> None:
    """Make the three streams usable for the rest of the process. The first thing that the program does."""
    global _output
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(
                os.open(os.devnull, os.O_RDWR), True
            )  # takes the lowest number, which is this one
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stdout, _output = _lenient(1, sys.stdout)
    _output.strict = True
    sys.stderr, _ = _lenient(2, sys.stderr)


def outlive_output() -> None:
    """From here on a lost standard output is given up silently: what the verb does matters more."""
    if _output is not None:
        _output.strict = False


def lost_output() -> OutputLost | None:
    """Why what was printed did not arrive; None when it did, or when nobody wanted it."""
    found = OutputLost(_output.lost) if _output is not None and _output.lost is not None else None
    return found if found and found.exit_code else None


def flush_output() -> None:
    """Write what is still held back.

    Raises:
        OutputLost: It cannot be written, and the verb does nothing but print.
    """
    sys.stdout.flush()


def _lenient(number: int, stream: TextIO | None) -> tuple[TextIO, _Raw]:
    raw = _Raw(number, "wb", closefd=False)
    made = io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(stream, "encoding", None) or "utf-8",
        errors=getattr(stream, "errors", None) or "replace",
        line_buffering=number == 2 or raw.isatty(),
    )
    return made, raw
