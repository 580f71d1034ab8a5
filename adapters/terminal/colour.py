"""Colour for what a person looks at: the words of states and outcomes, and the labels of lines.

It is put on at the very end, onto text in which nothing of a job's could act on a terminal any more.
"""

from __future__ import annotations

import os
import re
import sys

_GREEN, _RED, _YELLOW, _DIM, _BOLD, _END = (f"\x1b[{code}m" for code in ("32", "31", "33", "2", "1", "0"))
_HEAD = re.compile(r"^(?:LOOP|JOB) {2,}[A-Z].*$")
_TITLE = re.compile(r"^loop \S+(?=: )")
_LABEL = re.compile(
    r"^(?:why|best|diff|cost|pool|lost|keep|risk|drive|next|phase \d+|hand-off:)(?= )| {2}# .*$"
)
_WORDS = {
    _GREEN: r"Completed|completed|goal_met|kept|warm|released",
    _RED: r"Failed|failed|dead|unconfirmed|crashed|Rejected",
    _YELLOW: r"cold|InProgress|Stopped|Stopping|interrupted|limit|handed_off|~?in \d+ (?:s|min|h|days)(?: \d\d (?:s|min))?",
}
_WORD = {colour: re.compile(rf"(?<![\w=./-])(?:{words})(?![\w=/-]|\.\w)") for colour, words in _WORDS.items()}
_INDENTED = re.compile(r"^\s+\|")
"""Lines of evidence: a log's, and not ours to colour."""


def wanted() -> bool:
    """Whether stdout is a terminal that shows colours, and nobody has asked for none (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def painted(text: str) -> str:
    """The text with its colours; what is read without them is the same."""
    return "\n".join(map(_line, text.split("\n")))


def _line(line: str) -> str:
    if _HEAD.match(line):
        return f"{_DIM}{line}{_END}"
    if _INDENTED.match(line):
        return line
    for colour, words in _WORD.items():
        line = words.sub(rf"{colour}\g<0>{_END}", line)
    line = _TITLE.sub(rf"{_BOLD}\g<0>{_END}", line)
    return _LABEL.sub(rf"{_DIM}\g<0>{_END}", line)
