"""Every verb over the table of a team, at a real endpoint: what one machine begins, another sees and ends."""

from __future__ import annotations

import time
from pathlib import Path

from cli_bench import BROKEN, OK
from cli_in_process import verdicts, wpfsm
from team import GOES_ON, Team

from wpfsm.adapters.aws.targets import place_of
from wpfsm.adapters.engine import executions
from wpfsm.adapters.engine.place import note_deployment

BAD = f"exec({{1: '{BROKEN}', 2: 'raise ValueError(2)'}}.get(int(h['lr']), ''))"


def test_a_loop_is_seen_driven_and_read_from_another_machine(team: Team, tmp_path: Path) -> None:
    """Preflight on one machine; the turns, the reading verbs and the receipt on another one's."""
    loop_id = team.start(team.loop("sweep"))
    shown = team.run("inspect", loop_id).out
    assert f"execution {loop_id}-g1" in shown
    assert "late by" in shown  # nobody took it: the endpoint runs no function
    team.move_to(tmp_path / "elsewhere")
    assert team.turns(loop_id) == 0
    assert (
        team.run("wait", loop_id, "--timeout", "5s", "-o", "json").document["loop"]["outcome"] == "completed"
    )
    document = team.document(loop_id)
    assert [job["start"] for job in document["jobs"]] == ["cold", "warm"]
    assert document["receipt"]["released"]
    team.move_to(tmp_path / "third")
    assert "eval_loss" in team.run("logs", loop_id).out
    assert "eval_loss" in str(team.run("inspect", loop_id, "--job", "1", "-o", "json").document["log"])
    events = team.run("inspect", loop_id, "--events", "-o", "json").document["events"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    page = tmp_path / "page.html"
    team.run("report", loop_id, "--html", page)
    assert loop_id in page.read_text()
    assert [loop["id"] for loop in team.run("inspect", "-o", "json").document["loops"]] == [loop_id]
    assert team.run("pools", "-o", "json").document["pools"] == []
    assert "nothing to collect" in team.run("gc").out
    team.run("resume", loop_id)
    team.run("release", loop_id)


def test_doctor_says_what_was_deployed_when_it_was_swept_and_what_is_late(team: Team) -> None:
    """The table, the stack's version, the last sweep and what the engine refused it, loops that are late."""
    loop_id = team.start(team.loop("late"))
    names = ("table", "engine", "sweep", "loops")
    before = wpfsm("doctor", "-o", "json")
    assert {name: verdicts(before)[name] for name in names} == {
        "table": "ok",
        "engine": "ok",
        "sweep": "warn",
        "loops": "warn",
    }
    assert f"late: {loop_id}" in before.out
    assert executions.sweep(team.place(), time.time() + 1) == []
    assert "the engine did not take" in team.run("doctor").out
    begun = team.take_turns_at_once(stop=True)
    assert executions.sweep(team.place(), time.time() + 1) == [loop_id]
    assert begun == [3]
    after = wpfsm("doctor", "-o", "json")
    assert {name: verdicts(after)[name] for name in names[:3]} == dict.fromkeys(names[:3], "ok")
    assert "loops" not in verdicts(after)


def test_one_command_is_one_experiment(team: Team, tmp_path: Path) -> None:
    """An open loop: a proposal goes to the engine, or is kept for it; the verdict comes back, `--done` ends it."""
    file = team.loop("asks", OK, more="strategy: {type: ask, hold: 5m}")
    text = file.read_text().replace("max_runtime: 5m}", "max_runtime: 5m, hyperparameters: {lr: 0.5}}")
    file.write_text(text)
    loop_id = team.start(file)
    assert team.turns(loop_id) == 10
    team.move_to(tmp_path / "elsewhere")
    assert "it is enqueued" in team.run("next", loop_id, "--set", "lr=0.1", code=GOES_ON).err
    team.take_turns_at_once()
    ran = team.run("next", loop_id, "--set", "lr=0.3", "--note", "up", "-o", "json", code=10)
    experiment = ran.document["experiment"]
    assert (experiment["verdict"], experiment["note"]) == ("discarded", "up")
    assert experiment["changes"]["lr"] == [0.1, 0.3]
    assert "tried before" in team.run("next", loop_id, "--set", "lr=0.1", code=3).err
    done = team.run("next", loop_id, "--done", "-o", "json").document
    assert done["receipt"]["released"]
    assert [job["start"] for job in done["jobs"]] == ["cold", "warm", "warm"]
    assert "--continue" in team.run("next", loop_id, "--set", "lr=1", code=3).err
    team.take_turns_at_once(stop=True)
    continued = team.start(file, "--continue", loop_id)
    assert [t["params"]["lr"] for t in team.document(continued)["trials"][:3]] == [0.5, 0.1, 0.3]


def test_a_failed_trial_is_given_up_or_made_anew(team: Team) -> None:
    """`resume --set` and `--skip` answer a hand-off of the engine."""
    team.take_turns_at_once()
    script = f"{BAD}; print('eval_loss=1')"
    more = "strategy: {type: sweep, method: grid, parameters: {lr: [1, 2]}}\non_failure: [{when: any, do: handoff}]"
    loop_id = team.start(team.loop("broken", script, more=more))
    team.run("resume", loop_id, "--set", "lr=3", code=GOES_ON)
    team.run("resume", loop_id, "--skip", code=GOES_ON)
    document = team.document(loop_id)
    assert [(t["params"]["lr"], t["state"]) for t in document["trials"]] == [
        (1, "failed"),
        (3, "completed"),
        (2, "failed"),
    ]
    assert document["receipt"]["released"]


def test_a_loop_that_its_engine_drives_is_not_released_behind_its_back(team: Team) -> None:
    """`release` and a second `resume` are refused with what to do; `stop` asks, and is heard."""
    loop_id = team.start(team.loop("driven"))
    team.look_driven(loop_id)
    for verb in ("release", "resume"):
        assert f"wpfsm stop {loop_id}" in team.run(verb, loop_id, code=5).err
    assert "asked the engine" in team.run("stop", loop_id, "--timeout", "1s", code=GOES_ON).err
    assert team.turns(loop_id) == 1
    assert team.document(loop_id)["loop"]["outcome"] == "stopped"


def test_what_does_not_run_there_is_said_before_anything_is_written(team: Team) -> None:
    """The user's programs are named; a strategy without its library is refused, with the command that adds it."""
    (team.folder / "fix.sh").write_text("#!/bin/sh\n")
    more = "on_failure: [{when: any, command: [./fix.sh]}]\nnotify: {command: [./fix.sh]}"
    loop_id = team.start(team.loop("programs", more=more))
    team.run("stop", loop_id)
    place = team.place()
    note_deployment(place.table, bucket=place.blobs.bucket, function=place.function, version="0")
    place_of.cache_clear()
    bayes = "strategy: {type: sweep, method: bayes, count: 2, parameters: {lr: {min: 1e-4, max: 1e-2}}}"
    refused = team.run("start", team.loop("bayes", more=bayes), code=3)
    assert "wpfsm[bayes]" in refused.err
    assert [loop["id"] for loop in team.run("inspect", "-o", "json").document["loops"]] == [loop_id]
