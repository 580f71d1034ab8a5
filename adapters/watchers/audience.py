"""Connects the observers of a controller: log, progress display, notifier."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.adapters.watchers import progress_for
from wpfsm.adapters.watchers.background import Background
from wpfsm.adapters.watchers.mlflow import LAST_SECONDS, Note, tracker_for
from wpfsm.adapters.watchers.notify import notifier_for
from wpfsm.adapters.watchers.run_log import log_for
from wpfsm.adapters.watchers.select import Watchers
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
def _tracked(given: Options, loop: Loop, note: Note) -> Iterator[Background | None]:
    """Send the loop to MLflow while it is driven, and what is left of it when everything else is over."""
    from wpfsm.adapters.aws.targets import history_of

    tracker = tracker_for(loop, lambda: history_of(given), note)
    if tracker is None:
        yield None
        return
    sending = Background(tracker, patience=LAST_SECONDS)
    try:
        yield sending
    finally:
        sending.close()
        if tracker.missed or tracker.sending:
            hint(
                f"note: MLflow does not have all of {loop.id}: {tracker.missed or 'it did not answer in time'}\n"
                f"  wpfsm resume {loop.id} sends it"
            )


@contextlib.contextmanager
def audience(given: Options, loop: Loop, history: History) -> Iterator[Audience]:
    """The audience of one ``start`` or ``resume``, from before the loop is taken over until it is let go."""
    with contextlib.ExitStack() as stack:
        log = log_for(given, loop)
        stack.callback(log.close)
        stack.callback(log.ended)
        log.began(loop)
        sending = stack.enter_context(_tracked(given, loop, log.note))
        watchers = stack.enter_context(progress_for(given, loop, history, log))
        notifier = notifier_for(loop, log.note)
        stack.callback(notifier.close)
        progress = Watchers([sending], watchers) if sending else watchers
        yield Audience(progress, notifier, log.boundary)
