"""``wpfsm next`` as a person or an agent runs it: one command is one experiment."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cli_bench import OK, Bench

from wpfsm.fsm.records import State

ASK = "strategy: {type: ask, hold: 5m}"
SLOW_OK = (
    "print('eval_loss=' + str(abs(float(h['lr']) - 0.01)), flush=True); time.sleep(float(h.get('wait', 0)))"
)
STARTING = ASK + "\nlimits: {max_jobs: 20}"


def begun(bench: Bench, name: str, script: str = OK, *, more: str = STARTING) -> None:
    """An open loop after its first trial."""
    file = bench.loop(name, script, more=more)
    text = file.read_text().replace("max_runtime: 5m}", "max_runtime: 5m, hyperparameters: {lr: 0.5}}")
    file.write_text(text)
    assert bench.run("start", file).code == 10


def step(document: Any, *words: str) -> list[str]:
    """The first command that a document names, with more words."""
    argv: list[str] = document["next"][0]["argv"]
    return [*argv[1:], *words, "-o", "json"]


def test_an_agent_that_follows_next_brings_the_loop_to_its_end(bench: Bench) -> None:
    """Each document names the command that comes next; a verdict, the change and what is left are in it."""
    begun(bench, "agent")
    shown = bench.document("agent")
    for rate, verdict in (("0.1", "kept"), ("0.3", "discarded"), ("0.05", "kept")):
        ran = bench.run(*step(shown, "--set", f"lr={rate}", "--note", f"try {rate}"))
        assert ran.code == 10, ran.err
        shown = ran.json
        experiment = shown["experiment"]
        assert (experiment["verdict"], experiment["note"]) == (verdict, f"try {rate}")
        assert experiment["changes"]["lr"][1] == float(rate)
        assert shown["handoff"]["left"]["jobs"] == 20 - len(shown["jobs"])
    assert [trial["base"] for trial in shown["trials"]] == [None, 1, 2, 2]
    done = bench.run(*shown["next"][1]["argv"][1:], "-o", "json")
    assert done.code == 0
    assert done.json["pool"]["released"] is True
    assert [job["start"] for job in done.json["jobs"]] == ["cold", "warm", "warm", "warm"]


def test_without_options_it_shows_the_state_and_a_tried_point_is_refused(bench: Bench) -> None:
    """Neither runs a job, and the refusal has the earlier result in it."""
    begun(bench, "shown")
    ran = bench.run("next", "shown")
    assert ran.code == 10
    assert "waits for a proposal" in ran.out
    refused = bench.run("next", "shown", "--set", "lr=0.5")
    assert refused.code == 3
    assert "tried before: trial 1 (as given)" in refused.err
    assert "--again" in refused.err
    for words in (("--set", "lr"), ("--from", "worst"), ("--set", "lr=[1, 2]")):
        assert bench.run("next", "shown", *words).code == 2
    assert bench.run("next", "shown", "--from", "9").code == 6
    assert len(bench.document("shown")["jobs"]) == 1
    assert bench.run("next", "shown", "--done").code == 0
    closed = bench.run("next", "shown", "--set", "lr=0.1")
    assert closed.code == 3
    fix = next(line for line in closed.err.splitlines() if "--continue" in line)
    command = fix.partition("fix: wpfsm ")[2].partition(" begins")[0].split()
    again = bench.run(*command, "-o", "json")
    assert (again.code, again.json["jobs"], again.json["handoff"]["base"]["trial"]) == (10, [], 1), again.err
    assert again.json["handoff"]["job"] is None
    which = again.json["loop"]["id"]
    assert "waits for a proposal" in bench.run("inspect", which).out
    assert "tried before: trial 1 (as given)" in bench.run("next", which, "--set", "lr=0.5").err
    ran = bench.run("next", which, "--set", "lr=0.1", "-o", "json")
    assert (ran.code, ran.json["experiment"]["base"], ran.json["experiment"]["verdict"]) == (10, 1, "kept")
    assert [job["params"]["lr"] for job in ran.json["jobs"]] == [0.1]
    assert bench.run("next", which, "--done").code == 0


def test_two_at_once_are_both_run_on_one_pool(bench: Bench) -> None:
    """One drives, the other follows; each has its own trial, and no job is made twice."""
    begun(bench, "pair", SLOW_OK)
    both = [bench.begin("next", "pair", "--set", f"lr={rate}", "-o", "json") for rate in ("0.1", "0.05")]
    for process in both:
        out, err = process.communicate(timeout=120)
        assert process.returncode in (10, 11), out + err
    shown = bench.document("pair")
    assert sorted(trial["params"]["lr"] for trial in shown["trials"][1:]) == [0.05, 0.1]
    assert [job["start"] for job in shown["jobs"]] == ["cold", "warm", "warm"]
    assert bench.run("next", "pair", "--done").code == 0


def test_a_live_controller_takes_the_proposal_and_a_killed_one_loses_none(bench: Bench) -> None:
    """Enqueued while a job runs; then the controller is killed, and whoever comes next runs it."""
    begun(bench, "live", SLOW_OK)
    driver = bench.begin("next", "live", "--set", "lr=0.2", "--set", "wait=12")
    bench.wait_running("live")
    assert bench.run("next", "live", "--set", "lr=0.1", "--set", "wait=0", "--detach").code == 11
    driver.kill()
    driver.wait()
    shown = bench.document("live")
    assert [row["status"] for row in shown["proposals"]] == ["taken", "open"]
    resumed = bench.run("resume", "live", "-o", "json")
    assert resumed.code == 10, resumed.err
    assert [trial["params"].get("lr") for trial in resumed.json["trials"]] == [None, 0.2, 0.1]
    assert bench.run("next", "live", "--done").code == 0


def test_a_closed_loop_is_continued_and_none_of_its_points_is_run_again(bench: Bench) -> None:
    """A sweep that gained a value runs that one; an open loop knows the best of before."""
    file = bench.loop("more", OK)
    assert bench.run("start", file).code == 0
    first = bench.document("more")["loop"]["id"]
    file.write_text(file.read_text().replace("[1e-3, 1e-2]", "[1e-3, 1e-2, 2e-2]"))
    again = bench.run("start", file, "--continue", first, "-o", "json")
    assert again.code == 0, again.err
    assert [(t["label"], t["taken_from"]) for t in again.json["trials"]] == [
        ("lr=0.001", 1), ("lr=0.01", 2), ("lr=0.02", None)
    ]  # fmt: skip
    assert [job["params"]["lr"] for job in again.json["jobs"]] == [0.02]
    assert again.json["best"]["label"] == "lr=0.01"
    nothing = bench.run("start", file, "--continue", again.json["loop"]["id"], "-o", "json")
    assert (nothing.code, nothing.json["jobs"]) == (0, [])
    assert "no job was needed" in nothing.json["loop"]["why"]


def test_a_queued_start_waits_for_the_pool_that_another_loop_holds(bench: Bench) -> None:
    """Instead of exit 5 it waits, and runs once the other is released."""
    begun(bench, "first")
    text = (bench.folder / "first.yaml").read_text()
    second = bench.folder / "second.yaml"
    second.write_text(
        text.replace("name: first", "name: second").replace(
            STARTING, "strategy: {type: sweep, parameters: {lr: [0.3]}}"
        )
    )
    assert bench.run("start", second).code == 5
    waiting = bench.begin("start", second, "--queue", "-o", "json")
    bench.wait_until("second", lambda loop, _: loop.state == State.PREFLIGHT)
    assert bench.run("next", "first", "--done").code == 0
    out, err = waiting.communicate(timeout=120)
    assert waiting.returncode == 0, out + err


def test_a_failed_trial_is_skipped_or_made_anew_with_other_values(bench: Bench) -> None:
    """`resume --skip` gives it up, `resume --set` runs it with another value."""
    script = "1 / (float(h['lr']) != 0.001); print('eval_loss=' + h['lr'].__str__())"
    for name, words, labels in (
        ("skipped", ["--skip"], ["lr=0.001", "lr=0.01"]),
        ("anew", ["--set", "lr=0.002"], ["lr=0.001", "lr=0.002", "lr=0.01"]),
    ):
        assert bench.run("start", bench.loop(name, script)).code == 10
        ran = bench.run("resume", name, *words, "-o", "json")
        assert ran.code == 0, ran.err
        assert [trial["label"] for trial in ran.json["trials"]] == labels
        assert ran.json["trials"][0]["verdict"] == "failed"
    assert bench.run("resume", "skipped", "--skip", "--set", "lr=1").code == 2


def test_a_proposal_at_a_limit_is_kept_and_runs_once_it_is_raised(bench: Bench) -> None:
    """The command comes back at once, says so, and names the command that goes on."""
    file = bench.loop("capped", OK, more=ASK + "\nlimits: {max_jobs: 1, on_limit: ask}")
    file.write_text(
        file.read_text().replace("max_runtime: 5m}", "max_runtime: 5m, hyperparameters: {lr: 0.5}}")
    )
    assert bench.run("start", file).code == 10
    waits = bench.run("next", "capped", "--set", "lr=0.1", "-o", "json")
    assert (waits.code, waits.json["handoff"]["kind"], waits.json["experiment"]) == (10, "limit", None)
    assert "is kept, and runs once the loop goes on" in waits.err
    file.write_text(file.read_text().replace("max_jobs: 1", "max_jobs: 2"))
    resumed = bench.run(*waits.json["next"][0]["argv"][1:], "-o", "json")
    assert [job["params"]["lr"] for job in resumed.json["jobs"]] == [0.5, 0.1], resumed.err
    assert "accepted: limits.max_jobs (at once)" in resumed.err
    assert bench.run("next", "capped", "--done").code == 0


LEARNS = "import argparse\np = argparse.ArgumentParser()\np.add_argument('--lr', type=float)\nlr = p.parse_args().lr\n"
SOURCE_LOOP = """
version: 1
name: edits
pool: {instance_type: ml.m5.large, keep_alive: 10m}
job: {source: src/, entry: train.py, max_runtime: 5m, hyperparameters: {lr: 0.5}}
metric: {name: loss, goal: minimize, regex: 'loss=([0-9.]+)'}
strategy: {type: ask}
"""


@pytest.mark.sdk
def test_a_discarded_edit_is_warned_of_and_the_folder_brought_back_to_the_best(bench: Bench) -> None:
    """`next` shows the diff, `diff --best --apply` writes the best source, and then `diff --best` shows nothing."""
    script = bench.folder / "src" / "train.py"
    script.parent.mkdir()
    script.write_text(f"{LEARNS}print(f'loss={{lr}}')\n")
    (bench.folder / "edits.yaml").write_text(SOURCE_LOOP)
    assert bench.run("start", "edits.yaml").code == 10
    good = f"{LEARNS}print(f'loss={{lr / 2}}')\n"
    script.write_text(good)
    kept = bench.run("next", "edits", "--source", "src", "--note", "half", "-o", "json")
    assert kept.json["experiment"]["verdict"] == "kept"
    assert "+print(f'loss={lr / 2}')" in kept.err
    script.write_text(f"{LEARNS}print(f'loss={{lr * 9}}')\n")
    assert (
        bench.run("next", "edits", "--source", "src", "-o", "json").json["experiment"]["verdict"]
        == "discarded"
    )
    warned = bench.run("next", "edits", "--source", "src", "--set", "lr=0.4", "-o", "json")
    assert "still holds the change of trial 3" in warned.err
    assert bench.run("diff", "edits", "--best", "--apply").code == 0
    assert script.read_text() == good
    shown = bench.run("diff", "edits", "--best")
    assert (shown.code, shown.out) == (0, "")
    assert bench.run("report", "edits", "--html", "page.html").code == 0
    page = (bench.folder / "page.html").read_text()
    assert "Experiments" in page
    assert "verdict-discarded" in page
    assert bench.run("next", "edits", "--done").code == 0


def test_two_proposals_run_side_by_side_on_two_lanes(bench: Bench) -> None:
    """Each command waits for its own verdict, whoever of them drives the lanes; `--done` releases both pools."""
    begun(bench, "both", f"time.sleep(2); {OK}", more=f"lanes: 2\n{STARTING}")
    asked = [
        bench.begin("next", "both", "--set", f"lr={rate}", "--note", rate, "-o", "json")
        for rate in ("0.1", "0.2")
    ]
    for rate, process in zip(("0.1", "0.2"), asked, strict=True):
        out, err = process.communicate(timeout=120)
        assert process.returncode == 10, err
        assert json.loads(out)["experiment"]["note"] == rate
    done = bench.run("next", "both", "--done", "-o", "json")
    assert done.code == 0, done.err
    assert [trial["state"] for trial in done.json["trials"]] == ["completed"] * 3
    assert {job["lane"] for job in done.json["jobs"]} == {1, 2}
    assert {line["job"] for line in done.json["receipt"]["jobs"]} == {
        job["name"] for job in done.json["jobs"]
    }
    assert done.json["pool"]["released"] is True
