"""Each strategy from Preflight to Closed: the loop file of an example, jobs that really train."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from crash_checks import violations
from strategy_stories import EXAMPLES, STORIES, Outcome, continues, example, run, with_strategy, world_of

from wpfsm.adapters.documents.loop import loop_document
from wpfsm.adapters.terminal import loop_text
from wpfsm.state.history import History


@pytest.mark.parametrize("name", STORIES)
def test_the_loop_ends_with_its_work_done_and_everything_released(name: str) -> None:
    """One cold start, then warm ones; every trial has a metric of its own; nothing is left at the service."""
    with world_of(STORIES[name]) as world:
        result = world.finish()
        assert list(violations(world, result)) == []
        outcome = Outcome(world, result)
    assert outcome.exit_code == 0
    assert outcome.states == ["completed"] * len(outcome.trials)
    assert outcome.starts == ["cold", *["warm"] * (len(outcome.jobs) - 1)]
    assert None not in outcome.metrics
    # A point that names the value which the job has anyway is the same point: a phase takes it over.
    own = STORIES[name].loop_file["job"].get("hyperparameters", {})
    points = [
        (tuple(sorted({**own, **t.params}.items())), t.source, t.entry, t.repeat) for t in outcome.trials
    ]
    measured = dict(zip(points, outcome.metrics, strict=True))
    if name != "random":  # accuracies on the same 400 points may be equal
        assert len(set(measured.values())) == len(measured), "the metric depends on what the strategy varies"


def test_a_grid_runs_every_combination_after_its_smoke_trial() -> None:
    """The smoke trial is short and never best; then the first parameter varies slowest."""
    outcome = run(STORIES["grid"])
    assert outcome.labels == [
        "smoke: context=1 batch_size=8", "context=1 batch_size=8", "context=1 batch_size=64",
        "context=3 batch_size=8", "context=3 batch_size=64",
    ]  # fmt: skip
    assert outcome.jobs[0].params["epochs"] == 1
    assert {job.params["epochs"] for job in outcome.jobs[1:]} == {4}
    assert "best is trial 4" in outcome.loop.why


def test_until_stops_at_once_when_a_job_meets_the_target() -> None:
    """The third job meets it: there is no fourth, and each job was asked to carry the checkpoint on."""
    outcome = run(STORIES["until"])
    assert outcome.metrics == [0.3819, 0.3217, 0.2912]
    assert outcome.loop.why == "trial 3 (continued) met eval_loss < 0.3 with 0.2912"
    for job in outcome.jobs:
        environment = job.request["Environment"]
        assert environment["WPFSM_CARRY_CHECKPOINT"] == "1"
        assert environment["WPFSM_CHECKPOINT_DIR"].endswith(f"/{outcome.loop.id}"), (
            "no other loop's checkpoint"
        )


def test_a_checkpoint_that_went_with_the_pool_is_said_to_be_gone() -> None:
    """The service took the pool away after the second job: the third starts cold and begins anew, says the history."""
    gone = replace(STORIES["until"], faults=({"kind": "patch_update", "job": "*-002", "times": 1},))
    outcome = run(gone)
    assert outcome.starts == ["cold", "warm", "cold"]
    whys = [event.why for event in outcome.events if event.kind == "intended"]
    assert ["begins anew" in why for why in whys] == [False, False, True]


def test_until_proposes_from_a_list_without_carrying_a_checkpoint() -> None:
    """The second of three proposals meets the target."""
    outcome = run(STORIES["until-propose"])
    assert outcome.labels == ["lr=0.001", "lr=0.05"]
    assert all("WPFSM_CARRY_CHECKPOINT" not in job.request["Environment"] for job in outcome.jobs)


@pytest.mark.parametrize(
    ("changes", "hyperparameters", "jobs", "why"),
    [
        ({"patience": 2}, {"lr": 0}, 3, "patience is at its end"),
        ({"max_trials": 2}, {}, 2, "not met"),
        ({"target": "eval_loss < 0.000001", "patience": None, "max_trials": 4}, {}, 4, "not met"),
    ],
)
def test_until_gives_up_and_says_so(
    changes: Mapping[str, Any], hyperparameters: Mapping[str, Any], jobs: int, why: str
) -> None:
    """Without the goal, by patience or by number, the loop is released and ends with 1."""
    story = example("until", continues, job={"hyperparameters": {"epochs": 5, "lr": 0.01, **hyperparameters}})
    with world_of(with_strategy(story, **changes)) as world:
        result = world.finish()
        assert list(violations(world, result)) == []
        outcome = Outcome(world, result)
    assert (outcome.exit_code, len(outcome.jobs)) == (1, jobs)
    assert outcome.loop.outcome == "no_goal"
    assert why in outcome.loop.why


def test_until_proposes_from_a_search() -> None:
    """A seeded search in a range serves as well as a list."""
    proposed = {"method": "random", "count": 4, "seed": 1, "parameters": {"lr": {"min": 0.0001, "max": 0.1, "scale": "log"}}}  # fmt: skip
    story = with_strategy(STORIES["until-propose"], propose=proposed, target="eval_loss < 0.28")
    outcome = run(story)
    met = [metric is not None and metric < 0.28 for metric in outcome.metrics]
    assert met == [False] * (len(met) - 1) + [outcome.exit_code == 0]


def test_fix_tries_short_jobs_until_one_completes_and_then_the_full_one() -> None:
    """A missing module is patched in an attempt; the full job is a trial of its own, with every epoch."""
    outcome = run(STORIES["fix"])
    assert outcome.labels == ["attempt", "full job"]
    assert [job.params["epochs"] for job in outcome.jobs] == [20, 20, 200]
    assert [job.diagnosis and job.diagnosis.class_ for job in outcome.jobs] == [
        "missing_module",
        None,
        None,
    ]
    assert outcome.loop.why.startswith("trial 2 (full job) completed")


def test_recipes_run_in_order_each_from_its_own_source_and_entry() -> None:
    """Hyperparameters, another script, another folder, an environment of its own; nothing leaks to the next."""
    outcome = run(STORIES["recipes"])
    assert outcome.labels == ["rank-2", "rank-4", "full", "bias-only"]
    assert [job.request["Environment"]["ENTRY"] for job in outcome.jobs] == ["train.py", "train.py", "full.py", "train.py"]  # fmt: skip
    assert [job.params.get("rank") for job in outcome.jobs] == [2, 4, None, None]
    digests = [job.source_digest for job in outcome.jobs]
    assert digests[0] == digests[1] == digests[2] != digests[3]
    assert ["NOTE" in job.request["Environment"] for job in outcome.jobs] == [False, False, False, True]


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"source": "elsewhere/"}, "is not a folder"),
        ({"entry": "nowhere.py"}, "there is no nowhere.py in src/"),
    ],
)
def test_a_recipe_that_cannot_run_is_refused_before_the_first_job(
    recipe: Mapping[str, str], said: str
) -> None:
    """A slip in the last recipe does not wait for the jobs before it."""
    recipes = [{"name": "good", "hyperparameters": {"rank": 2}}, {"name": "bad", **recipe}]
    with world_of(with_strategy(STORIES["recipes"], recipes=recipes)) as world:
        outcome = Outcome(world, world.finish())
        assert not world.emulator.jobs()
    assert outcome.exit_code == 3
    assert f"bad: {said}" in outcome.loop.why.replace(str(world.folder / "elsewhere") + " ", "").replace(
        "job.source: ", ""
    )


def test_an_ablation_tells_an_effect_from_noise() -> None:
    """`inspect` has the verdict on each variant, for programs and for people."""
    with world_of(STORIES["ablate"]) as world:
        outcome = Outcome(world, world.finish())
        with world.history() as history:
            document = _document(history)
    assert outcome.labels == ["baseline", "raw-features", "fixed-order"] * 3
    assert [job.params["seed"] for job in outcome.jobs] == [0] * 3 + [1] * 3 + [2] * 3
    verdicts = {each["variant"]: each for each in document["comparisons"]}
    assert verdicts["raw-features"]["verdict"] == "worse"
    assert verdicts["fixed-order"]["verdict"] == "within noise"
    low, high = verdicts["fixed-order"]["low"], verdicts["fixed-order"]["high"]
    assert low < 0 < high
    text = loop_text.loop_text(document)
    assert "diff  raw-features: eval_loss" in text
    assert "; within noise, 95 % interval" in text


def test_an_ablation_without_repeats_does_not_claim_to_know() -> None:
    """One run each says nothing about noise, and inspect says how to learn it."""
    with world_of(with_strategy(STORIES["ablate"], repeats=1)) as world:
        world.finish()
        with world.history() as history:
            document = _document(history)
    assert {each["verdict"] for each in document["comparisons"]} == {"noise unknown"}
    assert "it takes two completed runs of each (repeats)" in loop_text.loop_text(document)


def test_the_stories_are_the_examples() -> None:
    """Every example about a strategy has a story here; those about failures have their own tests."""
    failures = {"fix", "handoff", "oom", "lr-sweep", "ask"}
    told = {file.partition("/")[0] for story in STORIES.values() for file in story.source.values()}
    assert told == {path.name for path in EXAMPLES.iterdir() if (path / "loop.yaml").exists()} - failures


def _document(history: History) -> Any:
    loop = history.find("story")
    return loop_document(history, loop, now=loop.updated_at)
