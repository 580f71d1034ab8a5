"""The kernel's locks on files, which end with the process that holds them, however it ends."""

from __future__ import annotations

import fcntl
import time
from typing import IO

LOOK_SECONDS = 0.05
"""Between two tries of a lock that is held."""


def try_lock(file: IO[str] | IO[bytes] | int, *, shared: bool = False) -> bool:
    """Lock an open file without waiting; return whether it worked.

    Args:
        file: The file, or its descriptor.
        shared: Two that only look must not take each other for the holder.
    """
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def wait_for_lock(file: IO[str] | IO[bytes], deadline: float) -> bool:
    """Lock an open file, and wait for that; the system call itself knows no end to the wait.

    Args:
        file: The file.
        deadline: On the monotonic clock, in seconds. It is tried at least once.

    Returns:
        Whether it worked in time.
    """
    while not try_lock(file):
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True
