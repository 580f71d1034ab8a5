"""What of a source folder never leaves this machine, and how its owner says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from wpfsm.adapters.host.ignore import FILE, rules_of


@pytest.mark.parametrize(
    "path", [".env", "conf/.env.production", "deep/down/id_rsa", "key.pem", ".aws/", "service-account-7.json"]
)
def test_what_holds_secrets_is_left_out_and_known_as_such(tmp_path: Path, path: str) -> None:
    """A password is left out for what it is, wherever it lies, and so can be told from clutter."""
    left_out, secret = rules_of(tmp_path)
    assert left_out(path)
    assert secret(path)


@pytest.mark.parametrize("path", [".git/", "src/__pycache__/", "a/b.pyc", ".venv/"])
def test_what_tools_leave_is_left_out_and_no_secret(tmp_path: Path, path: str) -> None:
    """Clutter needs no warning."""
    left_out, secret = rules_of(tmp_path)
    assert left_out(path)
    assert not secret(path)


@pytest.mark.parametrize("path", ["train.py", "data/a.csv", ".env.example", "environment.yaml", "keys.py"])
def test_what_a_job_may_need_goes_along(tmp_path: Path, path: str) -> None:
    """A name that only resembles a secret's is no secret."""
    assert not rules_of(tmp_path)[0](path)


def test_the_folders_own_file_has_the_last_word(tmp_path: Path) -> None:
    """Its lines come behind the built-in ones, and of those that fit the last decides."""
    (tmp_path / FILE).write_text("data/\n*.bin\n!keep.bin\n!.env\n")
    left_out, secret = rules_of(tmp_path)
    assert left_out("data/")
    assert left_out("model.bin")
    assert not left_out("keep.bin")
    assert not left_out(".env")
    assert secret(".env"), "wanted, and a secret all the same"


@pytest.mark.parametrize("line", ["!", "[z-a]"])
def test_a_line_that_is_no_pattern_is_refused_with_its_file(tmp_path: Path, line: str) -> None:
    """Whoever wrote it finds it: a rule that is passed over would upload what it should keep."""
    (tmp_path / FILE).write_text(f"data/\n{line}\n")
    with pytest.raises(ValueError, match=FILE):
        rules_of(tmp_path)
