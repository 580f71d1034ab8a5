"""Exit codes are an interface: each one, from the real program against a real emulator process."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import jsonschema
import pytest
from cli_bench import BROKEN, NO_ROOM, OK, SLOW, Bench, wait_for

from wpfsm.adapters.verbs.schema import output_schema

ROOT = Path(__file__).resolve().parents[2]


def test_0_when_every_trial_is_done(bench: Bench):
    """A sweep that ran through exits with 0, its pool released and the receipt written."""
    ran = bench.run("start", bench.loop("done", OK), "-o", "json")
    assert ran.code == 0, ran.err
    assert ran.json["pool"]["released"] is True
    assert ran.json["receipt"]["released"] is True
    assert [job["start"] for job in ran.json["jobs"]] == ["cold", "warm"]


def test_1_when_the_goal_was_not_met(bench: Bench):
    """A loop that ends without its goal exits with 1, its pool released."""
    more = "strategy: {type: until, target: eval_loss < 0.001, propose: [{lr: 1}, {lr: 2}]}"
    ran = bench.run("start", bench.loop("nogoal", OK, more=more), "-o", "json")
    assert ran.code == 1, ran.err
    assert ran.json["loop"]["outcome"] == "no_goal"
    assert ran.json["pool"]["released"] is True


def test_1_when_a_rule_gives_up(bench: Bench):
    """A failure that a rule answers with release ends the loop with 1."""
    more = "on_failure: [{when: any, do: release}]"
    ran = bench.run("start", bench.loop("gaveup", BROKEN, more=more), "-o", "json")
    assert ran.code == 1, ran.err
    assert ran.json["loop"]["outcome"] == "failed"


@pytest.mark.parametrize(
    "words", [["nonsense"], ["start"], ["inspect", "--job", "zero"], ["wait", "sweep", "--timeout", "soon"]]
)
def test_2_for_bad_usage(finished: Bench, words: list[str]):
    """What the command line cannot mean exits with 2."""
    assert finished.run(*words).code == 2


def test_2_for_a_bad_loop_file(bench: Bench):
    """A loop file that cannot be meant exits with 2 before anything is written or asked."""
    file = bench.loop("bad", OK)
    file.write_text(file.read_text().replace("keep_alive: 10m", "keep_alive: 2h"))
    before = set(bench.folder.iterdir())
    ran = bench.run("start", file)
    assert ran.code == 2
    assert "keep_alive" in ran.err
    assert set(bench.folder.iterdir()) == before


def test_3_when_there_is_no_quota(bench: Bench):
    """Preflight refuses when the pool would not be kept, and creates no job."""
    ran = bench.run("start", bench.loop("noroom", OK, instance_type=NO_ROOM), "-o", "json")
    assert ran.code == 3, ran.err
    assert ran.json["jobs"] == []
    assert "warm pool usage" in ran.json["loop"]["why"]
    assert "request-service-quota-increase" in ran.json["loop"]["fix"]
    assert ran.json["next"][0]["argv"] == ["wpfsm", "start", str(bench.folder / "noroom.yaml")]


def test_3_when_nothing_was_changed_since_the_hand_off(finished: Bench):
    """`resume` of a hand-off without an edit is refused, and the loop stays where it is."""
    ran = finished.run("resume", "broken")
    assert ran.code == 3, ran.err
    assert "unchanged" in ran.err
    assert finished.document("broken")["loop"]["state"] == "Diagnosing"


def test_3_when_a_locked_field_changed(bench: Bench):
    """A pool that would not match any more is refused, whatever is accepted; the loop goes on as it was."""
    file = bench.loop("drift", BROKEN)
    assert bench.run("start", file).code == 10
    file.write_text(file.read_text().replace("keep_alive: 10m", "keep_alive: 10m, volume_gb: 60"))
    ran = bench.run("resume", "drift", "--accept-changes")
    assert ran.code == 3, ran.err
    assert "pool.volume_gb" in ran.err
    assert bench.document("drift")["handoff"] is not None
    assert bench.run("release", "drift").code == 0


def test_4_when_the_service_denies(bench: Bench):
    """A create that the credentials do not permit exits with 4, and says which permission is missing."""
    bench.fault(kind="error", code="AccessDeniedException", message="User: x is not authorized to perform: sagemaker:CreateTrainingJob",
                operation="CreateTrainingJob", job="denied-*")  # fmt: skip
    ran = bench.run("start", bench.loop("denied", OK), "-o", "json")
    assert ran.code == 4, ran.err
    assert ran.json["loop"]["outcome"] == "denied"
    assert "not authorized to perform: sagemaker:CreateTrainingJob" in ran.json["loop"]["why"]


@pytest.mark.parametrize("words", [["pools"], ["gc"], ["doctor"], ["release", "--job", "some-job"]])
def test_4_without_credentials(alone: Bench, words: list[str]):
    """Whoever has no credentials is told how to sign in, and not to attach a policy."""
    nothing = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    ran = alone.run(*words, "--backend", "aws", **nothing)
    assert ran.code == 4, ran.err
    assert "sign in" in ran.out + ran.err
    assert "policy" not in ran.out + ran.err


def test_5_while_another_controller_drives_the_loop(bench: Bench):
    """A loop is driven by one controller: a second one says who has it, and changes nothing."""
    bench.begin("start", bench.loop("held", SLOW))
    bench.wait_running("held")
    ran = bench.run("resume", "held")
    assert ran.code == 5
    assert "pid" in ran.err
    assert bench.run("stop", "held").code == 0


def test_5_while_a_hand_off_holds_the_pool(bench: Bench):
    """The pool of a hand-off waits for its own loop: another one with its key is told whose it is."""
    assert bench.run("start", bench.loop("waiting", BROKEN)).code == 10
    file = bench.loop("taker", OK)
    request = bench.folder / "taker.json"
    request.write_text(request.read_text().replace("role/taker", "role/waiting"))
    ran = bench.run("start", file, "-o", "json")
    assert ran.code == 5, ran.err
    assert ran.json["jobs"] == []
    holder = bench.document("waiting")["loop"]["id"]
    assert f"wpfsm resume {holder} --abandon" in ran.json["loop"]["fix"]
    assert bench.run("resume", "waiting", "--abandon").code == 0
    assert bench.run("start", file).code == 0


@pytest.mark.parametrize("verb", ["inspect", "logs", "wait", "explain", "diff", "resume", "stop", "release"])
def test_6_for_a_loop_that_is_not_there(finished: Bench, verb: str):
    """Every verb that takes a loop says that there is no such loop."""
    ran = finished.run(verb, "nobody")
    assert ran.code == 6, ran.err
    assert "nobody" in ran.err


@pytest.mark.parametrize(
    "words", [["inspect", "sweep", "--job", "7"], ["logs", "sweep", "--job", "7"], ["explain", "sweep"]]
)
def test_6_for_a_job_that_is_not_there(finished: Bench, words: list[str]):
    """A job that the loop does not have is named."""
    assert finished.run(*words).code == 6


def test_6_without_a_database(alone: Bench):
    """A verb that reads does not create the database."""
    ran = alone.run("inspect")
    assert ran.code == 6
    assert not alone.database.exists()


def test_10_for_a_hand_off(bench: Bench):
    """What no rule can mend is handed off, with the packet and a bound on what the pool costs."""
    ran = bench.run("start", bench.loop("handed", BROKEN), "-o", "json")
    assert ran.code == 10, ran.err
    assert ran.json["handoff"]["diagnosis"]["family"] == "dependency"
    assert ran.json["handoff"]["pool"]["held_until"] is not None
    assert ran.json["next"][0]["argv"][:2] == ["wpfsm", "resume"]


def test_11_when_the_wait_is_over_and_the_loop_is_not(bench: Bench):
    """A detached start and a wait that runs out both exit with 11, and the loop goes on."""
    detached = bench.run("start", bench.loop("waits", SLOW), "--detach", "-o", "json")
    assert detached.code == 11, detached.err
    assert detached.json["controller"]["alive"] is True
    assert [step["argv"][1] for step in detached.json["next"]] == ["wait", "stop"]
    bench.wait_running("waits")
    waited = bench.run("wait", "waits", "--timeout", "1s", "-o", "json")
    assert waited.code == 11, waited.err
    assert waited.json["controller"]["alive"] is True
    assert waited.json["next"][0]["argv"][1] == "wait"
    assert bench.run("stop", "waits").code == 0


def test_20_when_a_limit_was_reached(bench: Bench):
    """A loop that its limits end exits with 20, its pool released."""
    ran = bench.run("start", bench.loop("limited", OK, more="limits: {max_jobs: 1}"), "-o", "json")
    assert ran.code == 20, ran.err
    assert len(ran.json["jobs"]) == 1
    assert ran.json["pool"]["released"] is True


def test_30_when_the_release_is_not_confirmed(bench: Bench):
    """A release that cannot be read back overrides success, and names the command that tries again."""
    bench.fault(kind="error", code="AccessDeniedException", message="not authorized", operation="UpdateTrainingJob",
                job="stuck-*", times=3)  # fmt: skip
    ran = bench.run("start", bench.loop("stuck", OK), "-o", "json")
    assert ran.code == 30, ran.err
    jsonschema.Draft202012Validator(output_schema()).validate(ran.json)
    assert ran.json["error"]["fix"].startswith("wpfsm release")
    assert ran.json["pool"]["owed"] == [ran.json["jobs"][-1]["name"]]
    assert ran.json["next"][0]["argv"][:2] == ["wpfsm", "release"]
    assert bench.run("wait", "stuck").code == 30
    released = wait_for(
        lambda: ran if (ran := bench.run("release", "stuck", "-o", "json")).code != 30 else None
    )
    assert released.json["pool"]["released"] is True
    assert bench.document("stuck")["pool"]["owed"] == []


def test_75_when_the_service_stays_out_of_reach(bench: Bench):
    """An outage that outlasts the controller's patience exits with 75: the same command may be run again."""
    bench.fault(kind="error_5xx", operation="CreateTrainingJob", job="outage-*")
    ran = bench.run("start", bench.loop("outage", OK), "-o", "json")
    assert ran.code == 75, ran.err
    assert ran.json["loop"]["outcome"] == "transient"
    assert ran.json["pool"]["released"] is True


def test_75_for_a_database_that_cannot_be_used(alone: Bench):
    """A file that is no database is left as it is."""
    alone.database.write_text("not a database, but long enough to be taken for one" * 40)
    before = alone.database.read_bytes()
    ran = alone.run("inspect")
    assert ran.code == 75, ran.err
    assert alone.database.read_bytes() == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_130_and_143_after_a_signal(bench: Bench, number: signal.StopSignals, code: int):
    """A signal stops the job and releases the pool before the program ends."""
    name = f"signal{int(number)}"
    process = bench.begin("start", bench.loop(name, SLOW))
    bench.wait_running(name)
    os.kill(process.pid, number)
    _, said = process.communicate(timeout=120)
    assert process.returncode == code, said
    assert bench.document(name)["pool"]["released"] is True


def test_every_code_of_the_table_has_a_test_here():
    """A code that the documentation gains needs a test in this file."""
    table = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    codes = {
        cell.strip()
        for row in table.splitlines()
        if row.startswith("| ")
        for cell in row.split("|")[1].split(",")
    }
    tested = {
        part for name in globals() if name.startswith("test_") for part in name.split("_") if part.isdigit()
    }
    assert {code for code in codes if code.isdigit()} == tested
