"""A signal may come between any two instructions of the main thread."""

from __future__ import annotations

import functools
import itertools
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Self

import pytest

from wpfsm.adapters.host.clock import WallClock
from wpfsm.adapters.host.stop_request import StopSignals


@pytest.fixture(autouse=True)
def _end_of_a_deadlock() -> Iterator[None]:
    """What blocks here blocks for ever: end it as a failure."""

    def fail(*_: object) -> None:
        raise AssertionError("blocked for 30 s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


class Interruption:
    """Runs something once, before the nth line of what follows, in the same thread: as a handler does."""

    def __init__(self, at: int, act: Callable[[], None]) -> None:
        self._left = at
        self._act = act

    @property
    def happened(self) -> bool:
        """Whether there were as many lines."""
        return self._left == 0

    def __enter__(self) -> Self:
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _trace(self, _: FrameType, event: str, __: Any) -> Any:
        if event == "line" and self._left:
            self._left -= 1
            if not self._left:
                self._act()
        return self._trace


def test_a_signal_at_any_line_of_a_pause():
    """It neither blocks the controller nor is lost, whatever lock the pause holds at that instant."""
    for at in itertools.count(1):
        told: list[tuple[str, int]] = []
        signals = StopSignals(lambda reason, count, told=told: told.append((reason, count)))  # type: ignore[misc]
        clock = WallClock(signals)
        with Interruption(at, functools.partial(signals.handle, signal.SIGINT)) as interruption:
            clock.pause(0.01)
        signals.close()
        if not interruption.happened:
            assert at > 10, "a pause has more lines than that"
            return
        assert (signals.reason, told) == ("interrupted", [("interrupted", 1)])
        assert signals.event.is_set()


def test_each_signal_is_told_and_the_first_gives_the_reason():
    """Two signals in a row: both are told, the exit code is that of the first."""
    told: list[tuple[str, int]] = []
    signals = StopSignals(lambda reason, count: told.append((reason, count)))
    signals.handle(signal.SIGTERM)
    signals.handle(signal.SIGINT)
    signals.close()
    assert told == [("terminated", 1), ("terminated", 2)]
    assert signals.event.is_set()
    signals.handle(signal.SIGINT)
    assert len(told) == 2, "nobody listens any more"


def test_what_is_told_may_be_printed_within_a_print():
    """A handler that printed itself would raise in the middle of the line that it interrupts."""
    program = """if True:
        import sys
        from wpfsm.adapters.host.stop_request import StopSignals

        signals = StopSignals(lambda *_: print("told", file=sys.stderr, flush=True))
        signals.install()
        print("x" * 10_000_000, file=sys.stderr, flush=True)
        signals.close()
    """
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        # A pipe holds far less than the line: after its first character the line is still being printed.
        assert process.stderr.read(1) == "x"
        process.send_signal(signal.SIGINT)
        assert "told" in process.stderr.read()
    assert process.returncode == 0
