"""The live view of a loop at a terminal.

What has happened scrolls by above, a line a change; below it stands a panel that says where the loop is, what
the pool does and for how long, what it costs, how the metric moves, and what is being waited for. The panel
is drawn from the loop's rows; the controller's calls add what no row holds: the log's tail, live values.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.live import Live as Display
from rich.table import Table
from rich.text import Text

from wpfsm.adapters.terminal.driver_noise import Fold
from wpfsm.adapters.terminal.output import hints_to
from wpfsm.adapters.watchers.base import Watcher, own_stream
from wpfsm.adapters.watchers.panel import STATE_STYLE, Moving, clean, panel
from wpfsm.adapters.watchers.snapshot import snapshot
from wpfsm.fsm.ports import JobReading, LogLine
from wpfsm.fsm.records import Job, Loop, Trial
from wpfsm.state.database import explained, open_existing
from wpfsm.state.history import History

READ_SECONDS = 0.5
"""The rows are read again at most this often."""
DRAW_SECONDS = 0.1


class Live(Watcher):
    """Draws the view.

    Args:
        database: The SQLite file, read only.
        loop_id: The loop.
        stream: The terminal; standard error by default.
        clock: Epoch seconds.
    """

    def __init__(
        self,
        database: Path,
        loop_id: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._loop_id = loop_id
        self._clock = clock
        self._stream = stream or own_stream(sys.stderr)
        self._owned = stream is None and self._stream is not sys.stderr
        self._console = Console(file=self._stream, highlight=False)
        self._display = Display(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            vertical_overflow="crop",
        )
        self._moving = Moving()
        self._connection: sqlite3.Connection | None = None
        self._rows: tuple[Loop, Sequence[Job], Sequence[Trial]] | None = None
        self._total: int | None = None
        self._read_at = 0.0
        self._drawn_at = 0.0
        self._last_job = ""
        self._open = contextlib.ExitStack()
        self._notes: deque[str] = deque()
        self._fold = Fold()

    def open(self) -> None:
        """Connect and begin to draw."""
        self._connection = open_existing(self._database)
        self._read(self._clock())
        if self._rows:
            self._total = _total(self._rows[0])
        self._display.start()
        self._open.enter_context(hints_to(self._notes.append))

    def state(self, loop: Loop, why: str) -> None:
        """A line above the panel."""
        self._moving.waiting = ""
        self._line(Text(f"{loop.state:<10}", STATE_STYLE.get(loop.state, "")), Text(clean(why)))

    def job(self, job: Job, reading: JobReading | None) -> None:  # noqa: ARG002 - the port's signature
        """The job that the tail and the values belong to."""
        if job.name != self._moving.job:
            self._fold = Fold()
        self._moving.follow(job.name)

    def log(self, line: LogLine) -> None:
        """A line of the tail."""
        if text := clean(line.text).strip():
            self._moving.tail.extend(self._fold.feed(text))

    def metric(self, name: str, value: float) -> None:  # noqa: ARG002 - the port's signature
        """A live value."""
        self._moving.values.append(value)

    def waiting(self, what: str, until: float | None = None) -> None:
        """What the controller waits for, and since when."""
        if what != self._moving.waiting:
            self._moving.waiting, self._moving.waiting_since = what, self._clock()
        self._moving.waiting_until = until

    def trouble(self, error: Exception) -> None:
        """A line above the panel."""
        self._line(Text(clean(f"{type(error).__name__}: {error}"), style="red"))

    def tick(self) -> None:
        """Read what changed, and draw."""
        now = self._clock()
        self._show_notes()
        if now - self._read_at >= READ_SECONDS:
            self._read(now)
        if self._rows and now - self._drawn_at >= DRAW_SECONDS:
            self._drawn_at = now
            loop, jobs, trials = self._rows
            look = snapshot(loop, jobs, trials, now)
            self._display.update(
                panel(loop, look, self._moving, self._total, now, self._console.width), refresh=True
            )

    def close(self) -> None:
        """Take the panel away; what scrolled by stays."""
        with contextlib.ExitStack() as stack:
            if self._owned:
                stack.callback(self._stream.close)
            if self._connection:
                stack.callback(self._connection.close)
            stack.callback(self._show_notes)
            self._open.close()
            self._display.stop()

    def _show_notes(self) -> None:
        """Hints of this process, as lines above the panel: another thread has left them here."""
        while self._notes:
            self._console.print(Text(clean(self._notes.popleft())))

    def _line(self, *texts: Text) -> None:
        """A line above the panel; what does not fit goes on below the last text."""
        stamp = time.strftime("%H:%M:%S", time.localtime(self._clock()))
        row = Table.grid(padding=(0, 2))
        for _ in texts:
            row.add_column(no_wrap=True)
        row.add_column(overflow="fold")
        row.add_row(Text(stamp, "dim"), *texts)
        self._console.print(row)

    def _read(self, now: float) -> None:
        if self._connection is None:
            return
        self._read_at = now
        with explained(self._database):
            history = History(self._connection)
            self._rows = (
                history.find(self._loop_id),
                history.jobs(self._loop_id),
                history.trials(self._loop_id),
            )


def _total(loop: Loop) -> int | None:
    """How many trials the strategy will ask for; None when the outcomes decide."""
    from wpfsm.fsm.loopfile.model import LoopFile
    from wpfsm.fsm.strategies import Goal, build

    file = LoopFile.model_validate(loop.loop_file)
    goal = Goal(file.metric.name, file.metric.goal) if file.metric else None
    return build(file.strategy, goal, file.job.hyperparameters).total()
