"""Verdicts that survive noise: repeats, confirmation, and the word inconclusive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest
from ask_stories import DONE, proposal
from crash_stories import JOB, METRIC, POOL
from crash_world import LOOP_ID, Story
from strategy_stories import Outcome, world_of

from wpfsm.adapters.documents.loop import loop_document
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.loopfile.load import parse

NOISE = {0: 0.0, 1: 0.03, 2: -0.03}
"""What each seed adds to the loss."""


def noisy(launch: Launch) -> Script:
    """The loss is the rate, and what the seed adds."""
    given = cast("Mapping[str, str]", launch.request["HyperParameters"])
    loss = float(given["lr"]) + NOISE[int(given.get("seed", "0"))]
    return Script(seconds=10, lines=[f"loss={loss:.3f}"])


def run(strategy: Mapping[str, Any], *proposals: Any) -> tuple[Outcome, Any]:
    """A loop of noisy jobs, with its document."""
    story = Story(
        loop_file={"pool": POOL, "job": {**JOB, "hyperparameters": {"lr": 0.5, "seed": 0}}, "metric": METRIC,
                   "strategy": strategy},
        script=noisy, source={"train.py": "train()\n"}, proposals=proposals,
    )  # fmt: skip
    with world_of(story) as world:
        outcome = Outcome(world, world.finish(resumes=20))
        with world.history() as history:
            return outcome, loop_document(history, history.find(LOOP_ID), world.clock.now())


def test_each_trial_of_a_sweep_takes_so_many_jobs_and_counts_with_their_mean() -> None:
    """The seeds count up; a difference inside the noise is inconclusive, one beyond it is not."""
    sweep = {"type": "sweep", "parameters": {"lr": [0.5, 0.49, 0.2]}, "repeats": 3, "seed_parameter": "seed"}
    outcome, document = run(sweep)
    assert [(j.params["lr"], j.params["seed"]) for j in outcome.jobs] == [
        (rate, seed) for rate in (0.5, 0.49, 0.2) for seed in (0, 1, 2)
    ]
    roots = [t for t in outcome.trials if t.repeat_of is None]
    assert [t.verdict for t in roots] == ["kept", "inconclusive", "kept"]
    assert "within the noise: loss = 0.49 (n=3) against 0.5 (n=3), 95 % interval" in roots[1].verdict_why
    assert document["best"]["trial"] == roots[2].number
    assert document["best"]["metric"]["value"] == pytest.approx(0.2)
    assert outcome.loop.why.startswith("3 of 3 trials completed; best is trial 7 (lr=0.2) with loss 0.2")


def test_the_best_two_run_again_before_one_is_called_best() -> None:
    """`confirm` spends its jobs on the two that matter, and says what they showed."""
    sweep = {
        "type": "sweep",
        "parameters": {"lr": [0.5, 0.21, 0.2, 0.9]},
        "confirm": 2,
        "seed_parameter": "seed",
    }
    outcome, _ = run(sweep)
    assert [j.params["lr"] for j in outcome.jobs[:4]] == [0.5, 0.21, 0.2, 0.9]
    assert sorted(j.params["lr"] for j in outcome.jobs[4:]) == [0.2, 0.2, 0.21, 0.21]
    assert (
        "inconclusive: the best two are within the noise: loss = 0.2 (n=3) against 0.21 (n=3)"
        in outcome.loop.why
    )
    outcome, _ = run({**sweep, "parameters": {"lr": [0.9, 0.2]}})
    assert "confirmed: trial 2 (lr=0.2) is better" in outcome.loop.why


def test_a_target_that_one_lucky_job_meets_is_confirmed_first() -> None:
    """The mean of the repeats decides, not the best of them."""
    until = {"type": "until", "target": "loss < 0.49", "propose": [{"lr": 0.48}, {"lr": 0.3}],
             "confirm": 1, "seed_parameter": "seed"}  # fmt: skip
    outcome, _ = run(until)
    # 0.48 and 0.51 are 0.495 on the average: not met, and the next one is tried.
    assert [j.params["lr"] for j in outcome.jobs] == [0.48, 0.48, 0.3, 0.3]
    assert "trial 3 (lr=0.3) met" in outcome.loop.why
    assert outcome.exit_code == 0


def test_a_proposal_is_repeated_before_its_verdict() -> None:
    """An open loop asks once a trial, not once a job; an inconclusive one is no new base."""
    ask = {"type": "ask", "repeats": 2, "seed_parameter": "seed"}
    outcome, _ = run(ask, proposal(lr=0.49), proposal(lr=0.2), DONE)
    roots = [t for t in outcome.trials if t.repeat_of is None]
    assert [(t.verdict, t.base) for t in roots] == [("kept", None), ("inconclusive", 1), ("kept", 1)]
    assert sum(event.kind == "handed_off" for event in outcome.events) == 3
    assert len(outcome.jobs) == 6


def test_a_continued_trial_cannot_be_repeated() -> None:
    """It goes on from its checkpoint: the second time is another point."""
    text = """
version: 1
name: until
pool: {instance_type: ml.m5.large}
job: {source: src, entry: train.py}
metric: {name: loss, regex: 'loss=([0-9.]+)'}
strategy: {type: until, target: loss < 1, repeats: 2}
"""
    with pytest.raises(Exception, match="cannot be repeated"):
        parse(text)
