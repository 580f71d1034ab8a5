"""Strategies through the real program on a real emulator process, without the SDK: killed, edited, given up."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cli_bench import Bench

from wpfsm.adapters.emulator.launch import ask

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
CONTINUED = "strategy: {type: until, target: 'eval_loss < 0.30', patience: 2, max_trials: 6}"
SEARCH = """strategy:
  type: sweep
  method: bayes
  count: 9
  seed: 7
  parameters: {lr: {min: 1e-3, max: 3, scale: log}, hidden: {min: 2, max: 12}}"""
HOPELESS = """early_stop: {warmup_reports: 3, min_trials: 2}
strategy: {type: sweep, method: list, trials: [{lr: 0.1}, {lr: 0.2}, {lr: 9}, {lr: 0.05}]}"""
REPORTS = (
    "rate = float(h['lr'])\n"
    "for n in range(6): print(f'eval_loss={rate + 0.01 * n}', flush=True)\n"
    "while rate == 9: time.sleep(0.02); print('eval_loss=10', flush=True)"
)


def trains(example: str) -> str:
    """Python that runs the script of an example with the job's hyperparameters."""
    script = EXAMPLES / example / "src" / "train.py"
    return (
        "import runpy, sys\n"
        "sys.argv = ['train.py', *(w for k, v in h.items() for w in ('--' + k, str(v)))]\n"
        f"runpy.run_path({str(script)!r}, run_name='__main__')\n"
    )


def loop_of(bench: Bench, name: str, script: str, strategy: str) -> Path:
    """A loop file whose jobs run a script; in a file, for an argument of a container has 256 characters at most."""
    path = bench.folder / f"{name}.py"
    path.write_text(script)
    return bench.loop(name, f"exec(open({str(path)!r}).read())", more=strategy)


def killed_at(process: subprocess.Popen[str], words: str) -> None:
    """Kill the program as soon as it says something."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            process.send_signal(signal.SIGKILL)
            break
    else:
        pytest.fail(f"it never said {words!r}")
    process.wait(30)


def chosen(document: Any) -> list[Any]:
    return [(trial["params"], trial["label"], trial["metric"]) for trial in document["trials"]]


def only_loop(bench: Bench, name: str) -> str:
    loops = bench.run("inspect", "-o", "json").json["loops"]
    (found,) = [loop["id"] for loop in loops if loop["name"] == name]
    return str(found)


def created(bench: Bench, loop: str) -> list[str]:
    """The jobs of a loop by the service's own records."""
    records: Any = ask(bench.url, "GET", "records")
    return [job["name"] for job in records["jobs"] if job["name"].startswith(f"{loop}-")]


def test_a_bayes_search_killed_in_the_middle_goes_on_as_it_would_have(bench: Bench) -> None:
    """SIGKILL, then resume: the same points, the same losses, `--set` still in force, no job twice."""
    whole = bench.run("start", loop_of(bench, "whole", trains("bayes"), SEARCH), "--set", "strategy.count=5", "-o", "json")  # fmt: skip
    assert whole.code == 0, whole.err
    process = bench.begin(
        "start", loop_of(bench, "killed", trains("bayes"), SEARCH), "--set", "strategy.count=5"
    )
    killed_at(process, "job 4 for trial 4")
    loop = only_loop(bench, "killed")
    resumed = bench.run("resume", loop, "-o", "json")
    assert resumed.code == 0, resumed.err
    assert chosen(resumed.json) == chosen(whole.json)
    assert len(resumed.json["trials"]) == 5
    assert sorted(created(bench, loop)) == [f"{loop}-{n:03d}" for n in range(1, 6)]
    assert resumed.json["receipt"]["released"] is True


def test_until_continues_from_the_checkpoint_and_gives_up_without_progress(bench: Bench) -> None:
    """With a learning rate of 0 nothing gets better: patience, exit 1, released."""
    file = loop_of(bench, "until", trains("until"), CONTINUED)
    met = bench.run("start", file, "-o", "json")
    assert met.code == 0, met.err
    losses = [trial["metric"] for trial in met.json["trials"]]
    assert [loss < 0.30 for loss in losses] == [False, False, True]
    given_up = bench.run("start", file, "--set", "job.hyperparameters.lr=0", "-o", "json")
    assert given_up.code == 1
    assert len(given_up.json["jobs"]) == 3
    assert "patience is at its end" in given_up.json["loop"]["why"]
    assert given_up.json["loop"]["outcome"] == "no_goal"
    assert given_up.json["receipt"]["released"] is True


def test_a_checkpoint_is_not_carried_to_another_loop(bench: Bench) -> None:
    """The second loop of the same file begins at the first epoch."""
    file = loop_of(bench, "again", trains("until"), CONTINUED.replace("max_trials: 6", "max_trials: 1"))
    first, second = (bench.run("start", file, "-o", "json").json for _ in range(2))
    assert first["trials"][0]["metric"] == second["trials"][0]["metric"]


def test_a_hopeless_job_is_stopped_and_its_pool_kept(bench: Bench) -> None:
    """It would print for ever; StopTrainingJob ends it, the next job is warm on its pool."""
    ran = bench.run("start", loop_of(bench, "hopeless", REPORTS, HOPELESS), "-o", "json")
    assert ran.code == 0, ran.err
    document = ran.json
    assert [trial["state"] for trial in document["trials"]] == [
        "completed",
        "completed",
        "stopped",
        "completed",
    ]
    assert [job["start"] for job in document["jobs"]] == ["cold", "warm", "warm", "warm"]
    stopped = document["jobs"][2]
    assert (stopped["status"], stopped["stopped_for"], stopped["diagnosis"]) == (
        "Stopped",
        "early_stop",
        None,
    )
    assert stopped["reused_by"] == document["jobs"][3]["name"]
    assert document["best"]["trial"] == 4
    shown = bench.run("inspect", document["loop"]["id"])
    assert "stopped early" in shown.out


def test_a_grid_that_gains_a_value_while_its_controller_is_dead(bench: Bench) -> None:
    """The diff is shown and refused; accepted, the new value runs, and nothing else runs again."""
    file = loop_of(bench, "grows", trains("single"), "strategy: {type: sweep, parameters: {degree: [1, 2]}}")
    process = bench.begin("start", file)
    killed_at(process, "job 2 for trial 2")
    loop = only_loop(bench, "grows")
    file.write_text(file.read_text().replace("[1, 2]", "[1, 2, 3]"))
    refused = bench.run("resume", loop, "-o", "json")
    assert refused.code == 3
    assert "strategy.parameters.degree" in refused.err + refused.out
    accepted = bench.run("resume", loop, "--accept-changes", "-o", "json")
    assert accepted.code == 0, accepted.err
    assert [trial["params"] for trial in accepted.json["trials"]] == [
        {"degree": 1},
        {"degree": 2},
        {"degree": 3},
    ]
    assert sorted(created(bench, loop)) == [f"{loop}-{n:03d}" for n in (1, 2, 3)]


def test_a_limit_ends_a_search_released(bench: Bench) -> None:
    """Exit 20, and the service has no pool of it any more."""
    ran = bench.run("start", loop_of(bench, "limited", trains("bayes"), SEARCH), "--set", "limits.max_jobs=2",
                    "-o", "json")  # fmt: skip
    assert ran.code == 20
    assert len(ran.json["jobs"]) == 2
    assert ran.json["receipt"]["released"] is True


def test_without_optuna_a_search_is_refused_with_the_command(bench: Bench) -> None:
    """Preflight, and before it `plan`: what to install, and no traceback."""
    hidden = bench.folder / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['optuna'] = None\n")
    file = loop_of(bench, "missing", trains("bayes"), SEARCH)
    for words in (["start", file], ["plan", file], ["plan", "--offline", file]):
        ran = bench.run(*words, "-o", "json", PYTHONPATH=str(hidden))
        assert ran.code == 3, ran.err
        assert "pip install 'wpfsm[bayes]'" in ran.out + ran.err
        assert "Traceback" not in ran.err
