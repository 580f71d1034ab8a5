"""Where the database is, and what lies beside it."""

from __future__ import annotations

import os
from pathlib import Path


def default_path() -> Path:
    """``$WPFSM_DB``, else ``wpfsm.db`` in the user's state directory."""
    if given := os.environ.get("WPFSM_DB"):
        return Path(given)
    import platformdirs

    return Path(platformdirs.user_state_dir("wpfsm")) / "wpfsm.db"


def real_path(database: Path) -> Path:
    """The database's one name, whatever links lead to it; a file that is not there yet has one too."""
    return Path(os.path.realpath(database))


def siblings(database: Path, kind: str) -> Path:
    """The folder beside the database for ``kind``: locks, sources, logs or the emulator's state.

    The file's real path counts: with a second spelling of it (a symbolic link) there would be a second lock
    for the same loop.
    """
    database = real_path(database)
    return database.with_name(database.name + ".d") / kind
