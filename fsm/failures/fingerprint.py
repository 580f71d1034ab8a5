"""The identity of a bug: equal across jobs, different for different bugs.

What changes from one job to the next is taken out of the message (numbers, sizes, times, addresses, folders, job
names, generated ids); what names the bug stays: the exception, the quoted names, the names of files, the function
it came from.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

_GENERATED = re.compile(r"^\.?tmp|[0-9a-f]{8}", re.IGNORECASE)


def _path(match: re.Match[str]) -> str:
    """``<path>``, and the file's own name: which file is missing is what names that bug."""
    name = match.group().rpartition("/")[2]
    if not re.fullmatch(r"[\w-]+\.[A-Za-z]{1,10}", name) or _GENERATED.search(name):
        return "<path>"
    return "<path> " + re.sub(r"\d+", "#", name)


_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\x1b\[[0-9;?]*[A-Za-z]"), ""),
    (re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"]+", re.IGNORECASE), "<url>"),
    (re.compile(r"\barn:[\w-]+:[\w-]*:[\w-]*:\d*:[^\s'\"]+"), "<arn>"),
    (
        re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\w-])"),
        "<time>",
    ),
    (re.compile(r"\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?"), "<time>"),
    (re.compile(r"\bRequest ID: [^)\s]+", re.IGNORECASE), "<id>"),
    (
        re.compile(r"(?<![\w<])(?:~|\.{1,2})?(?:/[\w.@+~=-]+)+/?|(?<![\w<])[\w.@+-]+(?:/[\w.@+-]+)+/?"),
        _path,
    ),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "<address>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)+-\d+\b"), "<job>"),
    (re.compile(r"\b\d+(?:\.\d+)?\s?(?:[KMGT]i?B|bytes)\b"), "<size>"),
    (re.compile(r"\b\d+(?:x\d+)+\b"), "<shape>"),
    (
        re.compile(
            r"(?<![\w.])[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?(?:(?:ms|us|s)\b)?(?![A-Za-z_])", re.IGNORECASE
        ),
        "<n>",
    ),
    (re.compile(r"<n>(?:, ?<n>)+"), "<n>"),
    (re.compile(r"\s+"), " "),
)


def normalise(text: str) -> str:
    """The text without what differs between two runs of the same bug."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.strip()


def fingerprint(class_: str, message: str, *, where: str = "", about: str = "") -> str:
    """Sixteen hexadecimal digits that name the bug.

    Args:
        class_: the failure class.
        message: the exception's headline or the line that decided, as printed.
        where: ``file:function`` of the user's own code, without the line number, which moves with every edit.
        about: the distribution or module at fault, where the class has one.
    """
    parts = (class_, normalise(message), where, about.lower())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
