"""Where pools are looked for, and what is said of an emulator that is gone."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest
from cli_in_process import wpfsm
from report_loops import Made, write_loop

from wpfsm.adapters.aws.places import targets_for, vanished
from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator
from wpfsm.adapters.terminal.output import Options
from wpfsm.fsm.records import Outcome

MADE = (Made({"lr": 0.1}, 0.5),)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database of its own, and no endpoint in the environment."""
    monkeypatch.setenv("WPFSM_DB", str(tmp_path / "wpfsm.db"))
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "wpfsm.db"


@pytest.fixture
def dead() -> str:
    """An endpoint of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("words", [("--job", "made-00c0de-001"), ("made",)])
def test_the_loop_of_an_emulator_that_is_gone_is_closed_at_once(
    database: Path, dead: str, words: tuple[str, ...]
) -> None:
    """What it played bills nothing; the receipt says what that rests on."""
    write_loop(database, MADE, outcome=None, endpoint_url=dead)
    ran = wpfsm("release", *words, "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.document["loop"]["state"] == "Closed"
    assert f"the emulator at {dead} does not run any more" in ran.err
    again = wpfsm("release", "--job", "made-00c0de-001", "-o", "json")
    assert (again.code, again.document["released"][0]["outcome"]) == (0, "gone")


def test_only_a_local_loop_can_have_lost_its_service(database: Path, dead: str) -> None:
    """A service that does not answer is no service that holds nothing; an embedded one that left its state may."""
    local = write_loop(database, MADE, outcome=None, endpoint_url=dead)
    assert vanished(database, local)
    assert not vanished(database, replace(local, backend="aws"))
    embedded = write_loop(database, MADE, outcome=None, loop_id="made-bbbbbb")
    assert vanished(database, embedded)
    state = Path(f"{database}.d") / "emulator"
    state.mkdir(parents=True)
    (state / "emulator.lock").touch()
    assert not vanished(database, embedded)


def test_pools_asks_no_account_where_every_loop_was_local(database: Path, dead: str) -> None:
    """It needs no credentials to say that nothing bills, and says whom it did not ask."""
    write_loop(database, MADE, outcome=Outcome.COMPLETED)
    write_loop(database, MADE, outcome=None, loop_id="made-bbbbbb", endpoint_url=dead)
    ran = wpfsm("pools", "-o", "json")
    assert (ran.code, ran.document["pools"], ran.document["asked"]) == (0, [], [])
    assert "--backend aws asks AWS" in ran.err
    assert wpfsm("gc", "--apply").code == 0


def test_pools_asks_the_account_too_where_there_are_credentials(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pool that another machine left there bills, whatever this database knows; that it cannot be asked is said."""
    write_loop(database, MADE, outcome=Outcome.COMPLETED)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "one")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "two")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert [
        (place.region, place.endpoint_url) for place in targets_for(Options("json", database), None, None)
    ] == [("eu-central-1", "")]


def test_pools_asks_where_the_loops_of_the_database_ran(
    database: Path, sagemaker_emulator: SageMakerEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The endpoint of a loop needs not be named again."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name)
    write_loop(database, MADE, outcome=Outcome.COMPLETED, endpoint_url=sagemaker_emulator.url)
    ran = wpfsm("pools", "-o", "json")
    assert (ran.code, ran.document["pools"]) == (0, [])
    assert [place["endpoint_url"] for place in ran.document["asked"]] == [sagemaker_emulator.url]
    assert f"asked: {sagemaker_emulator.url}" in ran.err
