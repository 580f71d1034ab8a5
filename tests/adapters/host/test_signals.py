"""Signals are acted on in a thread of their own, each once, in the order in which they came."""

from __future__ import annotations

import os
import signal
import threading

from wpfsm.adapters.host.signals import SignalThread


def test_signals_are_acted_on_in_order_elsewhere() -> None:
    """The thread that a signal interrupts may hold the lock that acting on it needs."""
    seen: list[tuple[int, bool]] = []
    main = threading.current_thread()
    relay = SignalThread(lambda number: seen.append((number, threading.current_thread() is main)))
    for number in (15, 2, 15):
        relay.send(number)
    relay.close()
    assert seen == [(15, False), (2, False), (15, False)]


def test_a_handler_never_waits_for_the_one_who_acts() -> None:
    """Thousands of signals while the first is acted on: sending returns at once, and close ends."""
    go = threading.Event()
    acted: list[int] = []

    def act(number: int) -> None:
        go.wait(30)
        acted.append(number)

    relay = SignalThread(act)
    for _ in range(100_000):  # more than a pipe holds
        relay.send(2)
    assert acted == []
    threading.Timer(0.1, go.set).start()
    relay.close()  # while the pipe is full: its last word waits for room
    assert len(acted) > 1000


def test_a_real_signal_reaches_the_thread() -> None:
    """A handler of this process sends, and the thread acts."""
    seen: list[int] = []
    relay = SignalThread(seen.append)
    before = signal.signal(signal.SIGUSR1, lambda number, _: relay.send(number))
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    relay.close()
    assert seen == [signal.SIGUSR1]
