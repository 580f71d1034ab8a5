"""Notifications arrive, and nothing that happens to one of them can fail or hold up a loop."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cli_bench import BROKEN, OK, Bench, wait_for

from wpfsm.adapters.watchers import notify
from wpfsm.adapters.watchers.notify import WebhookNotifier, event_of, notifier_for, require
from wpfsm.fsm.errors import MissingExtra
from wpfsm.fsm.loopfile.model import Notify
from wpfsm.fsm.records import Loop, Outcome, State

LOOP = Loop("l-1", "l", State.CLOSED, "local", "us-east-1", 0.0, 0.0, {}, outcome=Outcome.COMPLETED)


@dataclass
class Hook:
    """A webhook on loopback that keeps what it gets."""

    url: str
    status: int = 200
    got: list[Any] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A webhook."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if made.hold.is_set():
                made.release.wait(30)
            made.got.append(json.loads(body))
            made.headers.append(dict(self.headers))
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            if made.status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            made.got.append("a GET")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Hook(f"http://127.0.0.1:{server.server_port}/T0/secret-part")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.release.set()
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Notes:
    """What the log was told."""

    told: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, level: str, event: str, **fields: Any) -> None:
        self.told.append((level, event, fields))


def courier(tmp_path: Path, notes: Notes, *, seconds: float = 5.0, **asked: Any) -> WebhookNotifier:
    return WebhookNotifier(Notify(**asked), tmp_path, notes, seconds=seconds)


def program(tmp_path: Path, script: str) -> list[str]:
    file = tmp_path / "tell.sh"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return ["./tell.sh"]


def test_a_closed_loop_tells_command_and_webhook(bench: Bench, hook: Hook):
    """The real program tells both of them that the loop closed, the loop and the next command with it."""
    program(bench.folder, 'cat > told.json; echo "$WPFSM_EVENT" > kind')
    more = f"notify: {{command: [./tell.sh], urls: ['{hook.url}']}}"
    ran = bench.run("start", bench.loop("told", OK, more=more), "-o", "json")
    assert ran.code == 0, ran.err
    event = json.loads((bench.folder / "told.json").read_text())
    assert (bench.folder / "kind").read_text() == "closed\n"
    assert event["event"] == "closed"
    assert event["loop"] == {
        "id": ran.json["loop"]["id"], "name": "told", "state": "Closed", "backend": "local",
        "region": "us-east-1", "outcome": "completed",
    }  # fmt: skip
    assert event["next"] == ["wpfsm", "inspect", ran.json["loop"]["id"]]
    assert [got["event"] for got in hook.got] == ["closed"]
    assert hook.headers[0]["Content-Type"] == "application/json"


def test_a_hand_off_is_told_with_the_command_that_ends_it(bench: Bench, hook: Hook):
    """Who is told of a hand-off is told how to resume."""
    more = f"notify: {{urls: ['{hook.url}'], on: [handoff]}}"
    ran = bench.run("start", bench.loop("asks", BROKEN, more=more), "-o", "json")
    assert ran.code == 10, ran.err
    assert [(got["event"], got["next"]) for got in hook.got] == [
        ("handoff", ["wpfsm", "resume", ran.json["loop"]["id"]])
    ]


def test_a_program_that_fails_does_not_fail_the_loop(bench: Bench):
    """A command that fails is in the log, and the loop's exit code is its own."""
    program(bench.folder, "exit 7")
    more = "notify: {command: [./tell.sh], urls: ['http://127.0.0.1:1/nobody']}"
    ran = bench.run("start", bench.loop("deaf", OK, more=more), "-o", "json")
    assert ran.code == 0, ran.err
    log = (bench.folder / "wpfsm.db.d" / "logs" / f"{ran.json['loop']['id']}.jsonl").read_text()
    failed = [line for line in map(json.loads, log.splitlines()) if line["event"] == "not_notified"]
    assert {line["way"] for line in failed} == {"./tell.sh", "http://127.0.0.1"}
    assert any("exit code 7" in line["why"] for line in failed)


def test_telling_returns_at_once_and_a_late_program_is_ended_whole(tmp_path: Path):
    """A command that takes too long is killed with all that it started, and close waits no longer."""
    notes = Notes()
    command = program(tmp_path, "sleep 600 & echo $! > child; echo $$ > self; wait")
    made = courier(tmp_path, notes, seconds=0.5, command=command)
    began = time.monotonic()
    made.notify("closed", LOOP, "done")
    assert notes.told == [], "telling waits for no program"
    made.close()
    assert time.monotonic() - began < 60, "nobody waited for the program's ten minutes"
    assert [(level, event) for level, event, _ in notes.told] == [("warning", "not_notified")]
    for name in ("self", "child"):
        pid = int((tmp_path / name).read_text())
        assert wait_for(lambda pid=pid: gone(pid) or None, 5)


def gone(pid: int) -> bool:
    """Whether a process has ended; a zombie that nobody reaps has."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_webhook_that_does_not_answer_is_given_up(tmp_path: Path, hook: Hook):
    """A server that holds the connection costs the loop its seconds and no more."""
    hook.hold.set()
    notes = Notes()
    made = courier(tmp_path, notes, seconds=0.3, urls=[hook.url])
    began = time.monotonic()
    made.notify("closed", LOOP, "done")
    made.close()
    assert time.monotonic() - began < 60, "the server would have held it for ever"
    assert [event for _, event, _ in notes.told] == ["not_notified"]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_answer_that_is_no_success_is_noted(tmp_path: Path, hook: Hook, status: int):
    """Errors and redirects are failures; a redirect is not followed."""
    hook.status = status
    notes = Notes()
    made = courier(tmp_path, notes, urls=[hook.url])
    made.notify("closed", LOOP, "done")
    made.close()
    assert [event for _, event, _ in notes.told] == ["not_notified"]
    assert "a GET" not in hook.got


def test_the_log_names_an_address_by_its_host_alone(tmp_path: Path, hook: Hook):
    """The path of a webhook is its secret and is not written down."""
    notes = Notes()
    made = courier(tmp_path, notes, urls=[hook.url, "http://user:pw@127.0.0.1:1/secret-part"])
    made.notify("closed", LOOP, "done")
    made.close()
    assert len(notes.told) == 2
    assert "secret-part" not in str(notes.told)
    assert "pw" not in str(notes.told)


def test_only_what_was_asked_for_is_told(tmp_path: Path, hook: Hook):
    """``on`` chooses the events."""
    made = courier(tmp_path, Notes(), urls=[hook.url], on=["unconfirmed"])
    made.notify("closed", LOOP, "done")
    made.notify("unconfirmed", LOOP, "a pool may still bill")
    made.close()
    assert [got["event"] for got in hook.got] == ["unconfirmed"]
    assert hook.got[0]["next"] == ["wpfsm", "release", "l-1"]


def test_secrets_do_not_leave_with_an_event():
    """The reason of an event is redacted before it is sent."""
    event = event_of("closed", LOOP, "failed with AKIAIOSFODNN7EXAMPLE")
    assert "AKIAIOSFODNN7EXAMPLE" not in json.dumps(event)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Apprise imports a module that is going away
def test_other_addresses_go_through_apprise(tmp_path: Path, hook: Hook):
    """An address of Apprise's own is delivered by it, title and text."""
    pytest.importorskip("apprise")
    notes = Notes()
    made = courier(tmp_path, notes, urls=[hook.url.replace("http://", "json://")])
    made.notify("pool_lost", LOOP, "its keep-alive ran out")
    made.close()
    assert [event for _, event, _ in notes.told] == ["notified"], notes.told
    assert "its keep-alive ran out" in hook.got[0]["message"]
    assert hook.got[0]["title"] == "wpfsm: lost its pool"


def test_an_address_that_needs_apprise_is_refused_before_a_loop_begins(monkeypatch: pytest.MonkeyPatch):
    """A missing extra is said with the command that installs it; a running loop is not failed by it."""
    monkeypatch.setattr(notify, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra) as error:
        require(Notify(urls=["slack://a/b/c"]))
    assert error.value.exit_code == 3
    assert "wpfsm[notify]" in error.value.fix
    require(Notify(urls=["https://example.org/hook"]))


def test_a_loop_that_asks_for_nobody_has_no_courier():
    """Without a section nobody is told, and nothing is started."""
    job = {"request": "r.json"}
    pool = {"instance_type": "ml.m5.large"}
    loop = Loop(
        "l",
        "l",
        State.CLOSED,
        "local",
        "us-east-1",
        0.0,
        0.0,
        {"version": 1, "name": "l", "pool": pool, "job": job},
    )
    told = notifier_for(loop, Notes())
    assert isinstance(told, notify.NullNotifier)
    told.notify("closed", loop, "")
    told.close()


def test_what_is_no_address_is_refused_when_the_file_is_read(bench: Bench):
    """A notification that could never arrive is a bad loop file."""
    ran = bench.run("start", bench.loop("nowhere", OK, more="notify: {urls: [my-channel]}"))
    assert ran.code == 2
    assert "my-channel" in ran.err
