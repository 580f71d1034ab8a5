"""Folders and files that only their owner may read, from the moment they are made.

The database, the copies of the source and the logs of jobs hold what nobody else on the machine should see: a log
prints more than its author knows. A mode that is set afterwards leaves a moment in which anybody may open the file.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def private_folder(folder: Path) -> Path:
    """The folder, made with what is missing above it; each new one is its owner's alone. One that is there stays.

    Raises:
        OSError: It cannot be made.
    """
    if not folder.is_dir():
        if folder.parent != folder:
            private_folder(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        if not folder.is_dir():
            raise NotADirectoryError(20, "Not a directory", str(folder))
    return folder


def private(path: str, flags: int) -> int:
    """For ``open(..., opener=private)``: a file that is made is its owner's alone."""
    return os.open(path, flags, 0o600)
