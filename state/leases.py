"""The right to drive a loop and the right to use a pool key: kernel locks that end with their process.

``flock`` is released by the kernel however a process ends, and kept while it is merely suspended, so on one
host there is never a second owner. Across hosts, where a shared file system may not honour the lock, the
owner row's heartbeat tells who is alive; safety there still comes from the epoch and from the job's name.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import time
from pathlib import Path
from typing import IO

from wpfsm.fsm.errors import Held, StoreError
from wpfsm.fsm.records import Owner
from wpfsm.state.private import private, private_folder

STALE_SECONDS = 60.0
"""An owner on another host whose heartbeat is older than this is taken for dead."""


class Lease:
    """One exclusive right, held from :func:`acquire` until :meth:`release` or the end of the process."""

    def __init__(self, file: IO[str], *, shared: bool = False) -> None:
        self._file = file
        self._shared = shared

    def share(self) -> None:
        """Let others of the same holder have it too."""
        fcntl.flock(self._file, fcntl.LOCK_SH)
        self._shared = True

    def fileno(self) -> int:
        """The locked descriptor, to be inherited by the process that goes on with the loop."""
        return self._file.fileno()

    def release(self) -> None:
        """Give the right back."""
        if not self._shared:  # else the others' name is still true
            with contextlib.suppress(ValueError, OSError):
                self._file.truncate(0)
        with contextlib.suppress(OSError):
            self._file.close()

    def hand_over(self) -> None:
        """Let go without giving the right back: a child that inherited the descriptor has it from here on."""
        with contextlib.suppress(OSError):
            self._file.close()


def acquire(folder: Path, name: str, *, what: str, holder: str) -> Lease:
    """Take the right called ``name``, or say who has it.

    Args:
        folder: Where the lock files are.
        name: File name of the right, without suffix.
        what: How to call it in the message, such as ``loop lr-3k2f9a``.
        holder: What takes it, for the message that others get.

    Raises:
        Held: Another live process has it; the message names host, pid and since when.
        StoreError: The folder cannot be written: it is read-only, or its disk is full.
    """
    path = folder / f"{name}.lock"
    try:
        private_folder(folder)
        return _acquired(path, what, holder)
    except OSError as error:
        raise StoreError(
            f"{path}: {error.strerror}, and no controller drives a loop without its lock",
            fix="make room or give the right to write there; without the database, `wpfsm gc --apply` finds and "
            "releases the pools of every loop by their jobs' tags, and `wpfsm release --job NAME` one of them",
        ) from error


def _acquired(path: Path, what: str, holder: str) -> Lease:
    file = open(path, "a+", encoding="utf-8", opener=private)  # noqa: SIM115 - has an opener; the lease closes it
    if not _locked(file):
        note = _note(file)
        file.close()
        raise Held(f"{what} is held by {_holder(note)}", fix=_fix(note))
    return _signed(file, holder)


def acquire_together(folder: Path, name: str, *, what: str, holder: str) -> Lease:
    """Take the right called ``name`` together with others of the same holder: the lanes of one group.

    Whoever is first writes the holder's name under the exclusive lock and then shares it; whoever comes later
    shares it when the name is its own.

    Raises: as :func:`acquire`.
    """
    path = folder / f"{name}.lock"
    for _ in range(50):
        with contextlib.suppress(Held):
            lease = acquire(folder, name, what=what, holder=holder)
            lease.share()
            return lease
        file = open(path, "a+", encoding="utf-8", opener=private)  # noqa: SIM115 - the lease closes it
        shared, mine = _try_lock(file, fcntl.LOCK_SH), _holder_of(path) == holder
        if shared and mine:
            return Lease(file, shared=True)
        file.close()
        if not mine:
            break
        time.sleep(0.02)  # a sibling is just writing its name
    return acquire(folder, name, what=what, holder=holder)


def _holder_of(path: Path) -> str:
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["loop"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def inherit(folder: Path, name: str, *, descriptor: int, holder: str) -> Lease | None:
    """Go on with the right called ``name`` that the parent process took and handed down.

    Args:
        folder: Where the lock files are.
        name: File name of the right, without suffix.
        descriptor: The locked descriptor that was inherited.
        holder: What takes it, for the message that others get.

    Returns:
        The lease; None when the descriptor is not the lock of that right.
    """
    try:
        os.set_inheritable(descriptor, False)
        if not os.path.samestat(os.fstat(descriptor), (folder / f"{name}.lock").stat()):
            return None
        file = os.fdopen(descriptor, "a+", encoding="utf-8")
    except OSError:
        return None
    return _signed(file, holder) if _locked(file) else None


def _signed(file: IO[str], holder: str) -> Lease:
    """Write into the locked file who has it."""
    lease = Lease(file)
    try:
        file.seek(0)
        file.truncate(0)
        me = {"host": os.uname().nodename, "pid": os.getpid(), "since": time.time(), "loop": holder}
        json.dump(me, file)
        file.flush()
    except OSError:
        lease.release()
        raise
    return lease


def _locked(file: IO[str]) -> bool:
    """Try for a tenth of a second: :func:`is_held` takes the lock for a moment too."""
    for _ in range(10):
        if _try_lock(file, fcntl.LOCK_EX):
            return True
        time.sleep(0.01)
    return False


def _try_lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _note(file: IO[str]) -> str:
    """Read the holder's note. The holder locks before it writes, so retry while the note names a dead process."""
    note = ""
    for _ in range(50):
        file.seek(0)
        note = file.read()
        if _is_of_a_live_process(note):
            break
        time.sleep(0.01)
    return note


def _is_of_a_live_process(note: str) -> bool:
    try:
        data = json.loads(note)
        if data["host"] == os.uname().nodename:
            os.kill(int(data["pid"]), 0)
    except (ValueError, KeyError, TypeError, ProcessLookupError):
        return False
    except PermissionError:
        return True  # somebody else's process, and alive
    return True


def is_held(folder: Path, name: str) -> bool:
    """Whether a live process has the right called ``name``."""
    # Shared: two that look at the same moment must not take each other for a controller.
    return _is_locked(folder / f"{name}.lock", fcntl.LOCK_SH)


def anybody_drives(folder: Path, loop_id: str) -> bool:
    """Whether a live process drives the loop: its controller, a lane of its group, or who watches over that."""
    own = re.compile(rf"loop-{re.escape(loop_id)}(-l\d+)?\.lock")
    names = [path.name for path in folder.glob(f"loop-{loop_id}*.lock") if own.fullmatch(path.name)]
    return any(is_held(folder, name.removesuffix(".lock")) for name in [*names, f"group-{loop_id}.lock"])


def _is_locked(path: Path, kind: int) -> bool:
    if not path.exists():
        return False
    with path.open("a+") as file:
        return not _try_lock(file, kind)


def refuse_held(folder: Path, name: str, *, what: str) -> None:
    """Refuse what needs a right that another live process has, without taking it.

    Raises:
        Held: The message names the holder.
    """
    path = folder / f"{name}.lock"
    for _ in range(5):
        # Exclusively, for the lanes of a group share it; and again, for whoever only looks has it for a moment too.
        if not _is_locked(path, fcntl.LOCK_EX):
            return
        time.sleep(0.01)
    with path.open("a+", encoding="utf-8") as file:
        note = _note(file)
    raise Held(f"{what} is held by {_holder(note)}", fix=_fix(note))


def refuse_live_owner(owner: Owner | None, now: float, loop_id: str) -> None:
    """Refuse a loop whose owner on another host was alive a moment ago.

    Raises:
        Held: Its heartbeat is younger than :data:`STALE_SECONDS`.
    """
    if owner is None or owner.host == os.uname().nodename or now - owner.heartbeat > STALE_SECONDS:
        return
    age = now - owner.heartbeat
    raise Held(
        f"loop {loop_id} is held by a live controller: host {owner.host}, pid {owner.pid}, "
        f"last heard of {age:.0f} s ago",
        fix=f"wpfsm stop {loop_id}, or try again {STALE_SECONDS - age:.0f} s from now if that host is dead",
    )


def _holder(note: str) -> str:
    try:
        data = json.loads(note)
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(data["since"]))
        return (
            f"a live controller: loop {data['loop']}, host {data['host']}, pid {data['pid']}, since {since}"
        )
    except (ValueError, KeyError, TypeError):
        return "a live controller"


def _fix(note: str) -> str:
    try:
        loop = json.loads(note)["loop"]
    except (ValueError, KeyError, TypeError):
        return "wait for it, or stop it with wpfsm stop"
    return f"wpfsm wait {loop}, or wpfsm stop {loop}"
