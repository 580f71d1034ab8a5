"""What the verbs share: text that other programs wrote, and lists that stay short."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wpfsm.adapters.terminal.output import decoded, duration_option, hint, hints_to, listed, read_text
from wpfsm.fsm.errors import UsageError


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_file_is_read_in_the_encoding_that_it_names(encoding: str) -> None:
    """PowerShell writes UTF-16, and some editors a mark before UTF-8."""
    assert decoded("Verlust ä = 0,5\r\nnext".encode(encoding)) == "Verlust ä = 0,5\nnext"


def test_bytes_that_are_no_text_do_not_hide_the_rest() -> None:
    """One bad byte of a log is one bad character."""
    assert decoded(b"loss \xff= 1") == "loss \ufffd= 1"


def test_what_the_aws_cli_saved_is_read_as_its_messages(tmp_path: Path) -> None:
    """`aws logs get-log-events > file` is a log, and a log that only begins like JSON stays as it is."""
    file = tmp_path / "log"
    file.write_text(json.dumps({"events": [{"message": "one"}, {"message": "two"}]}))
    assert read_text(file) == "one\ntwo"
    file.write_text('{"loss": 0.5}\n{"loss": 0.4}\n')
    assert read_text(file) == '{"loss": 0.5}\n{"loss": 0.4}\n'


def test_a_file_that_cannot_be_read_is_bad_usage(tmp_path: Path) -> None:
    """The message names the file, and the fix what could be given instead."""
    with pytest.raises(UsageError, match="nowhere") as error:
        read_text(tmp_path / "nowhere")
    assert "- for stdin" in error.value.fix


def test_a_long_list_ends_with_how_many_are_left() -> None:
    """A thousand files do not fill the screen."""
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(n) for n in range(10)], 3) == "0, 1, 2 and 7 more"


def test_a_duration_names_the_option_that_it_was_given_to() -> None:
    """The same words for every option that takes a time."""
    assert duration_option("--timeout", "10m") == 600
    with pytest.raises(UsageError, match="--timeout"):
        duration_option("--timeout", "soon")


def test_a_hint_goes_to_the_view_that_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    """Printed into it, it would tear its frame; afterwards it goes to stderr again."""
    shown: list[str] = []
    with hints_to(shown.append):
        hint("interrupted: releasing")
    hint("after it")
    assert shown == ["interrupted: releasing"]
    assert capsys.readouterr().err == "after it\n"
