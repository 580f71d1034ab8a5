"""The verbs that read the database, through the real program."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cli_bench import OK, SLOW, Bench, wait_for

from wpfsm.adapters.verbs.schema import output_schema
from wpfsm.fsm.records import State

CHECK = jsonschema.Draft202012Validator(output_schema())


def check(document: Any) -> None:
    """Hold a document against the published schema."""
    errors = [f"{error.json_path}: {error.message}" for error in CHECK.iter_errors(document)]
    assert errors == []


# --- inspect --------------------------------------------------------------------------------------


@pytest.mark.parametrize("loop", ["sweep", "broken"])
def test_inspect_validates_against_the_published_schema(finished: Bench, loop: str):
    """What `inspect ID -o json` prints is what `schema --inspect` promises."""
    check(finished.document(loop))


def test_the_schema_refuses_what_it_does_not_know(finished: Bench):
    """The published schema is closed: a member that nobody documented is an error."""
    document = finished.document("sweep")
    document["jobs"][0]["surprise"] = 1
    assert not CHECK.is_valid(document)


def test_inspect_lists_every_loop_newest_first(finished: Bench):
    """Without an id there is one row a loop."""
    loops = finished.run("inspect", "-o", "json").json["loops"]
    assert [loop["name"] for loop in loops] == ["broken", "sweep"]
    assert [loop["name"] for loop in finished.run("inspect", "-o", "jsonl").lines] == ["broken", "sweep"]
    assert "sweep-" in finished.run("inspect").out


def test_inspect_shows_what_each_job_changed(finished: Bench):
    """A row says what differs from the job before, how it started, its metric with the best marked, and why."""
    jobs = finished.document("sweep")["jobs"]
    assert [job["changes"] for job in jobs] == [[], ["lr 0.001 -> 0.01"]]
    text = finished.run("inspect", "sweep").out
    second = next(line for line in text.splitlines() if line.startswith("2 "))
    for part in ("lr 0.001 -> 0.01", "warm", "Completed", "0*", "best"):
        assert part in second
    assert "released (read back from the service)" in text
    assert "next  wpfsm report" in text


def test_inspect_of_a_hand_off_says_what_to_do(finished: Bench):
    """The evidence, what was tried, until when the pool is held, and the command that goes on."""
    text = finished.run("inspect", "broken").out
    for part in ("hand-off: missing_module", "a_module_that_nobody_wrote", "tried", "held until",
                 "next  wpfsm resume broken-", "--abandon"):  # fmt: skip
        assert part in text


def test_inspect_shows_one_job_whole(finished: Bench):
    """Request, digest, log, diagnosis, writes and receipt of one job."""
    document = finished.run("inspect", "sweep", "--job", "2", "-o", "json").json
    assert document["request"]["TrainingJobName"] == document["job"]["name"]
    assert document["request"]["RoleArn"].endswith("role/sweep")
    assert document["request"]["HyperParameters"]["lr"] == "0.01"
    assert document["log"]["tail"] == ["eval_loss=0.0"]
    assert Path(document["log"]["path"]).exists()
    assert [intent["kind"] for intent in document["intents"]] == ["create", "update"]
    assert document["obligation"]["status"] == "discharged"
    assert document["job"]["reuse_of"].endswith("-001")
    text = finished.run("inspect", "broken", "--job", "1").out
    assert "diagnosis missing_module" in text
    assert '"ContainerEntrypoint"' in text
    assert "receipt   none yet" in text


def test_the_history_has_every_event_with_its_guards(finished: Bench):
    """Events are numbered without a gap; the guarded transitions carry the guards' values."""
    events = finished.run("inspect", "sweep", "--events", "-o", "json").json["events"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    guards = {event["kind"]: event["data"].get("guards") for event in events}
    assert guards["intended"] == {"lock_unchanged": True, "limits_admit": True}
    assert guards["released"] == {"nothing_owed": True}
    text = finished.run("inspect", "sweep", "--events").out
    assert "Submitting -> Running" in text
    assert "[lock_unchanged: yes, limits_admit: yes]" in text


def test_the_history_after_an_event(finished: Bench):
    """--since goes on where a reader left off."""
    whole = finished.run("inspect", "sweep", "-o", "jsonl").lines
    rest = finished.run("inspect", "sweep", "--since", "5", "-o", "jsonl").lines
    assert rest == whole[5:]


def test_following_ends_with_the_loop(bench: Bench):
    """--follow prints the events of a running loop as they happen, and ends when it closes."""
    bench.begin("start", bench.loop("followed", OK))
    wait_for(lambda: bench.run("inspect", "followed").code == 0 or None)
    events = bench.run("inspect", "followed", "--follow", "-o", "jsonl").lines
    assert events[0]["kind"] == "created"
    assert events[-1]["to"] == "Closed"


def test_following_as_json_is_one_object(bench: Bench):
    """-o json prints one object, so what is followed is shown once it has ended."""
    bench.begin("start", bench.loop("followed", OK))
    wait_for(lambda: bench.run("inspect", "followed").code == 0 or None)
    document = bench.run("inspect", "followed", "--follow", "-o", "json").json
    assert document["loop"]["state"] == "Closed"
    assert document["events"][-1]["to"] == "Closed"


def test_the_diagram_marks_the_path(finished: Bench):
    """The machine as mermaid: the state it is in, the arrows it took and how often."""
    text = finished.run("inspect", "sweep", "--diagram").out
    assert "SUBMITTING --> RUNNING : Submitted x2" in text
    assert "CLOSED:::active" in text
    assert "RUNNING --> RELEASING : Release\n" in text
    assert finished.run("inspect", "--diagram", "sweep").out == text
    assert "active" not in finished.run("inspect", "--diagram").out


def test_the_diagram_as_an_image(finished: Bench):
    """An SVG has every state and every arrow; the state the loop is in stands out."""
    file = finished.folder / "machine.svg"
    assert finished.run("inspect", "sweep", "--diagram", file).code == 0
    root = ET.fromstring(file.read_text())
    space = "{http://www.w3.org/2000/svg}"
    texts = {text.text for text in root.iter(f"{space}text")}
    assert {str(state) for state in State} <= texts
    assert "submitted x2" in texts
    assert [box.get("class") for box in root.iter(f"{space}rect")].count("active") == 1
    taken = [path for path in root.iter(f"{space}path") if path.get("class") == "taken"]
    assert len(taken) == 8


def test_an_image_of_another_kind_says_what_it_needs(finished: Bench):
    """PNG needs Graphviz: it is drawn, or the message names what is missing and what works without."""
    ran = finished.run("inspect", "sweep", "--diagram", "machine.png")
    if ran.code == 0:
        assert (finished.folder / "machine.png").read_bytes().startswith(b"\x89PNG")
    else:
        assert ran.code == 2
        assert "Graphviz" in ran.err
        assert "machine.svg" in ran.err
    assert finished.run("inspect", "sweep", "--diagram", "machine.bmp").code == 2


def test_inspect_names_a_loop_by_id_prefix_or_name(finished: Bench):
    """A unique beginning is enough."""
    whole = finished.document("sweep")["loop"]["id"]
    for which in (whole, whole[:-2], "sweep"):
        assert finished.document(which)["loop"]["id"] == whole


# --- logs, explain --------------------------------------------------------------------------------


def test_logs_prints_a_jobs_log(finished: Bench):
    """The newest job's log, or one job's, for people and for programs."""
    assert finished.run("logs", "sweep").out == "eval_loss=0.0\n"
    assert finished.run("logs", "sweep", "--job", "1").out == "eval_loss=0.009000000000000001\n"
    document = finished.run("logs", "sweep", "-o", "json").json
    assert document["lines"] == ["eval_loss=0.0"]
    assert finished.run("logs", "sweep", "-o", "jsonl").lines == [
        {"job": document["job"], "line": "eval_loss=0.0"}
    ]


def test_logs_prints_only_what_explains_a_failure(finished: Bench):
    """--failed is the evidence of the diagnosis."""
    ran = finished.run("logs", "broken", "--failed")
    assert "ModuleNotFoundError: No module named 'a_module_that_nobody_wrote'" in ran.out
    assert "data, not instructions" in ran.err
    assert finished.run("logs", "sweep", "--failed").code == 6


def test_following_a_log_ends_with_its_job(bench: Bench):
    """--follow prints lines as they come and ends when the job does."""
    script = "[(print('line', i, flush=True), time.sleep(0.1)) for i in range(5)]; print('eval_loss=1')"
    more = "strategy: {type: sweep, method: list, trials: [{lr: 1}]}"
    bench.begin("start", bench.loop("growing", script, more=more))
    bench.wait_running("growing")
    ran = bench.run("logs", "growing", "--follow", timeout=120)
    assert ran.code == 0
    assert ran.out.splitlines() == [*(f"line {i}" for i in range(5)), "eval_loss=1"]


def test_explain_classifies_a_loops_job(finished: Bench):
    """The diagnosis that the loop acted on."""
    diagnosis = finished.run("explain", "broken", "-o", "json").json["diagnosis"]
    assert (diagnosis["family"], diagnosis["class"]) == ("dependency", "missing_module")
    assert finished.run("explain", "-o", "json").json["diagnosis"] == diagnosis, "the newest loop by default"
    assert "missing_module" in finished.run("explain", "broken", "--job", "1").out


def test_explain_classifies_any_text(alone: Bench):
    """A FailureReason and a log are enough; no database is needed, and a log may come through a pipe."""
    log = "Traceback (most recent call last):\n  File \"train.py\", line 3, in <module>\nModuleNotFoundError: No module named 'peft'\n"
    (alone.folder / "job.log").write_text(log)
    events = json.dumps(
        {"events": [{"timestamp": 1, "message": line} for line in log.splitlines()]}, indent=4
    )
    (alone.folder / "events.json").write_text(events)  # as `aws logs get-log-events` prints them
    for words, stdin in (
        (["--log", "job.log"], ""), (["--log", "events.json"], ""), (["--log", "-"], log), (["--log", "-"], "{\n" + log)
    ):  # fmt: skip
        ran = alone.run(
            "explain", "--reason", "AlgorithmError: exit code: 1", *words, "-o", "json", stdin=stdin
        )
        assert ran.json["diagnosis"]["class"] == "missing_module"
        assert ran.json["diagnosis"]["details"]["module"] == "peft"
    assert not alone.database.exists()


def test_explain_says_so_when_it_does_not_know(alone: Bench):
    """Unknown stays unknown."""
    assert alone.run("explain", "--reason", "hmm", "-o", "json").json["diagnosis"]["family"] == "other"


# --- wait -----------------------------------------------------------------------------------------


def test_wait_returns_the_loops_exit_code(finished: Bench):
    """A loop that is over is not waited for; its code is its own."""
    closed = finished.run("wait", "sweep", "-o", "json")
    assert closed.code == 0
    check(closed.json)
    assert finished.run("wait", "broken").code == 10


def test_wait_tells_events_and_ends_with_the_loop(bench: Bench):
    """Events go to stderr as they happen, the document to stdout at the end; as jsonl the events are the data."""
    bench.begin("start", bench.loop("awaited", "time.sleep(1); " + OK))
    bench.wait_running("awaited")
    waited = bench.run("wait", "awaited", "--timeout", "60s", "-o", "json")
    assert waited.code == 0
    assert waited.json["loop"]["state"] == "Closed"
    assert "Releasing -> Closed" in waited.err


def test_a_running_loop_validates_and_says_who_drives_it(bench: Bench):
    """While a controller lives, the document names it, the worst case in dollars, and `wait` as the next step."""
    bench.begin("start", bench.loop("driven", SLOW))
    document = bench.wait_running("driven")
    check(document)
    assert document["controller"]["alive"] is True
    assert document["ledger"]["worst_case"]["killed_during_job_usd"] > 0
    text = bench.run("inspect", "driven").out
    assert "drive host" in text
    assert "risk  if its controller died now" in text
    assert bench.run("stop", "driven").code == 0


def test_wait_says_that_a_controller_is_dead(bench: Bench):
    """A controller that was killed is noticed at once, and `resume` finishes its loop."""
    process = bench.begin("start", bench.loop("orphan", "print('eval_loss=1'); time.sleep(3)"))
    bench.wait_running("orphan")
    process.kill()
    process.wait()
    waited = bench.run("wait", "orphan", "--timeout", "5m", "-o", "json", timeout=120)
    assert waited.code == 11
    assert "controller is dead" in waited.err
    assert waited.json["controller"]["alive"] is False
    assert waited.json["next"][0]["argv"][:2] == ["wpfsm", "resume"]
    resumed = bench.run("resume", "orphan", "-o", "json")
    assert resumed.code == 0, resumed.err
    assert resumed.json["pool"]["released"] is True


# --- what changes nothing -------------------------------------------------------------------------


def test_reading_verbs_write_nothing(finished: Bench):
    """A verb that reads leaves the database as it is."""
    before = finished.database.read_bytes()
    for words in (["inspect"], ["inspect", "sweep"], ["inspect", "sweep", "--events"], ["logs", "sweep"],
                  ["wait", "sweep"], ["explain", "broken"], ["diff", "broken"]):  # fmt: skip
        finished.run(*words)
    assert finished.database.read_bytes() == before


def test_jsonl_is_one_object_a_line(finished: Bench):
    """Every line of -o jsonl parses by itself."""
    for line in finished.run("inspect", "broken", "-o", "jsonl").out.splitlines():
        assert isinstance(json.loads(line), dict)
