"""Damage inside the file is said to be damage, whoever meets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from state_rows import LOOP, events

from wpfsm.cli import cli
from wpfsm.fsm.errors import StoreError


def test_a_corrupt_page_is_said_to_be_one(path: Path) -> None:
    """Damage inside the file is an error of the store, never an empty answer."""
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 8] = b"\xff" * 8
    path.write_bytes(bytes(content))
    with pytest.raises(StoreError, match=r"corrupt|malformed") as refusal:
        events(path)
    assert "nothing committed was lost" not in refusal.value.fix


def test_damaged_text_is_an_error(path: Path) -> None:
    """Bytes that are no text are an error of the store too, though SQLite gives it no name."""
    content = path.read_bytes()
    assert b"from a file" in content
    path.write_bytes(content.replace(b"from a file", b"from \xff file"))
    with pytest.raises(StoreError, match="UTF-8"):
        events(path)


@pytest.mark.parametrize(("was", "becomes"), [
    (b"us-east-1", b"us-\xff\xffst-1"),  # text that is none
    (b'{"version":1}', b'{"version";1}'),  # JSON that is none
    (b"Preflight", b"Preflught"),  # a state that nobody knows
])  # fmt: skip
@pytest.mark.parametrize("verb", ["inspect", "resume", "release", "stop", "wait"])
def test_damage_inside_a_row_is_no_riddle(path: Path, was: bytes, becomes: bytes, verb: str) -> None:
    """Whoever meets a damaged row learns that the file is damaged, and how to release without it."""
    content = path.read_bytes()
    assert was in content
    path.write_bytes(content.replace(was, becomes))
    result = CliRunner().invoke(cli, [verb, LOOP.id, "--db", str(path)])
    assert result.exit_code == 75, result.output
    assert "damaged; the file was left as it is" in result.output
    assert "release --job" in result.output
    assert "nothing committed was lost" not in result.output
