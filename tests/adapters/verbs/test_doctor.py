"""``doctor``: each check of this machine and of the account, with its verdict and its fix."""

from __future__ import annotations

from pathlib import Path

from cli_bench import Bench
from cli_in_process import make_pool, set_quota, verdicts, wpfsm
from report_loops import write_loop
from report_page import SWEEP
from watched_world import TYPE

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator
from wpfsm.state.database import open_existing
from wpfsm.state.history import History


def test_doctor_finds_a_sound_account(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """Credentials, permissions, quotas, clock, database and orphans are looked at, and all are well."""
    ran = wpfsm("doctor", "--instance-type", TYPE, "-o", "json")
    assert ran.code == 0
    expected = {"database", "credentials", "clock", "permissions", "orphans", "quota"}
    assert {name: verdict for name, verdict in verdicts(ran).items() if name in expected} == dict.fromkeys(
        expected, "ok"
    )
    assert f"account {sagemaker_emulator.account}" in ran.out


def test_doctor_names_an_empty_quota(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """A warm pool quota of 0: exit 3, the consequence and the command."""
    set_quota(sagemaker_emulator, f"{TYPE} for training warm pool usage", 0)
    ran = wpfsm("doctor", "--instance-type", TYPE)
    assert ran.code == 3
    assert "keep-alive would silently do nothing" in ran.out
    assert "aws service-quotas request-service-quota-increase" in ran.out


def test_doctor_shows_every_check_though_one_fails(
    folder: Path, sagemaker_emulator: SageMakerEmulator
) -> None:
    """A denied listing does not hide the rest; the exit code is that of permissions."""
    sagemaker_emulator.inject(
        {"kind": "error", "operation": "ListTrainingJobs", "code": "AccessDenied", "status": 403}
    )
    ran = wpfsm("doctor", "-o", "json")
    assert ran.code == 4
    assert verdicts(ran)["orphans"] == "fail"
    assert verdicts(ran)["permissions"] == "ok"


def test_doctor_stops_at_expired_credentials(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """Without credentials nothing else of the account can be looked at: exit 4."""
    fault = {"kind": "error", "operation": "GetCallerIdentity", "code": "ExpiredToken", "status": 403}
    sagemaker_emulator.inject(fault)
    ran = wpfsm("doctor", "-o", "json")
    assert ran.code == 4
    assert verdicts(ran)["credentials"] == "fail"
    assert "orphans" not in verdicts(ran)
    assert "sign in with `aws sso login`" in next(
        c["fix"] for c in ran.document["checks"] if c["name"] == "credentials"
    )


def test_doctor_without_an_endpoint_checks_this_machine(folder: Path) -> None:
    """No emulator runs and none is asked for: said, and no error."""
    ran = wpfsm("doctor", "--backend", "local", "-o", "json")
    assert ran.code == 0
    assert verdicts(ran)["endpoint"] == "ok"


def test_doctor_sees_a_broken_database(folder: Path) -> None:
    """A file that is no database is named with its path."""
    (folder / "wpfsm.db").write_bytes(b"no database" * 100)
    ran = wpfsm("doctor", "--backend", "local", "-o", "json")
    assert ran.code == 75
    assert verdicts(ran)["database"] == "fail"


def test_doctor_counts_what_is_held(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """A quota that somebody's idle pool fills has no room: exit 3, the holder, and the command that asks for more."""
    set_quota(sagemaker_emulator, f"{TYPE} for training warm pool usage", 2)
    make_pool(sagemaker_emulator, "theirs")
    ran = wpfsm("doctor", "--instance-type", TYPE)
    assert ran.code == 3
    assert f"'{TYPE} for training job usage' is 100: 2 held, 98 free, 1 needed" in ran.out
    assert f"'{TYPE} for training warm pool usage' is 2: 2 held, 0 free, 1 needed" in ran.out
    assert "2 x idle pool of theirs" in ran.out
    assert "--desired-value 3" in ran.out


def paths_in(bench: Bench) -> set[Path]:
    """Every path in the bench's folder."""
    return set(bench.folder.rglob("*"))


def test_doctor_names_the_fix_that_fits(tmp_path: Path) -> None:
    """A loop that waits in a hand-off is no orphan, one that lost its controller is resumed, a closed one released."""
    from wpfsm.adapters.terminal.output import Options
    from wpfsm.adapters.verbs.doctor import _owed

    given = Options("human", tmp_path / "w.db")
    write_loop(given.database, SWEEP, loop_id="made-1", outcome=None)
    history = History(open_existing(given.database))
    lost = _owed("database", given, history)
    assert (lost.verdict, "made-1 has lost its controller" in lost.text) == ("warn", True)
    assert lost.fix.startswith("wpfsm resume made-1")
    connection = open_existing(given.database, write=True)
    connection.execute("update loops set state = 'Closed', outcome = 'completed'")
    connection.commit()
    assert _owed("database", given, history).fix == "wpfsm release made-1"


def test_doctor_sends_nobody_to_gc_for_a_hand_off(finished: Bench) -> None:
    """The loop says itself what it waits for."""
    ran = finished.run("doctor", "-o", "json")
    (check,) = [check for check in ran.json["checks"] if check["name"] == "database"]
    assert "waits in a hand-off" in check["text"]
    assert check["fix"].startswith("wpfsm inspect broken-")
    assert "gc" not in check["fix"]


def test_doctor_checks_and_writes_nothing(bench: Bench):
    """Every check has a name and a verdict."""
    before = paths_in(bench)
    ran = bench.run("doctor", "--instance-type", "ml.m5.large", "-o", "json")
    assert ran.code == 0, ran.err
    assert paths_in(bench) == before
    assert bench.run("doctor", "--instance-type", "ml.m5.large").out
