"""What SQLite is told of a database of ours, and when its write-ahead log may be trusted."""

from __future__ import annotations

import sqlite3

APPLICATION_ID = 0x7770_666D
"""``wpfm`` in the header of the file, so that no other program's database is taken for ours."""


BUSY_SECONDS = 10.0


WAL_IS_SAFE = sqlite3.sqlite_version_info >= (3, 51, 3)
"""Before 3.51.3 a write-ahead log can be corrupted by two writers (SQLite's changelog), and `stop` is one."""
