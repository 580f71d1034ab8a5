"""One live controller a loop and one loop a pool key, by locks that end with their process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wpfsm.fsm.errors import Held, StoreError
from wpfsm.fsm.records import Owner
from wpfsm.state.leases import STALE_SECONDS, acquire, inherit, is_held, refuse_live_owner
from wpfsm.state.paths import siblings

HOLDER = """
import sys, pathlib
from wpfsm.state.leases import acquire
lease = acquire(pathlib.Path(sys.argv[1]), "loop-a", what="loop a", holder="a")
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_is_told_who_the_first_is(tmp_path: Path) -> None:
    """The refusal names loop, host, pid and since when, and what to do."""
    lease = acquire(tmp_path, "loop-a", what="loop a", holder="a")
    with pytest.raises(Held) as refusal:
        acquire(tmp_path, "loop-a", what="loop a", holder="b")
    for words in (
        "loop a is held by a live controller",
        socket.gethostname(),
        f"pid {os.getpid()}",
        "since 20",
        "UTC",
    ):
        assert words in refusal.value.message
    assert refusal.value.fix == "wpfsm wait a, or wpfsm stop a"
    assert refusal.value.exit_code == 5
    lease.release()
    acquire(tmp_path, "loop-a", what="loop a", holder="b").release()


def test_a_lease_ends_with_its_process(tmp_path: Path) -> None:
    """Kill -9 frees the lease; a suspended process keeps it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    assert is_held(tmp_path, "loop-a")
    with pytest.raises(Held, match=f"pid {process.pid}"):
        acquire(tmp_path, "loop-a", what="loop a", holder="b")
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    assert not is_held(tmp_path, "loop-a")
    acquire(tmp_path, "loop-a", what="loop a", holder="b").release()


FULL = """
import pathlib, resource, signal, sys
from wpfsm.fsm.errors import StoreError
from wpfsm.state.leases import acquire, is_held
folder = pathlib.Path(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    acquire(folder, "loop-a", what="loop a", holder="a")
except StoreError as error:
    print(error, error.fix, is_held(folder, "loop-a"))
"""


def test_a_lease_that_cannot_be_written_is_not_held(tmp_path: Path) -> None:
    """A full disk is said to be the reason, with how to release without it, and nobody is locked out."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "loop-a.lock: File too large" in done.stdout
    assert "gc --apply" in done.stdout
    assert done.stdout.endswith("False\n")


def test_a_place_for_locks_that_is_none(tmp_path: Path) -> None:
    """A file in the place of the folder is named."""
    (tmp_path / "locks").touch()
    with pytest.raises(StoreError, match="locks"):
        acquire(tmp_path / "locks", "loop-a", what="loop a", holder="a")


def test_a_dead_owners_note_is_not_shown(tmp_path: Path) -> None:
    """A lock whose note names a dead process is held by somebody who has not written theirs yet."""
    import fcntl

    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    note = {"host": socket.gethostname(), "pid": dead.pid, "since": 0, "loop": "a"}
    path = tmp_path / "loop-a.lock"
    path.write_text(json.dumps(note))
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        reads = 0

        def slow_writer(seconds: float) -> None:
            nonlocal reads
            reads += 1
            if reads == 15:
                path.write_text(json.dumps({**note, "pid": os.getpid()}))

        patch = pytest.MonkeyPatch()
        patch.setattr("wpfsm.state.leases.time.sleep", slow_writer)
        with pytest.raises(Held, match=f"pid {os.getpid()}"):
            acquire(tmp_path, "loop-a", what="loop a", holder="b")
        patch.undo()


def test_an_owner_on_another_host_counts_while_it_is_heard_of() -> None:
    """Its heartbeat decides; one's own host is judged by the lock alone."""
    far = Owner("far-away", 7, 0.0, 1000.0)
    with pytest.raises(Held, match="host far-away, pid 7"):
        refuse_live_owner(far, 1000.0 + STALE_SECONDS, "a")
    refuse_live_owner(far, 1001.0 + STALE_SECONDS, "a")
    refuse_live_owner(Owner(socket.gethostname(), 7, 0.0, 1000.0), 1000.0, "a")
    refuse_live_owner(None, 1000.0, "a")


def test_a_lock_that_is_handed_down_is_never_free(tmp_path: Path) -> None:
    """The child goes on with the parent's lock; when the parent lets go nobody else can have it."""
    lease = acquire(tmp_path, "loop-a", what="loop a", holder="a")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        mine = inherit(tmp_path, "loop-a", descriptor=lease.fileno(), holder="a")
        os.write(write, b"y" if mine else b"n")
        time.sleep(60)
        os._exit(0)
    assert os.read(read, 1) == b"y"
    lease.hand_over()
    try:
        assert is_held(tmp_path, "loop-a")
        with pytest.raises(Held, match=f"pid {child}"):
            acquire(tmp_path, "loop-a", what="loop a", holder="b")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert not is_held(tmp_path, "loop-a")


def test_a_descriptor_of_another_right_is_not_taken(tmp_path: Path) -> None:
    """What an environment variable says is checked against the lock file itself."""
    other = acquire(tmp_path, "loop-b", what="loop b", holder="b")
    acquire(tmp_path, "loop-a", what="loop a", holder="a").release()
    assert inherit(tmp_path, "loop-a", descriptor=other.fileno(), holder="a") is None
    assert inherit(tmp_path, "loop-a", descriptor=9999, holder="a") is None
    other.release()


def test_a_second_spelling_of_the_database_is_the_same_owner(tmp_path: Path) -> None:
    """Locks lie beside the real file, whatever links lead to it."""
    folder = tmp_path / "real"
    folder.mkdir()
    (tmp_path / "folder").symlink_to(folder)
    (tmp_path / "file.db").symlink_to(folder / "w.db")
    spellings = [folder / "w.db", tmp_path / "folder" / "w.db", tmp_path / "file.db"]
    assert len({siblings(path, "locks") for path in spellings}) == 1
