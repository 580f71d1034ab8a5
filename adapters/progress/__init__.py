"""Who watches a controller: a person at a terminal, a log file, a program that reads events, nobody.

Data goes to stdout, progress to stderr. A watcher never fails a loop and never makes it wait: each one works
in a thread of its own (:mod:`wpfsm.adapters.progress.background`).
"""

from __future__ import annotations

from wpfsm.adapters.progress.base import Silent
from wpfsm.adapters.progress.choosing import progress_for
from wpfsm.adapters.progress.events import event_document
from wpfsm.adapters.progress.lines import Lines

__all__ = ["Lines", "Silent", "event_document", "progress_for"]
