"""pip's settings in uv's words, and when uv's answer is not taken."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from wpfsm.adapters.aws.job_launcher.uv import index_options, resolve


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("configparser.RawConfigParser.read", lambda *_: [])


def test_the_index_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://a.example/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://b.example/simple https://c.example/simple")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    options = index_options()
    assert options is not None
    assert options[2:] == [
        "--index-url", "https://a.example/simple",
        "--extra-index-url", "https://b.example/simple", "--extra-index-url", "https://c.example/simple",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["PIP_PRE", "PIP_NO_BINARY", "PIP_REQUIRE_HASHES"])
def test_a_setting_that_uv_cannot_be_told_leaves_it_to_pip(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "1")
    assert index_options() is None


def uv_that_answers(folder: Path, answer: str, code: int = 0) -> str:
    """A program in the place of uv, which writes an answer to its output file."""
    path = folder / "uv"
    path.write_text(
        f'#!/bin/sh\nwhile [ "$1" != --output-file ]; do shift; done\ncat > "$2" <<END\n{answer}\nEND\nexit {code}\n'
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize(
    ("answer", "code", "missing"),
    [
        ("numpy==2.0\nspam==1.0", 0, ["spam==1.0"]),
        ("numpy==2.1\nspam==1.0", 0, None),  # the image has 2.0: whether that will do is pip's to say
        ("spam @ https://index.example/spam.whl", 0, None),
        ("", 1, None),
    ],
)
def test_only_what_the_image_lacks_is_missing(
    tmp_path: Path, answer: str, code: int, missing: list[str] | None
) -> None:
    brought = tmp_path / "site-packages"
    (brought / "numpy-2.0.dist-info").mkdir(parents=True)
    uv = uv_that_answers(tmp_path, answer, code)
    assert resolve(uv, "python3", str(tmp_path), "requirements.txt", [str(brought)]) == missing
