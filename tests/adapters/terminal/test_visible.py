"""Text of a job cannot act on a terminal, nor hide in what is read."""

from __future__ import annotations

import json

import pytest

from wpfsm.adapters.terminal.visible import visible, visible_json


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\x1b]52;c;cm0=\x07", r"\x1b]52;c;cm0=\x07"),
        ("\x9b31m\x90q", r"\x9b31m\x90q"),
        ("a\rb\x08", r"a\x0db\x08"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("ok\U000e0041\U000e0042", r"ok\U000e0041\U000e0042"),
        ("\u200b\ufeff\u2028", r"\u200b\ufeff\u2028"),
        ("half \ud83d", r"half \ud83d"),
    ],
)
def test_what_acts_or_hides_is_written_out(printed: str, shown: str) -> None:
    """CSI, OSC, DCS, carriage return, direction, tags, nothing-to-see, halves of characters."""
    assert visible(printed) == shown


def test_what_people_write_stays() -> None:
    """Tabs, line ends, umlauts, Arabic, and an emoji of several parts."""
    text = "a\tb\nä é مرحبا 👩\u200d🔬"
    assert visible(text) == text


def test_json_says_the_same_without_the_characters_themselves() -> None:
    """A parser gets the job's own text; a terminal that shows the JSON does not."""
    text = "\x9b2J \u202e \U000e0041 \x7f \x1b"
    written = visible_json(json.dumps(text, ensure_ascii=False))
    assert json.loads(written) == text
    assert visible(written) == written
