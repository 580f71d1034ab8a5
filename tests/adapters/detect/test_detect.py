"""What `detect` says of a request: its verdict and why, the values, the target, and the loop file that it drafts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wpfsm.adapters.detect.detect import DECLINE, detect
from wpfsm.adapters.detect.drafting import draft, jobs_of
from wpfsm.adapters.detect.findings import Detection, Pattern
from wpfsm.adapters.detect.model import WEIGHTS
from wpfsm.adapters.detect.values import MAX_TRIALS
from wpfsm.fsm.loopfile.load import parse
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.strategies.base import PREVIEW, Goal, Proposal
from wpfsm.fsm.strategies.metrics import extract, last_finite
from wpfsm.fsm.strategies.registry import build

ROWS = [
    json.loads(line)
    for line in Path(__file__).with_name("detect_requests.jsonl").read_text(encoding="utf-8").splitlines()
]
SAMPLE = ROWS[::9]
"""Every ninth labelled request: what is checked row by row stays fast."""


def ids(detection: Detection) -> list[dict[str, object]]:
    """The trials without the names of recipes."""
    return [{key: value for key, value in trial.items() if key != "recipe"} for trial in detection.trials]


def previewed(loop: LoopFile) -> list[Proposal]:
    """The first trials that a loop file's strategy proposes."""
    assert loop.metric is not None
    goal = Goal(loop.metric.name, loop.metric.goal)
    return list(build(loop.strategy, goal, loop.job.hyperparameters).preview())


# --- the labelled requests --------------------------------------------------------------------------------------


def test_the_labelled_requests_say_where_they_come_from() -> None:
    """Each text is there once, has a source, and no source is a fifth of all that were written for the model."""
    assert len({row["text"] for row in ROWS}) == len(ROWS)
    assert {row["pattern"] for row in ROWS} == {pattern.value for pattern in Pattern}
    sources = Counter(row["source"] for row in ROWS)
    assert len(sources) > 20
    assert max(count for name, count in sources.items() if not name.startswith("short")) < 200


def test_the_weights_fit_the_labelled_requests() -> None:
    """The data file is of the size that was agreed, and agrees with what it was trained on."""
    assert WEIGHTS.stat().st_size <= 400_000
    told = [(row["pattern"] != "none", detect(row["text"]).candidate) for row in SAMPLE]
    candidates = [said for wanted, said in told if wanted]
    others = [said for wanted, said in told if not wanted]
    assert candidates.count(True) >= 0.9 * len(candidates)
    assert candidates.count(False) <= 0.03 * len(candidates)
    assert others.count(True) <= 0.08 * len(others)


def test_the_trials_the_target_and_the_packages_are_those_of_the_request() -> None:
    """Where a request spells out its trials, target or packages, they are read as labelled."""
    wrong = []
    labelled = [row for row in ROWS if {"trials", "target", "packages"} & row.keys()]
    for row in labelled:
        detection = detect(row["text"])
        got = detection.to_json()
        packages = [name for trial in detection.trials for name in trial.get("packages", [])]  # type: ignore[union-attr]
        if (
            ("trials" in row and ids(detection) != row["trials"])
            or ("target" in row and got["target"] != row["target"])
            or ("packages" in row and list(dict.fromkeys(packages)) != row["packages"])
        ):
            wrong.append(row["text"])
    assert len(wrong) <= 0.1 * len(labelled), wrong


# --- the verdict --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "word", "quote"),
    [
        ("sweep lr 1e-4, 5e-5 on spot instances", "spot", "spot"),
        ("try lr 1e-4 and 5e-5 on a heterogeneous cluster", "heterogeneous", "heterogeneous"),
        (
            "run it on ml.g5.xlarge and on ml.p4d.24xlarge",
            "instance type",
            "ml.g5.xlarge and ml.p4d.24xlarge",
        ),
        ("try batch sizes 4, 8 with serverless customization", "serverless", "serverless"),
        ("let a HyperparameterTuner search lr 1e-5 to 1e-3", "automatic model tuning", "HyperparameterTuner"),
        ("train on 1, 2 and 4 instances", "instance count", ""),
        (
            "three runs with lr 1e-3, 1e-4, 1e-5, but without warm pools please",
            "declines",
            "without warm pools",
        ),
        ("loop over lr 1e-3 and 1e-4 on my laptop", "SageMaker training jobs", "on my laptop"),
        ("train the model once", "single", "once"),
        ("deploy the model to an endpoint", "something else", "deploy"),
        ("", "no request", ""),
    ],
)
def test_a_refusal_quotes_the_words_it_rests_on(text: str, word: str, quote: str) -> None:
    """False is said only for a reason that stands in the text."""
    detection = detect(text)
    assert detection.candidate is False
    assert detection.pattern is Pattern.NONE
    assert word in detection.why
    assert quote in detection.why
    assert detection.why in detection.message
    assert (detection.trials, detection.target) == ([], None)


@pytest.mark.parametrize("text", ["the quick brown fox", "hello", "lr", "resnet and densenet"])
def test_without_a_sign_or_a_reason_the_reader_decides(text: str) -> None:
    """Null: the message hands the decision over, with the rule."""
    detection = detect(text)
    assert detection.candidate is None
    assert detection.message.startswith("You decide")
    assert "Rule: two or more training jobs on one instance type" in detection.message


@pytest.mark.parametrize("text", ["try learning rates 1e-4, 5e-5", "train once on spot", "hello"])
def test_every_answer_says_how_to_decline(text: str) -> None:
    """`strategy: single` once per job, or no wpfsm at all."""
    assert "strategy: {type: single}" in DECLINE
    assert detect(text).to_json()["decline"] == DECLINE


def test_a_denied_obstacle_is_no_obstacle() -> None:
    """Spot that is ruled out does not decline the sweep."""
    assert detect("not on spot: sweep lr 1e-4, 5e-5").trials == [{"lr": 1e-4}, {"lr": 5e-5}]


def test_only_the_last_turn_of_a_conversation_asks() -> None:
    """What was asked and answered before is not asked again."""
    done = "User: try lr 1e-3, 1e-4 and 1e-5\nAssistant: Done.\nUser: "
    assert detect(f"{done}thanks, now deploy the best one to an endpoint").candidate is not True
    assert detect(f"{done}and now weight decay 0.01 and 0.1").trials == [
        {"weight_decay": 0.01},
        {"weight_decay": 0.1},
    ]


# --- the values ---------------------------------------------------------------------------------------------------

NAMES = ["lr", "LR", "learning rate", "learning rates", "Learning rates"]
OPENINGS = [
    "try {} {}",
    "try {}: {}",
    "sweep {} over {}",
    "please test {} of {}",
    "Could you compare {} {}?",
    "run it with {} {} and tell me which is best",
    "train with {} {}",
]
SEPARATORS = [
    ", ",
    ",",
    " / ",
    "/",
    " | ",
    " and ",
    " or ",
    " then ",
    ", then ",
    " vs ",
    ", and ",
    " versus ",
]
LEARNING_RATES = st.tuples(st.integers(1, 99), st.integers(2, 7)).map(
    lambda pair: float(f"{pair[0]}e-{pair[1]}")
)


def written(value: float, form: int) -> str:
    """A number as people write it: 0.0003, 3e-4, 3e-04, 3E-4."""
    mantissa, power = f"{value:e}".split("e")
    short = f"{float(mantissa):g}e{int(power)}"
    return [f"{value:.10f}".rstrip("0"), short, f"{float(mantissa):g}e-{-int(power):02d}", short.upper()][
        form
    ]


@settings(max_examples=150, deadline=None)
@given(
    values=st.lists(LEARNING_RATES, min_size=2, max_size=8, unique=True),
    name=st.sampled_from(NAMES),
    opening=st.sampled_from(OPENINGS),
    separators=st.lists(st.sampled_from(SEPARATORS), min_size=8, max_size=8),
    forms=st.lists(st.integers(0, 3), min_size=8, max_size=8),
)
def test_any_list_of_learning_rates_gives_exactly_those_trials(
    values: list[float], name: str, opening: str, separators: list[str], forms: list[int]
) -> None:
    """Two or more learning rates, however they are written and joined, are the trials, in order."""
    texts = [written(value, form) for value, form in zip(values, forms, strict=False)]
    listed = texts[0] + "".join(sep + text for sep, text in zip(separators, texts[1:], strict=False))
    detection = detect(opening.format(name, listed))
    assert detection.candidate is not False
    assert detection.trials == [{"lr": value} for value in values]


@pytest.mark.parametrize(
    ("text", "trials"),
    [
        ("try batch sizes from 4 to 32", [{"batch_size": n} for n in (4, 8, 16, 32)]),
        ("sweep dropout from 0 to 0.4 in steps of 0.2", [{"dropout": v} for v in (0.0, 0.2, 0.4)]),
        ("try 3 values of lr from 1e-5 to 1e-3, 3 points", [{"lr": v} for v in (1e-5, 1e-4, 1e-3)]),
        ("try seeds 1 to 4", [{"seed": n} for n in (1, 2, 3, 4)]),
        ("try sequence lengths 1k and 2k", [{"sequence_length": n} for n in (1024, 2048)]),
        ("sweep warmup ratio 3% and 10%", [{"warmup_ratio": v} for v in (0.03, 0.1)]),
        ("try learning rates 10^-3, 10**-4 and 3x10^-5", [{"lr": v} for v in (1e-3, 1e-4, 3e-5)]),
        ("try 16 and 32 epochs", [{"epochs": n} for n in (16, 32)]),
        ("please train with 2 or 6 attention heads and compare", [{"num_heads": n} for n in (2, 6)]),
        ("My weight decay may be off.\nCan you try\n- 0.01\n- 0.1", [{"weight_decay": v} for v in (0.01, 0.1)]),
        ("teste dropout 0,15, 0,25 und 0,35", [{"dropout": v} for v in (0.15, 0.25, 0.35)]),
        ("essaie les taux d'apprentissage 0,01 et 0,001", [{"lr": v} for v in (0.01, 0.001)]),
        ("学習率を1e-3、1e-4の二つで学習して比較してください", [{"lr": v} for v in (1e-3, 1e-4)]),
        ("把学习率 0.1、0.01 都跑一遍", [{"lr": v} for v in (0.1, 0.01)]),
        ("halve the learning rate each time, starting at 8e-4, 4 runs", [{"lr": v} for v in (8e-4, 4e-4, 2e-4, 1e-4)]),
        ("start with batch size 8 and double it each time up to 64", [{"batch_size": n} for n in (8, 16, 32, 64)]),
        ("random search over lr between 1e-5 and 1e-3", [{"lr": {"min": 1e-5, "max": 1e-3}}]),
        ("lr log-uniform in [1e-6, 1e-4], 8 draws", [{"lr": {"min": 1e-6, "max": 1e-4}}]),
        ("[epoch 7] loss=0.51 acc=0.80\n[epoch 8] loss=0.44 acc=0.81\ntry tau 0.2 and 0.4", [{"tau": v} for v in (0.2, 0.4)]),
        ("try every seed: do 3 different seeds of this job", [{"seed": n} for n in (0, 1, 2)]),
    ],
)  # fmt: skip
def test_values_are_read_as_they_are_meant(text: str, trials: list[dict[str, object]]) -> None:
    """Ranges, steps, powers, percentages, decimal commas, rules, other languages; numbers of a log are no trials."""
    found = ids(detect(text))
    assert [list(trial) for trial in found] == [list(trial) for trial in trials]
    for got, wanted in zip(found, trials, strict=True):
        assert all(value == pytest.approx(wanted[name]) for name, value in got.items())


@pytest.mark.parametrize(
    "text",
    [
        "train a net with layers 300, 100 and dropout 0.4, 0.2 after each block",
        "train with weight decay 0.1, 0.01, 0.001 per layer",
        "we have 12k images, 40 days and 3 sites; train the detector",
    ],
)
def test_what_one_job_takes_together_is_no_list_of_trials(text: str) -> None:
    """Widths and rates layer by layer, and things that are only counted."""
    assert detect(text).trials == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("try ctx_len 512, 1024", "ctx_len"),
        ("try alpha 16 and 32", "alpha"),
        ("try max_seq_len 512 and 1024", "max_seq_len"),
        ("try wd 0.01, 0.1", "wd"),
        ("sweep dice_loss_weight over 0.1 and 0.5", "dice_loss_weight"),
        ("try num_codebooks=1,2", "num_codebooks"),
        ("try specaugment strengths like 0.2, 0.5, 0.8", "specaugment_strength"),
    ],
)
def test_names_stay_the_users(text: str, name: str) -> None:
    """A name that is written as a name is the key of the trial, known or not."""
    assert {key for trial in detect(text).trials for key in trial} == {name}


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("try lr 1e-4, 5e-5 and 2e-5 with batch sizes 8, 16 and 32 respectively", [(1e-4, 8), (5e-5, 16), (2e-5, 32)]),
        ("try learning rates 1e-4 and 2e-4 paired with batch sizes 8 and 16", [(1e-4, 8), (2e-4, 16)]),
        ("try batch size 1, 2, 4 with gradient accumulation 16, 8, 4", [(1, 16), (2, 8), (4, 4)]),
        ("try all combinations of lr 1e-4, 2e-4 and batch size 8, 16", [(1e-4, 8), (1e-4, 16), (2e-4, 8), (2e-4, 16)]),
        ("try (lr, batch size) = (1e-4, 8), (5e-5, 16)", [(1e-4, 8), (5e-5, 16)]),
        ("try lr 1e-4 bs 8, then lr 5e-5 bs 16", [(1e-4, 8), (5e-5, 16)]),
        ("try lr/weight decay/dropout of 1e-4/0.1/0.0, 2e-4/0.01/0.1", [(1e-4, 0.1, 0.0), (2e-4, 0.01, 0.1)]),
        ("try lr 1e-4 with batch size 8, 5e-5 with 16 and 2e-5 with 32", [(1e-4, 8), (5e-5, 16), (2e-5, 32)]),
        ('train with {"lr": [0.1, 0.01], "amp": [true, false]}', [(0.1, True), (0.1, False), (0.01, True), (0.01, False)]),
        ("run each row\nlr,wd\n1e-3,0.1\n5e-4,0.2", [(1e-3, 0.1), (5e-4, 0.2)]),
    ],
)  # fmt: skip
def test_lists_that_belong_together_are_rows_and_no_grid(
    text: str, rows: list[tuple[float | str, ...]]
) -> None:
    """A grid of nine jobs where three were meant costs six jobs; data is read as data."""
    assert [tuple(trial.values()) for trial in ids(detect(text))] == rows


def test_recipes_of_a_yaml_list_are_trials_as_written() -> None:
    """Each entry is one trial with its own keys, and not a grid of all values."""
    text = "train these recipes one after the other:\n- name: short\n  lr: 3e-4\n- name: long\n  lr: 3e-5\n  steps: 900\n"
    found = detect(text)
    assert found.trials == [{"recipe": "short", "lr": 3e-4}, {"recipe": "long", "lr": 3e-5, "steps": 900}]


def test_a_grid_is_cut_at_two_hundred_trials_and_says_so() -> None:
    """Fifteen by twenty values would be 300 trials."""
    seeds = ", ".join(str(n) for n in range(15))
    sizes = ", ".join(str(n) for n in range(1, 21))
    detection = detect(f"all combinations of seeds {seeds} and batch sizes {sizes}")
    assert len(detection.trials) == MAX_TRIALS
    assert str(MAX_TRIALS) in detection.message


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("train until eval loss < 0.3", ("eval_loss", "<", 0.3)),
        ("keep going until accuracy reaches 90%", ("accuracy", ">=", 0.9)),
        ("retrain until the loss drops below 0.5", ("loss", "<", 0.5)),
        ("as long as perplexity is above 12 train again", ("perplexity", "<=", 12)),
        ("keep training until val_acc > 0.9", ("val_acc", ">", 0.9)),
        ("recall is 0.81 today and must be at least 0.9, keep retraining", ("recall", ">=", 0.9)),
        ("keep retraining until NDCG@10 is 0.45 or better", ("ndcg@10", ">=", 0.45)),
        ("train until it converges", None),
    ],
)
def test_a_target_is_a_metric_a_comparison_and_a_number(
    text: str, target: tuple[str, str, float] | None
) -> None:
    """Comparisons in words and signs agree; what is measured now is no target; names stay."""
    found = detect(text).target
    assert (found and (found.metric, found.op, found.value)) == target


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("upgrade torch 2.3 -> 2.5 and rerun until it trains", "2.5"),
        ("swap torch 2.3 for 2.5.1 and rerun until it trains", "2.5.1"),
        ("fix the import error: rerun with torch==2.4.1+cu121 until it trains", "2.4.1+cu121"),
        ("pin torch below 2.4 and rerun until it trains", "<2.4"),
    ],
)
def test_the_version_is_the_one_asked_for(text: str, version: str) -> None:
    """Of a move from one version to another it is the second."""
    assert detect(text).trials == [{"packages": ["torch"], "versions": {"torch": version}}]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("ablate each augmentation: flip, crop, color jitter", ["flip", "crop", "color_jitter"]),
        ("ablation study: remove dropout, remove the warmup", ["dropout", "warmup"]),
        ("baseline vs no label smoothing vs no EMA", ["label_smoothing", "ema"]),
        ("knock out one at a time: mixup, cutmix", ["mixup", "cutmix"]),
        ("train with and without class weights", ["class_weights"]),
    ],
)
def test_an_ablation_of_several_parts_removes_each_alone(text: str, parts: list[str]) -> None:
    """A baseline with everything, then one variant for each part."""
    baseline = dict.fromkeys(parts, True)
    assert detect(text).trials == [baseline, *({**baseline, part: False} for part in parts)]


# --- the draft ----------------------------------------------------------------------------------------------------


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
    asked = loop.strategy.model_dump()
    total = asked.get("count") or len(previewed(loop))
    assert total == count


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("try lr 1e-3, 1e-4, then with the best one try dropout 0.1, 0.2", ["sweep", "sweep"]),
        ("sweep lr 1e-3 and 1e-4. Then keep the best and train until val_loss < 0.2", ["sweep", "until"]),
        ("first lora, then qlora; I decide after each one what is next", ["recipes", "ask"]),
    ],
)
def test_what_follows_on_the_best_or_by_hand_is_a_phase(text: str, kinds: list[str]) -> None:
    """Phases in order; one that goes on from the best says so."""
    written = draft(detect(text), "x")
    strategy = parse(written).strategy
    assert isinstance(strategy, list)
    assert [phase.type for phase in strategy] == kinds
    assert ("from: best" in written) == (kinds[-1] != "ask")


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


# --- robustness and speed -----------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [*sorted({word for row in ROWS for word in row["text"].split()}), "\n", "-", "...", "?", "{", "```"]
)
"""Every word of the labelled requests, to be put together at random."""


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=30).map(" ".join)))
def test_no_text_raises_and_every_answer_is_consistent(text: str) -> None:
    """Any text gets an answer that is JSON; what is not declined drafts a valid loop file."""
    detection = detect(text)
    answer = json.loads(json.dumps(detection.to_json(), allow_nan=False))
    assert list(answer) == [
        "candidate",
        "confidence",
        "pattern",
        "why",
        "trials",
        "target",
        "message",
        "decline",
    ]
    assert (answer["candidate"] is False) == (answer["pattern"] == "none")
    assert 0 <= answer["confidence"] <= 1
    assert answer["why"]
    assert answer["message"]
    assert len(answer["trials"]) <= MAX_TRIALS
    if answer["candidate"] is not False:
        assert parse(draft(detection, "x")).name == "x"
    else:
        assert (answer["trials"], answer["target"]) == ([], None)


def test_the_answer_does_not_depend_on_the_interpreter() -> None:
    """Two interpreters whose strings hash differently give every request the same answer."""
    code = (
        "import json, sys; from wpfsm.adapters.detect.detect import detect;"
        "print(json.dumps([detect(text).to_json() for text in json.load(sys.stdin)]))"
    )
    texts = json.dumps([row["text"] for row in SAMPLE])
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=texts,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "7")
    }
    assert len(answers) == 1


@pytest.mark.parametrize("unit", ["remove x and ", "accuracy is ", "(1, 2), ", "lr/bs/", "{", "0,1,"])
def test_a_long_text_takes_no_more_than_its_length(unit: str) -> None:
    """No text makes the rules backtrack: the longest that is read takes a moment, not for ever."""
    before = time.process_time()
    detect(unit * 20_000)
    assert time.process_time() - before < 20


def test_it_imports_the_standard_library_only() -> None:
    """Importing `detect` and asking it loads no third-party package, so the verb starts fast."""
    code = (
        "import sys; before = set(sys.modules); from wpfsm.adapters.detect.detect import detect;"
        "detect('try lr 1e-4, 5e-5');"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(new - set(sys.stdlib_module_names) - {'wpfsm'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
