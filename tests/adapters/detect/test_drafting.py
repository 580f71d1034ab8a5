"""The draft of a loop file: valid, with the jobs and the strategy of the request."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from wpfsm.adapters.detect.detect import detect
from wpfsm.adapters.detect.drafting import draft, jobs_of
from wpfsm.fsm.loopfile.load import parse
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.strategies.base import PREVIEW, Point
from wpfsm.fsm.strategies.metrics import Goal, extract, last_finite
from wpfsm.fsm.strategies.registry import build
from wpfsm.fsm.strategies.repeats import WithRepeats

ROWS = [
    json.loads(line)
    for line in Path(__file__).with_name("detect_requests.jsonl").read_text(encoding="utf-8").splitlines()
]


SAMPLE = ROWS[::12]
"""Every twelfth labelled request: what is checked row by row stays fast."""
DRAFTS = [
    json.loads(line)
    for line in Path(__file__).with_name("drafts.jsonl").read_text(encoding="utf-8").splitlines()
]
"""Requests, each with the strategy that it asks for."""


def previewed(loop: LoopFile) -> list[Point]:
    """The first trials that a loop file's strategy proposes."""
    assert loop.metric is not None
    goal = Goal(loop.metric.name, loop.metric.goal)
    return list(build(loop.strategy, goal, loop.job.hyperparameters).preview())


@pytest.mark.parametrize("row", SAMPLE, ids=lambda row: row["text"][:50].replace("\n", " "))
def test_every_draft_is_a_valid_loop_file_with_the_jobs_of_the_message(row: dict[str, str]) -> None:
    """What --write writes passes the loop file's validation; its trials are those of the answer, as many as it says."""
    detection = detect(row["text"])
    if detection.candidate is False:
        return
    loop = parse(draft(detection, "From a request!"))
    assert loop.name == "from-a-request"
    proposals = previewed(loop)
    names = {"recipe", "packages", "versions"}
    wanted = [{k: v for k, v in trial.items() if k not in names} for trial in detection.trials]
    spelt_out = all(trial and not any(isinstance(v, dict | list) for v in trial.values()) for trial in wanted)
    drawn = detection.plan.method in {"random", "bayes"}
    if wanted and spelt_out and not drawn and len(wanted) <= PREVIEW:
        first = [{k: v for k, v in each.params.items() if k != "recipe"} for each in proposals]
        assert [each for n, each in enumerate(first[: len(wanted)])] == [
            trial for n, trial in enumerate(wanted) if trial not in wanted[:n]
        ]


def test_a_draft_is_what_was_asked() -> None:
    """Values, pairs, ranges, order, count, method, parts, recipes and phases; the name of the loop is digits."""
    wrong = []
    for row in DRAFTS:
        detection = detect(row["text"])
        if detection.candidate is False:
            wrong.append(row["text"])
            continue
        written = draft(detection, "12")
        loop = parse(written)
        strategy = YAML(typ="safe", pure=True).load(written)["strategy"]
        hyperparameters = {**loop.job.hyperparameters, **row.get("settings", {})}
        asked = row.get("cost", loop.limits.max_cost)
        if (strategy, loop.job.hyperparameters, loop.limits.max_cost) != (
            row["strategy"],
            hyperparameters,
            asked,
        ):
            wrong.append(row["text"])
        jobs, phases = (
            jobs_of(detection),
            loop.strategy if isinstance(loop.strategy, list) else [loop.strategy],
        )
        types = {phase.type for phase in phases}
        if jobs is not None and not types & {"ask", "until", "fix"}:
            assert total(loop) == jobs, row["text"]
            assert jobs == 1 or f"{jobs} jobs" in detection.message, row["text"]
    assert len(wrong) <= 0.05 * len(DRAFTS), wrong


def total(loop: LoopFile) -> int | None:
    """How many jobs the strategy of a loop file runs."""
    assert loop.metric is not None
    goal = Goal(loop.metric.name, loop.metric.goal)
    often = loop.strategy.repeats if isinstance(loop.strategy, WithRepeats) else 1
    return (build(loop.strategy, goal, loop.job.hyperparameters).total() or 0) * often


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("random search over lr and wd, 9 trials", 9),
        ("Bayesian optimisation of lr between 1e-5 and 1e-3, 14 runs", 14),
        ("ablate: no dropout, no mixup. each alone against the baseline", 3),
        ("with and without EMA, run each twice", 4),
        ("sweep lr 1e-3, 1e-4 with 3 seeds each", 6),
        ("try lr 1e-3, 1e-4 and 1e-5", 3),
    ],
)
def test_the_number_of_jobs_is_one_number(text: str, count: int) -> None:
    """In the message, in the draft, and in what the loop would run."""
    detection = detect(text)
    assert f"{count} jobs" in detection.message
    assert jobs_of(detection) == count
    loop = parse(draft(detection, "x"))
    assert total(loop) == count


def test_method_count_and_budget_are_drafted_as_asked() -> None:
    """A random search of nine trials over two parameters, for thirty dollars."""
    loop = parse(draft(detect("random search over lr and wd, 9 trials, budget 30 dollars"), "x"))
    strategy = loop.strategy.model_dump()
    assert (strategy["method"], strategy["count"], list(strategy["parameters"])) == (
        "random",
        9,
        ["lr", "wd"],
    )
    assert loop.limits.max_cost == 30
    assert (
        parse(draft(detect("Bayesian search of dropout between 0.1 and 0.5"), "x")).strategy.model_dump()[
            "method"
        ]
        == "bayes"
    )


@pytest.mark.parametrize("name", ["123", "From a request!", "2024-run", "---", "日本"])
def test_any_name_becomes_one_that_the_loop_file_takes(name: str) -> None:
    """Digits as a name included."""
    assert parse(draft(detect("try lr 1e-4, 5e-5"), name)).name


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("try learning rates 1e-4, 5e-5", "sweep"),
        ("all combinations of lr 1e-4, 5e-5 and batch size 4, 8", "sweep"),
        ("train until eval loss < 0.3", "until"),
        ("bump transformers and retrain until it works", "fix"),
        ("first the LoRA recipe, then the QLoRA recipe", "recipes"),
        ("run with and without dropout", "ablate"),
    ],
)
def test_the_draft_has_the_strategy_of_the_pattern(text: str, kind: str) -> None:
    """Each pattern becomes the strategy that runs it."""
    assert parse(draft(detect(text), "x")).strategy.type == kind


@pytest.mark.parametrize("last", ["nan", "NaN", "inf", "-inf", "Infinity"])
def test_the_drafted_expression_sees_a_job_diverge(last: str) -> None:
    """A loss that is not a number at the end is null, and not the value before."""
    metric = parse(draft(detect("try lr 1e-4, 5e-5"), "x")).metric
    assert metric is not None
    values = extract(metric.regex, ["eval_loss: 0.5", f"eval_loss={last}"])
    assert len(values) == 2
    assert last_finite(values) is None


@pytest.mark.parametrize(
    "line",
    ["val_acc: 0.91", "val_acc=0.91", "{'val_acc': 0.91}", '"val_acc": 0.91', "epoch 3 - val_acc = 0.91"],
)
def test_the_drafted_expression_finds_what_scripts_print(line: str) -> None:
    """The user's name, with the signs and quotation marks around it."""
    metric = parse(draft(detect("retrain until val_acc > 0.9"), "x")).metric
    assert metric is not None
    assert metric.name == "val_acc"
    assert last_finite(extract(metric.regex, [line])) == 0.91
    assert extract(metric.regex, ["best_val_acc_epoch 3", "my_val_acc: 0.2"]) == []


def test_a_declined_request_has_no_draft() -> None:
    """There is nothing to write for a single job."""
    with pytest.raises(ValueError, match="single"):
        draft(detect("train the model once"), "x")


def test_a_draft_takes_the_backend_and_the_requirements_that_there_are() -> None:
    """Nothing is left to do that was said or can be seen; nobody is told of a bill that the emulator does not write."""
    local = detect("On the local emulator, try learning rates 1e-4, 5e-5 and 2e-5")
    text = draft(local, "x", requirements=True)
    assert "backend: local              # as the request says" in text
    assert parse(text).job.requirements == "requirements.txt"
    assert "nothing is billed" in local.message
    other = detect("Try learning rates 1e-4, 5e-5 and 2e-5, not on the emulator")
    assert "# TODO: local (embedded emulator) or aws" in draft(other, "x")
    assert parse(draft(other, "x")).job.requirements is None
    assert "idle time is billed" in other.message
