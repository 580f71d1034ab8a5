"""Tells whoever asked to be told: a command, a webhook, or any service that Apprise knows.

A notification is best effort. Each goes out in a thread of its own and has a bounded time; none of them fails
the loop or makes it wait, and :meth:`WebhookNotifier.close` gives the last ones no longer than that time.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from wpfsm.adapters.terminal.commands import in_document
from wpfsm.adapters.terminal.visible import visible
from wpfsm.fsm.errors import MissingExtra
from wpfsm.fsm.failures.redact import redact
from wpfsm.fsm.loopfile.model import LoopFile, Notify
from wpfsm.fsm.records import JSON, Loop

SECONDS = 10.0
"""What one notification may take."""

TITLES = {
    "closed": "closed",
    "handoff": "waits for you",
    "pool_lost": "lost its pool",
    "unconfirmed": "RELEASE NOT CONFIRMED",
}

Note = Callable[..., None]
"""Takes a level, an event and fields: :meth:`wpfsm.adapters.watchers.run_log.LoopLog.note`."""


class NullNotifier:
    """Implements :class:`wpfsm.fsm.ports.Notifier` for a loop that tells nobody."""

    def notify(self, what: str, loop: Loop, text: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class WebhookNotifier:
    """Implements :class:`wpfsm.fsm.ports.Notifier`.

    Args:
        asked: The loop file's ``notify`` section.
        folder: Where the command runs: the loop file's folder.
        note: Told what was delivered and what was not; an address is named by its host alone.
        seconds: What one notification may take.
    """

    def __init__(self, asked: Notify, folder: Path, note: Note, *, seconds: float = SECONDS) -> None:
        self._asked = asked
        self._folder = folder
        self._note = note
        self._seconds = seconds
        self._under_way: list[threading.Thread] = []

    def notify(self, what: str, loop: Loop, text: str) -> None:
        """Send it to everybody who asked for this kind; returns at once."""
        if what not in self._asked.on:
            return
        event = in_document(event_of(what, loop, text))
        for name, deliver in self._ways(event):
            thread = threading.Thread(
                target=self._try, args=(name, what, deliver), name=f"wpfsm-notify-{what}", daemon=True
            )
            self._under_way.append(thread)
            with contextlib.suppress(RuntimeError):  # no more threads: then nobody is told
                thread.start()

    def close(self) -> None:
        """Wait for running deliveries, at most ``seconds`` + 1."""
        deadline = time.monotonic() + self._seconds + 1
        for thread in self._under_way:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def _ways(self, event: dict[str, JSON]) -> Sequence[tuple[str, Callable[[], None]]]:
        ways: list[tuple[str, Callable[[], None]]] = []
        if command := self._asked.command:
            ways.append((command[0], lambda: run(command, event, self._folder, self._seconds)))
        for url in self._asked.urls:
            send = post if is_webhook(url) else through_apprise
            ways.append((_host(url), lambda url=url, send=send: send(url, event, self._seconds)))  # type: ignore[misc]
        return ways

    def _try(self, name: str, what: str, deliver: Callable[[], None]) -> None:
        try:
            deliver()
        except Exception as error:  # noqa: BLE001 - whatever it is, the loop goes on
            self._note("warning", "not_notified", way=name, what=what, why=f"{type(error).__name__}: {error}")
        else:
            self._note("info", "notified", way=name, what=what)


def notifier_for(loop: Loop, note: Note, *, programs: bool = True) -> WebhookNotifier | NullNotifier:
    """The notifier that a loop's file asks for; without ``programs`` where the user's own programs are not."""
    asked = LoopFile.model_validate(loop.loop_file).notify
    if not programs:
        asked = asked.model_copy(update={"command": None})
    if not asked.command and not asked.urls:
        return NullNotifier()
    folder = Path(loop.loop_path).parent if loop.loop_path else Path.cwd()
    return WebhookNotifier(asked, folder, note)


def require(asked: Notify) -> None:
    """See that everything is there before a loop begins.

    Raises:
        MissingExtra: An address needs Apprise, which is not installed.
    """
    others = [url for url in asked.urls if not is_webhook(url)]
    if others and find_spec("apprise") is None:
        raise MissingExtra("notify", f"notify.urls: {urlsplit(others[0]).scheme}://")


def event_of(what: str, loop: Loop, text: str) -> dict[str, JSON]:
    """What is sent. ``text`` is one sentence, so that a plain chat webhook shows something of use."""
    return {
        "schema": "wpfsm/1",
        "event": what,
        "text": visible(redact(f"wpfsm {loop.id} {TITLES.get(what, what)}: {text}")),
        "why": redact(text),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "loop": {
            "id": loop.id,
            "name": loop.name,
            "state": str(loop.state),
            "backend": loop.backend,
            "region": loop.region,
            "outcome": str(loop.outcome) if loop.outcome else None,
        },
        "next": _next(what, loop),
    }


def is_webhook(url: str) -> bool:
    """Whether an address is a plain webhook; every other scheme is Apprise's."""
    return urlsplit(url).scheme in ("http", "https")


def run(command: Sequence[str], event: dict[str, JSON], folder: Path, seconds: float) -> None:
    """Give the event to a program as JSON on stdin; a late one is killed with all that it started.

    Raises:
        OSError: It cannot be started.
        RuntimeError: It failed, or took too long.
    """
    program = str(folder / command[0]) if os.sep in command[0] else command[0]
    # A session of its own: Ctrl-C is not meant for it, and it can be ended whole.
    child = subprocess.Popen(
        [program, *command[1:]],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={**os.environ, "WPFSM_EVENT": str(event["event"])},
        start_new_session=True,
    )
    try:
        child.communicate(json.dumps(event).encode(), timeout=seconds)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"took more than {seconds:g} s and was ended") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    if child.returncode:
        raise RuntimeError(f"exit code {child.returncode}")


def post(url: str, event: dict[str, JSON], seconds: float) -> None:
    """POST the event as JSON.

    Raises:
        OSError: No connection, no answer in time, or an answer of 300 or more.
    """
    request = urllib.request.Request(  # noqa: S310 - http and https alone come here
        url,
        data=json.dumps(event).encode(),
        headers={"Content-Type": "application/json", "User-Agent": "wpfsm"},
        method="POST",
    )
    # A redirect would repeat the event as a GET somewhere else: it is an error instead.
    opener = urllib.request.build_opener(_NoRedirect)
    with opener.open(request, timeout=seconds):
        pass


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def through_apprise(url: str, event: dict[str, JSON], seconds: float) -> None:  # noqa: ARG001 - Apprise has its own limits
    """Send title and text through Apprise.

    Raises:
        RuntimeError: Apprise is not there, does not know the address, or could not send.
    """
    if find_spec("apprise") is None:
        raise RuntimeError("Apprise is not installed: pip install 'wpfsm[notify]'")
    import apprise

    sender = apprise.Apprise()
    if not sender.add(url):
        raise RuntimeError("Apprise does not know this address")
    if not sender.notify(title=f"wpfsm: {TITLES[str(event['event'])]}", body=str(event["text"])):
        raise RuntimeError("Apprise could not send it")


def _next(what: str, loop: Loop) -> JSON:
    if what == "unconfirmed":
        return ["wpfsm", "release", loop.id]
    if what == "handoff":
        return list(loop.handoff.resume) if loop.handoff else ["wpfsm", "resume", loop.id]
    return ["wpfsm", "inspect", loop.id]


def _host(url: str) -> str:
    """Scheme and host: the rest of a webhook's address is its secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}"
