"""Cutting output into the lines of a log."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wpfsm.adapters.emulator.runner.processes import LONGEST_LINE, Lines


def lines_of(*chunks: bytes) -> list[str]:
    cutter = Lines()
    return [line for chunk in chunks for line in cutter.feed(chunk)] + cutter.rest()


@given(text=st.text(), cuts=st.lists(st.integers(0, 100), max_size=5))
def test_lines_do_not_depend_on_how_the_bytes_arrive(text: str, cuts: list[int]) -> None:
    """However a pipe delivers them, the same bytes are the same lines, and none is empty."""
    data = text.encode()
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    chunks = [data[start:end] for start, end in pairwise(places)]
    expected = [line.rstrip("\r") for line in data.decode().split("\n")]

    assert lines_of(*chunks) == [line for line in expected if line]


@given(data=st.binary())
def test_bytes_that_are_no_text_become_lines_too(data: bytes) -> None:
    """Invalid UTF-8 never stops a log."""
    assert all(isinstance(line, str) and line for line in lines_of(data))


def test_a_line_that_is_too_long_for_an_event_is_cut() -> None:
    """No byte of a long line is lost, no piece is longer than an event."""
    data = b"x" * (2 * LONGEST_LINE + 5)
    for chunks in ((data,), (data, b"\n"), tuple(data[i : i + 65536] for i in range(0, len(data), 65536))):
        pieces = lines_of(*chunks)
        assert max(map(len, pieces)) <= LONGEST_LINE
        assert "".join(pieces).encode() == data
