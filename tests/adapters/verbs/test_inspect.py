"""``inspect``: loops, one loop, one job, the history and the diagram, as people and programs read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cli_bench import OK, SLOW, Bench

from wpfsm.adapters.verbs.schema import output_schema

CHECK = jsonschema.Draft202012Validator(output_schema())


def check(document: Any) -> None:
    """Hold a document against the published schema."""
    errors = [f"{error.json_path}: {error.message}" for error in CHECK.iter_errors(document)]
    assert errors == []


@pytest.mark.parametrize("loop", ["sweep", "broken"])
def test_inspect_validates_against_the_published_schema(finished: Bench, loop: str):
    """What `inspect ID -o json` prints is what `schema --inspect` promises."""
    check(finished.document(loop))


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
    bench.wait_until("followed", lambda *_: True)
    events = bench.run("inspect", "followed", "--follow", "-o", "jsonl").lines
    assert events[0]["kind"] == "created"
    assert events[-1]["to"] == "Closed"


def test_following_as_json_is_one_object(bench: Bench):
    """-o json prints one object, so what is followed is shown once it has ended."""
    bench.begin("start", bench.loop("followed", OK))
    bench.wait_until("followed", lambda *_: True)
    document = bench.run("inspect", "followed", "--follow", "-o", "json").json
    assert document["loop"]["state"] == "Closed"
    assert document["events"][-1]["to"] == "Closed"


def test_inspect_names_a_loop_by_id_prefix_or_name(finished: Bench):
    """A unique beginning is enough."""
    whole = finished.document("sweep")["loop"]["id"]
    for which in (whole, whole[:-2], "sweep"):
        assert finished.document(which)["loop"]["id"] == whole


def test_a_running_loop_validates_and_says_who_drives_it(bench: Bench):
    """While a controller lives, the document names it, the worst case in dollars, and `wait` as the next step."""
    bench.begin("start", bench.loop("driven", SLOW))
    bench.wait_running("driven")
    document = bench.document("driven")
    check(document)
    assert document["controller"]["alive"] is True
    assert document["ledger"]["worst_case"]["killed_during_job_usd"] > 0
    text = bench.run("inspect", "driven").out
    assert "drive host" in text
    assert "risk  if its controller died now" in text
    assert bench.run("stop", "driven").code == 0


def test_jsonl_is_one_object_a_line(finished: Bench):
    """Every line of -o jsonl parses by itself."""
    for line in finished.run("inspect", "broken", "-o", "jsonl").out.splitlines():
        assert isinstance(json.loads(line), dict)


def test_a_list_is_narrowed(finished: Bench):
    """--open, --name with the wildcards of a shell, and --since with a span or a moment."""

    def names(*words: str) -> list[str]:
        return [loop["name"] for loop in finished.run("inspect", *words, "-o", "json").json["loops"]]

    assert names("--open") == ["broken"]
    assert names("--name", "sw*p") == ["sweep"]
    assert names("--since", "1h", "--name", "nobody") == []
    assert names("--since", "1h") == ["broken", "sweep"]
    assert names("--since", "2100-01-01") == []
    assert finished.run("inspect", "--since", "yesterday").code == 2
    assert finished.run("inspect", "sweep", "--since", "1h").code == 2
    assert finished.run("inspect", "sweep", "--open").code == 2


def test_refresh_says_what_the_service_says_now(finished: Bench):
    """Of the jobs that may still change; the rows stay as they are."""
    ran = finished.run("inspect", "broken", "--refresh", "-o", "json")
    check(ran.json)
    (job,) = ran.json["service"]["jobs"]
    assert (job["status"], job["pool_status"]) == ("Failed", "Available")
    assert "service   broken-" in finished.run("inspect", "broken", "--refresh").out
    assert finished.run("inspect", "--refresh").code == 2
