"""Who watches a controller: a person at a terminal, a log file, a program that reads events, nobody.

Data goes to stdout, progress to stderr. A watcher never fails a loop and never makes it wait: each one works
in a thread of its own (:mod:`wpfsm.adapters.watchers.background`).
"""

from __future__ import annotations

from wpfsm.adapters.watchers.base import NullProgress
from wpfsm.adapters.watchers.jsonl import event_document
from wpfsm.adapters.watchers.lines import LineWatcher
from wpfsm.adapters.watchers.select import progress_for

__all__ = ["LineWatcher", "NullProgress", "event_document", "progress_for"]
