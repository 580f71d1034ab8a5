"""What a job printed, and commands that are printed: through the real program."""

from __future__ import annotations

from cli_bench import Bench

HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202eabc \U000e0041 AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENG"


def archived(bench: Bench, text: str) -> str:
    """Put a line into the archive of the sweep's second job, as a job would have printed it; returns its loop."""
    document = bench.document("sweep")
    loop, job = document["loop"]["id"], document["jobs"][0]["name"]
    (bench.database.with_name("wpfsm.db.d") / "logs" / f"{job}.log").write_text(f"{text}\n")
    return str(loop)


def test_a_jobs_text_cannot_act_on_the_terminal_or_leave_its_fence(finished: Bench):
    """Escapes are written out, secrets masked, and JSON marks the text with an id that is new each time."""
    loop = archived(finished, HOSTILE)
    shown = finished.run("logs", loop, "--job", "1").out
    assert r"\x1b]0;owned\x07\x1b[2J\u202eabc \U000e0041" in shown
    assert "wJalrXUtn" not in shown
    assert finished.run("logs", loop, "--job", "1", "--raw").out == f"{HOSTILE}\n"
    first, second = (finished.run("logs", loop, "--job", "1", "-o", "json") for _ in range(2))
    assert not any(character in first.out for character in ("\x1b", "\u202e", "\U000e0041"))
    document = first.json
    assert document["lines"][0].startswith("\x1b]0;owned\x07\x1b[2J\u202eabc \U000e0041")
    assert document["untrusted"]["id"] == document["untrusted_end"]
    assert document["untrusted"]["id"] != second.json["untrusted"]["id"]
    explained = finished.run("explain", "--reason", HOSTILE, "-o", "json").json
    assert "diagnosis.evidence" in explained["untrusted"]["members"]


def test_commands_that_are_printed_carry_what_this_one_was_given(finished: Bench):
    """Followed word for word, the next command looks into the same database and asks the same endpoint."""
    given = ["--db", str(finished.database), "--endpoint-url", finished.url]
    ran = finished.run("inspect", "broken", *given, "-o", "json").json
    assert [step["argv"][-4:] for step in ran["next"]] == [given] * len(ran["next"])
    assert ran["handoff"]["resume"][-4:] == given
    text = finished.run("inspect", "broken", *given).out
    assert f"next  wpfsm resume {ran['loop']['id']} {' '.join(given)}" in text
    refused = finished.run("inspect", "nobody", *given)
    assert f"wpfsm inspect {' '.join(given)} lists the loops" in refused.err
