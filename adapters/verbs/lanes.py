"""Drives a group of lanes: a process for each, and this one, which only waits and starts again what was killed.

The truth is in the rows. A lane goes on when this process is gone, and whoever resumes the group finds it driven.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType

from wpfsm.adapters.documents.event import event_line, event_object
from wpfsm.adapters.documents.lanes import resting, standing
from wpfsm.adapters.engine.bootstrap import INHERITED_LOCK, Controller, connect
from wpfsm.adapters.host.stop_request import StopSignals
from wpfsm.adapters.terminal.output import Options, hint, print_json
from wpfsm.adapters.terminal.streams import outlive_output
from wpfsm.adapters.verbs.detach import detached, queued
from wpfsm.adapters.verbs.loop_name import LANE
from wpfsm.adapters.watchers.base import NullProgress
from wpfsm.adapters.watchers.notify import NullNotifier
from wpfsm.fsm import controller
from wpfsm.fsm.context import Context
from wpfsm.fsm.errors import Held, NotConfirmed, Refused
from wpfsm.fsm.records import EXIT_CODES, Loop, Outcome, State
from wpfsm.fsm.resume import take_up_changes
from wpfsm.state import leases, store
from wpfsm.state.connection import PatientConnection
from wpfsm.state.history import History
from wpfsm.state.leases import Lease
from wpfsm.state.paths import siblings
from wpfsm.state.private import private, private_folder

HANDED_OFF, STILL_RUNNING = controller.HANDED_OFF, 11
LOOK_SECONDS = 0.2
"""Between two looks at the lanes and at the history."""
MOST_STARTS = 10
"""How often in a row a lane is started that dies without having done anything."""
_NOT_AGAIN = frozenset({2, 3, 4, 30})
"""Exit codes of a lane that the same process started again would end with. One that an orphan of an earlier parent
kept out (5) is started again when the orphan is gone."""


def own_group(given: Options, group: str) -> Lease:
    """Take the right to watch over a group, or go on with the one that the parent process handed down.

    Raises:
        Held: Another process watches over it.
    """
    locks, name = siblings(given.database, "locks"), f"group-{group}"
    descriptor = os.environ.pop(INHERITED_LOCK, "")
    if descriptor.isdigit() and (
        lease := leases.inherit(locks, name, descriptor=int(descriptor), holder=group)
    ):
        return lease
    return leases.acquire(locks, name, what=f"loop {group}", holder=group)


def drive_lanes(
    given: Options,
    connection: PatientConnection,
    group: Loop,
    *,
    lease: Lease | None = None,
    accept_changes: bool = False,
    forget_stop: bool = False,
    queue: bool = False,
) -> controller.Result:
    """Run every lane that is not closed, until all are, or wait for an answer.

    Raises:
        Held: Another process watches over the group.
    """
    outlive_output()
    lease = lease or own_group(given, group.id)
    parent = _Parent(
        given, History(connection), group.id, accept_changes=accept_changes, queue=queue or queued()
    )
    try:
        if forget_stop and not detached():
            store.forget_stop(connection, given.database, group.id)
        with parent.forwarding():
            parent.watch()
        return parent.result()
    finally:
        lease.release()


@dataclass
class _Lane:
    """One lane's process as its parent knows it."""

    process: subprocess.Popen[bytes] | None = None
    code: int | None = None
    starts: int = 0
    seen_version: int = -1
    heard: int = 0

    @property
    def lives(self) -> bool:
        """Whether the process runs; notes how it ended."""
        if self.process is not None and (code := self.process.poll()) is not None:
            self.process, self.code = None, code
        return self.process is not None


@dataclass
class _Parent:
    given: Options
    history: History
    group: str
    accept_changes: bool
    queue: bool
    lanes: dict[int, _Lane] = field(default_factory=dict)
    heard: int = 0

    def watch(self) -> None:
        """Start what is to be started, tell what happens, until nothing lives and nothing is left to do."""
        last = self.history.last_event(self.group)
        self.heard = last.seq if last else 0
        while True:
            rows = self.history.lanes(self.group)
            busy = False
            for row in rows:
                lane = self.lanes.setdefault(row.lane, _Lane())
                if lane.lives or self._driven_elsewhere(row):
                    busy = True
                elif self._is_due(row, lane, rows):
                    self._start(row, lane)
                    busy = True
            self._tell()
            if not busy:
                return
            time.sleep(LOOK_SECONDS)

    def result(self) -> controller.Result:
        """What the group came to."""
        loop = standing(self.history, self.history.find(self.group))
        if loop.state is State.CLOSED and loop.outcome is not None:
            return controller.Result(loop, EXIT_CODES[loop.outcome])
        if resting(self.history, loop) is not None:
            return controller.Result(loop, HANDED_OFF)
        codes = {
            number: lane.code for number, lane in self.lanes.items() if lane.code not in (None, 0, HANDED_OFF)
        }
        said = ", ".join(
            f"lane {number} ended with exit code {code}" for number, code in sorted(codes.items())
        )
        error = NotConfirmed(
            f"{said or 'its lanes ended'}; the group {self.group} is not closed, and a job or a pool of it may bill",
            fix=f"wpfsm resume {self.group} goes on with it, wpfsm release {self.group} only releases; "
            f"{siblings(self.given.database, 'logs')} has a log for each lane",
        )
        return controller.Result(loop, error.exit_code, error)

    def _driven_elsewhere(self, row: Loop) -> bool:
        """By a process of an earlier parent, which goes on without it."""
        locks = siblings(self.given.database, "locks")
        return row.state is not State.CLOSED and leases.is_held(locks, f"loop-{row.id}")

    def _is_due(self, row: Loop, lane: _Lane, rows: Sequence[Loop]) -> bool:
        if row.state is State.CLOSED:
            return False
        if lane.starts == 0:
            return True
        waits = lane.code == HANDED_OFF or (lane.code == Refused.exit_code and row.handoff is not None)
        # One that waits may find that a sibling took the answer: that too is a reason to have been started.
        if row.version != lane.seen_version or (waits and self.heard != lane.heard):
            lane.starts = 1
        if lane.starts >= MOST_STARTS:
            return False
        return self._has_answer(row, rows) if waits else lane.code not in _NOT_AGAIN

    def _has_answer(self, row: Loop, rows: Sequence[Loop]) -> bool:
        """Whether there is something to do again for a lane that waits in its own hand-off, or in a sibling's."""
        if any(each.outcome not in (None, Outcome.LET_GO) for each in rows):
            return True
        if row.handoff is not None and row.handoff.kind == "limit":
            return False  # it is raised by a `resume`, which starts every lane
        if any(p.status == "open" for p in self.history.proposals(self.group)):
            return True
        siblings_closed = all(each.state is State.CLOSED for each in rows if each.lane != row.lane)
        return row.lane == 1 and row.handoff is None and siblings_closed

    def _start(self, row: Loop, lane: _Lane) -> None:
        if lane.starts:
            hint(f"lane {row.lane} is started again")
        lane.starts, lane.seen_version, lane.heard = lane.starts + 1, row.version, self.heard
        log = siblings(self.given.database, "logs") / f"{row.id}.controller.log"
        private_folder(log.parent)
        accept = ["--accept-changes"] if self.accept_changes else []
        endpoint = ["--endpoint-url", self.given.endpoint_url] if self.given.endpoint_url else []
        command = [
            sys.executable,
            "-m",
            "wpfsm.cli",
            "resume",
            row.id,
            "--db",
            str(self.given.database.absolute()),
        ]
        environment = {**os.environ, LANE: str(row.lane), "WPFSM_DETACHED": "1"}
        with open(log, "ab", opener=private) as output:
            lane.process = subprocess.Popen(
                [*command, *accept, *endpoint],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a signal to the terminal's group reaches them once, through this process
                env=environment | ({"WPFSM_QUEUED": "1"} if self.queue else {}),
            )

    def _tell(self) -> None:
        for event in self.history.events(self.group, self.heard):
            self.heard = event.seq
            if self.given.output == "jsonl":
                print_json(event_object(event))
            elif self.given.output != "none":
                hint(event_line(event))

    @contextlib.contextmanager
    def forwarding(self) -> Iterator[None]:
        """What asks this process to stop asks the lanes."""

        def forward(number: int, _: FrameType | None) -> None:
            for lane in self.lanes.values():
                if lane.process is not None:
                    with contextlib.suppress(OSError):
                        lane.process.send_signal(number)

        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            numbers.append(signal.SIGHUP)
        before = {number: signal.signal(number, forward) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def take_up_answer(given: Options, connection: PatientConnection, group: Loop, *, accept: bool) -> None:
    """Take up what was changed since the hand-off that the group waits in, before any lane is started.

    Raises:
        Held: A live process drives the lane that waits.
        Refused: Nothing was changed, or what was changed is not accepted.
    """
    waiting = resting(History(connection), group)
    if waiting is not None:
        with _owning(given, connection, waiting) as owned:
            for note in take_up_changes(Context(owned.ports), accept=accept):
                hint(note)


def abandon_group(
    given: Options,
    connection: PatientConnection,
    group: Loop,
    outcome: Outcome,
    why: str,
    *,
    judged: Loop | None = None,
) -> None:
    """Send the group to its release: the end of any lane that was not let go is every lane's.

    With ``judged``, nothing is done once somebody has driven the first lane since.

    Raises:
        Held: A live process drives the lane.
    """
    lanes = History(connection).lanes(group.id)
    # The first lane may have been let go already, and wait for one that is not over.
    going_on = next((each for each in lanes if each.state not in (State.RELEASING, State.CLOSED)), lanes[0])
    with _owning(given, connection, going_on) as owned:
        if judged is not None:
            ours = int(going_on.id == judged.id)  # taking a lane over raises its epoch
            if History(connection).find(judged.id).epoch != judged.epoch + ours:
                raise Held(f"loop {judged.id} was taken up by somebody else a moment ago")
        controller.abandon(owned.ports, outcome, why)


@contextlib.contextmanager
def _owning(given: Options, connection: PatientConnection, lane: Loop) -> Iterator[Controller]:
    """One lane, for what is done to its rows before its process is started."""
    with contextlib.closing(StopSignals()) as signals:
        owned = connect(
            connection,
            given.database,
            lane,
            progress=NullProgress(),
            notifier=NullNotifier(),
            signals=signals,
        )
        try:
            yield owned
        finally:
            owned.close()
