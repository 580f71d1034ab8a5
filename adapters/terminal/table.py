"""Fits tables and sentences to a terminal. What goes to a pipe or a file keeps its lines whole."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Collection, Sequence

Rows = Sequence[Sequence[str]]

LEAST = 16
"""Columns that a cell of text keeps when it is shortened."""
INDENT = 6
"""Columns of the label that a line begins with; what is wrapped hangs below the text."""


def terminal_width() -> int | None:
    """Columns of the terminal that stdout is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def fit(rows: Rows, width: int | None, texts: Collection[str], spare: Sequence[str]) -> Rows:
    """A table for so many columns: texts are shortened, and where that is not enough, columns are left out.

    Args:
        rows: The first one holds the names of the columns.
        width: Columns of the terminal; None leaves the table as it is.
        texts: Names of the columns whose cells may be shortened.
        spare: Names of the columns that can be left out, the least needed first.
    """
    if width is None:
        return rows
    fitted = rows
    for count in range(len(spare) + 1):
        kept = [i for i, name in enumerate(rows[0]) if name not in spare[:count]]
        fitted = _shortened([[row[i] for i in kept] for row in rows], width, texts)
        if _width(_widths(fitted)) <= width:
            break
    return fitted


def wrap(line: str, width: int | None) -> str:
    """A labelled line for so many columns; words stay whole, so that a name or a path can be copied."""
    if width is None or len(line) <= width:
        return line
    return textwrap.fill(
        line,
        width,
        subsequent_indent=" " * INDENT,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=False,
    )


def short(text: str, most: int) -> str:
    """The first line of a text, cut to so many characters."""
    line = text.splitlines()[0] if text else ""
    return line if len(line) <= most else line[: most - 1] + "…"


def _shortened(rows: Rows, width: int, texts: Collection[str]) -> Rows:
    widths = _widths(rows)
    while _width(widths) > width:
        widest = max(
            (i for i, name in enumerate(rows[0]) if name in texts), key=lambda i: widths[i], default=-1
        )
        if widest < 0 or widths[widest] <= LEAST:
            break
        widths[widest] -= 1
    return [[short(cell, most) for cell, most in zip(row, widths, strict=True)] for row in rows]


def _widths(rows: Rows) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _width(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
