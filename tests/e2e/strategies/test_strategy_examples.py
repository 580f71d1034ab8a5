"""Each example about a strategy, run as a user would: the program, the SDK, a job that really trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_bench import Bench

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.skipif(
        "not __import__('importlib.util').util.find_spec('sagemaker')", reason="needs the SDK"
    ),
]


def run(bench: Bench, name: str, *words: str) -> Any:
    """Run an example to its end, with what every one of them promises: done, warm, released, paid for."""
    ran = bench.run("start", EXAMPLES / name / "loop.yaml", "-o", "json", *words, timeout=300)
    assert ran.code == 0, ran.err[-3000:]
    document = ran.json
    assert document["loop"]["state"] == "Closed"
    assert document["receipt"]["released"] is True
    assert document["pool"]["owed"] == []
    assert {job["status"] for job in document["jobs"]} <= {"Completed", "Stopped"}
    assert [job["start"] for job in document["jobs"]] == ["cold", *["warm"] * (len(document["jobs"]) - 1)]
    assert all(value is not None for job in document["jobs"] for value in job["metrics"].values())
    assert document["ledger"]["cost_usd"] > 0
    return document


def labels(document: Any) -> list[str]:
    return [trial["label"] for trial in document["trials"]]


def test_grid(bench: Bench) -> None:
    """A smoke trial and every combination; the best is the one with the lowest loss."""
    document = run(bench, "grid")
    assert labels(document)[0].startswith("smoke: ")
    full = document["trials"][1:]
    assert len({(t["params"]["context"], t["params"]["batch_size"]) for t in full}) == 4
    assert document["best"]["metric"]["value"] == min(trial["metric"] for trial in full)


def test_random_search(bench: Bench) -> None:
    """Six points within the ranges; those that the seed draws, wherever it runs."""
    document = run(bench, "random-search")
    assert len(document["trials"]) == 6
    assert labels(document)[0] == "lr=0.0182767 l2=0.00173416"
    assert all(1e-4 <= trial["params"]["lr"] <= 10 for trial in document["trials"])
    assert document["best"]["metric"]["value"] > 0.7


def test_bayes(bench: Bench) -> None:
    """The search proposes from the space and finds something better than its first point."""
    document = run(bench, "bayes", "--set", "strategy.count=4")
    assert len(document["trials"]) == 4
    assert {trial["params"]["activation"] for trial in document["trials"]} <= {"tanh", "relu"}
    assert document["best"]["metric"]["value"] < document["trials"][0]["metric"]


def test_until(bench: Bench) -> None:
    """Each job goes on from the checkpoint of the one before; the first that meets the target is the last."""
    document = run(bench, "until")
    losses = [trial["metric"] for trial in document["trials"]]
    assert document["loop"]["outcome"] == "goal_met"
    assert [loss < 0.30 for loss in losses] == [False, False, True]
    for number, epochs in ((2, 5), (3, 10)):
        log = bench.run("logs", document["loop"]["id"], "--job", str(number)).out
        assert f"continues after epoch {epochs}" in log
        assert f"epoch={epochs + 1} " in log


def test_recipes(bench: Bench) -> None:
    """Two ranks, another entry script and another folder, in the order of the file."""
    document = run(bench, "recipes")
    assert labels(document) == ["rank-2", "rank-4", "full", "bias-only"]
    losses = dict(zip(labels(document), (trial["metric"] for trial in document["trials"]), strict=True))
    assert losses["full"] < losses["rank-4"] < losses["rank-2"] < losses["bias-only"]
    log = bench.run("logs", document["loop"]["id"], "--job", "3").out
    assert "trains 100 of 100 weights" in log
    assert "the adapters are left out" in bench.run("logs", document["loop"]["id"], "--job", "4").out


def test_ablate(bench: Bench) -> None:
    """The verdicts of `inspect`: one variant is worse, the other is within the noise."""
    document = run(bench, "ablate")
    assert len(document["jobs"]) == 9
    verdicts = {each["variant"]: each["verdict"] for each in document["comparisons"]}
    assert verdicts == {"raw-features": "worse", "fixed-order": "within noise"}
    shown = bench.run("inspect", document["loop"]["id"])
    assert "diff  fixed-order: eval_loss" in shown.out
    assert "within noise" in shown.out


def test_single(bench: Bench) -> None:
    """One job, no pool, the same books."""
    document = run(bench, "single")
    assert len(document["jobs"]) == 1
    assert document["jobs"][0]["pool_status"] is None
    job = bench.run("inspect", document["loop"]["id"], "--job", "1", "-o", "json").json
    assert "KeepAlivePeriodInSeconds" not in job["request"]["ResourceConfig"]
    assert job["job"]["keep_alive_seconds"] == 0


def test_phases(bench: Bench) -> None:
    """Three phases on one pool; the sweep takes over the value that the first phase ran already."""
    document = run(bench, "phases")
    assert [phase["type"] for phase in document["phases"]] == ["fix", "sweep", "until"]
    assert {phase["state"] for phase in document["phases"]} == {"over"}
    assert document["phases"][1]["taken_over"] == 1
    assert document["best"]["metric"]["value"] < 0.2


def test_ask(bench: Bench) -> None:
    """Each command is one experiment, the pool is held between them, and `--done` releases it."""
    first = bench.run("start", EXAMPLES / "ask" / "loop.yaml", "-o", "json", timeout=300)
    assert first.code == 10, first.err[-3000:]
    loop = first.json["loop"]["id"]
    better = bench.run("next", loop, "--set", "lr=0.05", "--note", "more", "-o", "json", timeout=300)
    assert better.code == 10, better.err[-3000:]
    assert [job["start"] for job in better.json["jobs"]] == ["cold", "warm"]
    done = bench.run("next", loop, "--done", "-o", "json", timeout=300)
    assert done.code == 0, done.err[-3000:]
    assert done.json["receipt"]["released"] is True


def test_every_example_is_run_by_a_test() -> None:
    """Here those about strategies, beside `failures/` those that fail, and the first sweep on its own."""
    tests = Path(__file__).parents[1].rglob("test_*example*.py")
    told = "".join(path.read_text() for path in tests)
    assert {
        path.parent.name for path in EXAMPLES.glob("*/loop.yaml") if f'"{path.parent.name}"' not in told
    } == set()
