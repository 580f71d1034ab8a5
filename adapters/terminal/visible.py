"""Text that cannot act on the terminal that shows it, nor hide from the person or agent that reads it.

A job prints what it likes: sequences that clear the screen, set the clipboard or answer as if typed; characters that
turn the reading direction; tag characters that no screen shows and a language model reads. All of them are written
out as escapes. JSON needs none of that for the old control characters, and all of it for the newer ones.
"""

from __future__ import annotations

import re

_ACTING = (
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but for tab and line feed, DEL, C1: CSI, OSC and DCS begin with one
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction
    r"\u200b\u2060-\u2065\u206a-\u206f\ufeff\u180e"  # nothing to see
    r"\u2028\u2029\ufff9-\ufffb\ud800-\udfff"  # line ends that are none, annotations, halves of characters
    r"\U000e0000-\U000e0fff"  # tags, and selectors in which text can be hidden
)
_ANY = re.compile(f"[{_ACTING}]")


def visible(text: str) -> str:
    """The text with every such character written as the escape of a Python string; tabs and line ends stay."""
    return _ANY.sub(_escape, text)


def visible_json(text: str) -> str:
    """JSON with the same characters as JSON's own escapes: whoever parses it gets the text as it was."""
    return _ANY.sub(_json_escape, text)


def _escape(found: re.Match[str]) -> str:
    point = ord(found[0])
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def _json_escape(found: re.Match[str]) -> str:
    point = ord(found[0])
    if point < 0x10000:
        return f"\\u{point:04x}"
    point -= 0x10000
    return f"\\u{0xD800 + (point >> 10):04x}\\u{0xDC00 + (point & 0x3FF):04x}"
