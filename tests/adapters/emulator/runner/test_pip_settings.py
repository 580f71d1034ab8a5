"""pip's settings reach a job, credentials do not."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runner_bench import Bench, Sink, shell_job

from wpfsm.adapters.emulator.runner.pip_settings import carries_credentials, pip_configuration

word = st.text("abcdefghij0123456789-.", min_size=1, max_size=12)


def read(text: str) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return dict(parser.items("global"))


def test_settings_of_the_environment_and_of_the_users_file_are_carried(tmp_path: Path) -> None:
    """A variable wins over the user's file, as it does for pip."""
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text(
        "[global]\nindex-url = https://mirror.example/simple\nretries = 9\n[install]\nprefer-binary = true\n"
    )
    found = read(pip_configuration({"HOME": str(tmp_path), "PIP_RETRIES": "1", "SSL_CERT_FILE": "/ca.pem"}))

    assert found["index-url"] == "https://mirror.example/simple"
    assert (found["retries"], found["prefer-binary"]) == ("1", "true")
    assert "cert" in found


@given(
    user=word,
    password=word,
    host=word,
    variable=st.sampled_from(["PIP_INDEX_URL", "HTTPS_PROXY", "PIP_FIND_LINKS"]),
)
def test_a_url_with_user_information_is_never_written(
    user: str, password: str, host: str, variable: str
) -> None:
    """No user and no password of an index or a proxy is in what a job can read."""
    for secret in (f"{user}:{password}@", f"{user}@"):
        url = f"https://{secret}{host}/simple"
        assert carries_credentials(url)
        assert secret not in pip_configuration({variable: f"{url} https://plain.example/x"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("user:password@proxy.example:8080", True),
        ("http://me@proxy.example", True),
        ("https://plain.example/simple https://me:pw@private.example", True),
        ("https://[broken", True),
        ("https://plain.example/a@b", False),
        ("/home/me@work.example/wheels", False),
        ("proxy.example:8080", False),
        ("", False),
    ],
)
def test_credentials_are_recognised(value: str, *, expected: bool) -> None:
    """A URL may lack its scheme; a path may have an at sign in it."""
    assert carries_credentials(value) is expected


def test_a_setting_that_was_dropped_is_cancelled(tmp_path: Path) -> None:
    """A dropped setting is written empty, so that the machine's own file does not bring it back."""
    found = read(
        pip_configuration({"HOME": str(tmp_path), "PIP_EXTRA_INDEX_URL": "https://me:pw@private.example"})
    )

    assert found["extra-index-url"] == ""


def test_a_configuration_file_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    """A broken file of the user's does not keep jobs from running."""
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip" / "pip.conf").write_bytes(b"\xff no section\n")

    assert "disable-pip-version-check" in read(pip_configuration({"HOME": str(tmp_path)}))


def test_pip_in_a_job_finds_what_pip_finds_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bench: Bench, sink: Sink
) -> None:
    """A job's pip has the settings without any variable that says so."""
    monkeypatch.setenv("PIP_FIND_LINKS", f"{tmp_path}/wheelhouse https://me:hunter2@private.example/x")
    made = Bench(tmp_path / "b", bench.s3, sink)
    made.run(made.launch("settings", shell_job("pip config list; env")))

    assert any("wheelhouse" in line for line in sink.lines())
    assert not any("hunter2" in line or line.startswith("PIP_") for line in sink.lines())
