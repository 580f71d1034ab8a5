"""The kernel's locks on files, which end with the process that holds them, however it ends."""

from __future__ import annotations

import fcntl
from typing import IO


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
