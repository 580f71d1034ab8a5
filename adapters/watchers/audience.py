"""Connects the observers of a controller: log, progress display, notifier."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from wpfsm.adapters.terminal.output import Options
from wpfsm.adapters.watchers import progress_for
from wpfsm.adapters.watchers.notify import notifier_for
from wpfsm.adapters.watchers.run_log import log_for
from wpfsm.fsm.failpoints import Hook
from wpfsm.fsm.ports import History, Notifier, Progress
from wpfsm.fsm.records import Loop


@dataclass(frozen=True)
class Audience:
    """What :func:`wpfsm.adapters.engine.bootstrap.assemble` takes of it."""

    progress: Progress
    notifier: Notifier
    hook: Hook


@contextlib.contextmanager
def audience(given: Options, loop: Loop, history: History) -> Iterator[Audience]:
    """The audience of one ``start`` or ``resume``, from before the loop is taken over until it is let go."""
    with contextlib.ExitStack() as stack:
        log = log_for(given, loop)
        stack.callback(log.close)
        stack.callback(log.ended)
        log.began(loop)
        watchers = stack.enter_context(progress_for(given, loop, history, log))
        notifier = notifier_for(loop, log.note)
        stack.callback(notifier.close)
        yield Audience(watchers, notifier, log.boundary)
