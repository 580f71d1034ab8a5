"""What `detect` hears in a request, what it declines, and the loop file that it drafts."""

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

from wpfsm.adapters.detect.detect import Pattern, detect, draft
from wpfsm.adapters.detect.findings import Detection
from wpfsm.adapters.detect.intervals import MAX_TRIALS
from wpfsm.adapters.detect.spelling import corrected
from wpfsm.adapters.detect.tokens import tokens_of
from wpfsm.fsm.loopfile.load import parse
from wpfsm.fsm.strategies.base import PREVIEW, Goal
from wpfsm.fsm.strategies.metrics import extract, last_finite
from wpfsm.fsm.strategies.registry import build

ROWS = [
    json.loads(line)
    for line in Path(__file__).with_name("detect_requests.jsonl").read_text(encoding="utf-8").splitlines()
]
SPLITS = sorted({row["split"] for row in ROWS})
FLOOR = {"dev": 0.97, "held": 0.85}
"""Precision and recall that each pattern must keep. The held-out rows were written after the rules that they measure;
before what they showed was mended, 95 % of their candidates were found, and 95 % of what was found was one."""


def ids(detection: Detection) -> list[dict[str, object]]:
    return [{key: value for key, value in trial.items() if key != "recipe"} for trial in detection.trials]


# --- the labelled requests --------------------------------------------------------------------------------------


def test_the_labelled_requests_are_many_and_half_of_them_negative() -> None:
    """At least 150 distinct requests, half of them no candidates, every pattern in both halves."""
    assert len({row["text"] for row in ROWS}) == len(ROWS) >= 150
    assert 0.45 <= sum(row["pattern"] == "none" for row in ROWS) / len(ROWS) <= 0.55
    for split in SPLITS:
        assert {row["pattern"] for row in ROWS if row["split"] == split} == {
            pattern.value for pattern in Pattern
        }


@pytest.mark.parametrize("pattern", [pattern.value for pattern in Pattern])
@pytest.mark.parametrize("split", SPLITS)
def test_precision_and_recall_hold_on_both_halves(split: str, pattern: str) -> None:
    """Neither precision nor recall of any pattern falls below its floor."""
    pairs = Counter(
        (row["pattern"], detect(row["text"]).pattern.value) for row in ROWS if row["split"] == split
    )
    hits = pairs[pattern, pattern]
    found = sum(count for (_, got), count in pairs.items() if got == pattern)
    there = sum(count for (expected, _), count in pairs.items() if expected == pattern)
    assert hits / found >= FLOOR[split], f"precision {hits}/{found}"
    assert hits / there >= FLOOR[split], f"recall {hits}/{there}"


@pytest.mark.parametrize("split", SPLITS)
def test_the_trials_the_target_and_the_packages_are_those_of_the_request(split: str) -> None:
    """Where a request spells out its trials, target or packages, they are read as labelled."""
    wrong = []
    labelled = [
        row for row in ROWS if row["split"] == split and {"trials", "target", "packages"} & row.keys()
    ]
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
    assert len(wrong) <= (1 - FLOOR[split]) * len(labelled), wrong


# --- the grammar --------------------------------------------------------------------------------------------------

NAMES = ["lr", "LR", "learning rate", "learning rates", "learning_rate", "--lr", "Learning rates", "lrs"]
OPENINGS = [
    "try {} {}",
    "{} {}",
    "{}: {}",
    "{}={}",
    "sweep {} over {}",
    "please test {} of {}",
    "Could you compare {} {}?",
]
OPENINGS += [
    "run it with {} {} and tell me which is best",
    "I'd like to see {} {} on this setup",
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
    ", and then ",
]
LEARNING_RATES = st.tuples(st.integers(1, 99), st.integers(2, 7)).map(
    lambda pair: float(f"{pair[0]}e-{pair[1]}")
)


def written(value: float, form: int) -> str:
    """A number as people write it: 0.0003, 3e-4, 3e-04, 3E-4."""
    exponent = f"{value:e}"
    mantissa, power = exponent.split("e")
    short = f"{float(mantissa):g}e{int(power)}"
    return [f"{value:.10f}".rstrip("0"), short, f"{float(mantissa):g}e-{-int(power):02d}", short.upper()][
        form
    ]


@settings(max_examples=400, deadline=None)
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
    assert detection.pattern is Pattern.HYPERPARAMETER_SWEEP
    assert detection.trials == [{"lr": value} for value in values]


VOCABULARY = st.sampled_from(
    [*sorted({word for row in ROWS for word in row["text"].split()}), "\n", "-", "...", "?"]
)
"""Every word of the labelled requests, to be put together at random."""


@settings(max_examples=600, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(VOCABULARY, max_size=30).map(" ".join)))
def test_no_text_raises_and_every_answer_is_consistent(text: str) -> None:
    """Any text gets an answer that is JSON; a candidate drafts a valid loop file; a declined request has no trials."""
    detection = detect(text)
    answer = json.loads(json.dumps(detection.to_json(), allow_nan=False))
    assert list(answer) == ["candidate", "pattern", "why", "trials", "target", "message"]
    assert answer["candidate"] == (answer["pattern"] != "none")
    assert answer["why"]
    assert answer["message"]
    assert len(answer["trials"]) <= MAX_TRIALS
    if answer["candidate"]:
        assert parse(draft(detection, "x")).name == "x"
    else:
        assert (answer["trials"], answer["target"]) == ([], None)


@pytest.mark.parametrize(
    ("text", "parameter", "values"),
    [
        ("try batch sizes from 4 to 32", "batch_size", [4, 8, 16, 32]),
        ("sweep dropout from 0 to 0.4 in steps of 0.2", "dropout", [0.0, 0.2, 0.4]),
        ("try 3 values of lr from 1e-5 to 1e-3, 3 points", "lr", [1e-5, 1e-4, 1e-3]),
        ("seeds 1 to 4", "seed", [1, 2, 3, 4]),
        ("try sequence lengths 1k and 2k", "max_seq_length", [1024, 2048]),
        ("sweep warmup ratio 3% and 10%", "warmup_ratio", [0.03, 0.1]),
        ("learning rates 10^-3, 10**-4 and 3x10^-5", "lr", [1e-3, 1e-4, 3e-5]),
        ("could you see whether 3e-4 beats 1e-4?", "lr", [3e-4, 1e-4]),
        ("bs8 vs bs16", "batch_size", [8, 16]),
        ("16 and 32 epochs", "epochs", [16, 32]),
        ("My weight decay may be off.\nCan you try\n- 0.01\n- 0.1", "weight_decay", [0.01, 0.1]),
    ],
)
def test_quantities_ranges_and_their_owners(text: str, parameter: str, values: list[float]) -> None:
    """Ranges, powers, percentages, suffixes and unnamed lists belong to the parameter that was meant."""
    assert ids(detect(text)) == [{parameter: pytest.approx(value)} for value in values]


def test_an_open_range_is_kept_as_a_range() -> None:
    """A range that says neither step nor number of points is left to the search."""
    detection = detect("random search over lr between 1e-5 and 1e-3")
    assert detection.trials == [{"lr": {"min": 1e-5, "max": 1e-3}}]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("try lr 1e-4, 5e-5 and 2e-5 with batch sizes 8, 16 and 32 respectively", [(1e-4, 8), (5e-5, 16), (2e-5, 32)]),
        ("try learning rates 1e-4 and 2e-4 paired with batch sizes 8 and 16", [(1e-4, 8), (2e-4, 16)]),
        ("sweep lora rank 8, 16 with the corresponding lora alpha 16, 32", [(8, 16), (16, 32)]),
        ("try batch size 1, 2, 4 with gradient accumulation 16, 8, 4", [(1, 16), (2, 8), (4, 4)]),
        ("try batch size 1, 2 with gradient accumulation 1, 2", [(1, 1), (1, 2), (2, 1), (2, 2)]),
        ("try all combinations of lr 1e-4, 2e-4 and batch size 8, 16", [(1e-4, 8), (1e-4, 16), (2e-4, 8), (2e-4, 16)]),
        ("try lr 1e-4, 2e-4 with batch sizes 8, 16, 32 respectively", [
            (1e-4, 8), (1e-4, 16), (1e-4, 32), (2e-4, 8), (2e-4, 16), (2e-4, 32),
        ]),
        ("try (lr, batch size) = (1e-4, 8), (5e-5, 16)", [(1e-4, 8), (5e-5, 16)]),
        ("run the pairs [1e-4, 8] and [5e-5, 16] of lr and batch size", [(1e-4, 8), (5e-5, 16)]),
        ("try lr/weight decay/dropout of 1e-4/0.1/0.0, 2e-4/0.01/0.1", [(1e-4, 0.1, 0.0), (2e-4, 0.01, 0.1)]),
        ("try lr 1e-4 with batch size 8, 5e-5 with 16 and 2e-5 with 32", [(1e-4, 8), (5e-5, 16), (2e-5, 32)]),
        ("compare (optimizer, lr): (adamw, 1e-4) and (sgd, 1e-2)", [("adamw", 1e-4), ("sgd", 1e-2)]),
        ("we ran (lr, batch size) = (1e-4, 8), (5e-5, 16) yesterday", []),
    ],
)  # fmt: skip
def test_lists_that_belong_together_are_rows_and_no_grid(
    text: str, rows: list[tuple[float | str, ...]]
) -> None:
    """A grid of nine jobs where three were meant costs six jobs; what cannot be paired stays a grid."""
    heard = [
        tuple(value for name, value in trial.items() if name != "recipe") for trial in detect(text).trials
    ]
    assert heard == rows


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
        ("get F1 to at least 0.8", ("f1", ">=", 0.8)),
        ("train until it converges", None),
    ],
)
def test_a_target_is_a_metric_a_comparison_and_a_number(
    text: str, target: tuple[str, str, float] | None
) -> None:
    """Comparisons in words and signs agree; a wish without a number is no target."""
    found = detect(text).target
    assert (found and (found.metric, found.op, found.value)) == target


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("Teste die Lernraten 0,0001 und 0,00005", "test the learning rates 0.0001 and 0.00005"),
        ("Batchgröße 4, 8 und 16 ausprobieren", "try batch size 4, 8 and 16"),
        ("trainiere bis die Accuracy über 90% liegt", "train until the accuracy is above 90%"),
        ("mit und ohne Gradient Checkpointing trainieren", "train with and without gradient checkpointing"),
        (
            "aktualisiere transformers auf 4.46 und trainiere neu",
            "upgrade transformers to 4.46 and train again",
        ),
        ("Trainiere das Modell einmal mit lr 1e-4", "train the model once with lr 1e-4"),
    ],
)
def test_a_german_request_is_heard_as_the_english_one(text: str, english: str) -> None:
    """German words and the decimal comma lead to the same pattern, trials and target."""
    german, said = detect(text), detect(english)
    assert (german.pattern, german.trials, german.target) == (said.pattern, said.trials, said.target)


@pytest.mark.parametrize(
    ("text", "trials"),
    [
        ("sweep dice_loss_weight over 0.1 and 0.5", [{"dice_loss_weight": 0.1}, {"dice_loss_weight": 0.5}]),
        ("try entropy bonus scale 0.1, 0.3", [{"entropy_bonus_scale": 0.1}, {"entropy_bonus_scale": 0.3}]),
        ("try num_codebooks=1,2", [{"num_codebooks": 1}, {"num_codebooks": 2}]),
    ],
)
def test_a_parameter_that_no_table_knows_is_heard_by_its_form(
    text: str, trials: list[dict[str, object]]
) -> None:
    """A written name or a measured noun with a list behind it is a parameter."""
    assert detect(text).trials == trials
    assert not detect(text.replace("try ", "use ").replace("sweep ", "use ").replace("=", " ")).candidate


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("try learnig rate 0.1, 0.2", "try learning rate 0.1, 0.2"),
        ("try bacth size 4, 8", "try batch size 4, 8"),
        ("run wihtout and with dropuot", "run without and with dropout"),
        ("keep trainning until accurracy > 90%", "keep training until accuracy > 90%"),
    ],
)
def test_one_slip_of_the_keyboard_changes_nothing(slip: str, meant: str) -> None:
    """A swapped, doubled, missing or wrong letter in a word that matters is read as it was meant."""
    assert detect(meant).candidate
    assert detect(slip) == detect(meant)


@pytest.mark.parametrize(
    "text",
    ["retain the pool and rerun with torch 2.5", "we compared lr 1e-4 and 5e-5", "upgraded torch, all good"],
)
def test_another_word_is_no_slip(text: str) -> None:
    """A past tense, or an English word that lies close, stays what it is."""
    assert [token.text for token in tokens_of(text)] == [corrected(token.text) for token in tokens_of(text)]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("upgrade torch 2.3 -> 2.5 and rerun", "2.5"),
        ("swap torch 2.3 for 2.5.1 and rerun", "2.5.1"),
        ("rerun with torch==2.4.1+cu121", "2.4.1+cu121"),
        ("pin torch below 2.4 and rerun", "<2.4"),
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
    ],
)
def test_an_ablation_of_several_parts_removes_each_alone(text: str, parts: list[str]) -> None:
    """A baseline with everything, then one variant for each part."""
    baseline = dict.fromkeys(parts, True)
    assert detect(text).trials == [baseline, *({**baseline, part: False} for part in parts)]


@pytest.mark.parametrize(
    "text",
    [
        "don't sweep, train once with lr 1e-4",
        "no need to try 1e-4, 5e-5 and 2e-5, just run it",
        "do not run with and without dropout",
        "please don't bump transformers, just rerun it",
        "we tried learning rates 1e-4 and 5e-5 last week",
        "explain what learning rates 1e-4 and 5e-5 would do",
        "the first run had lr 1e-4 and the second 5e-5",
        "the previous runs with batch size 8 and 16 both failed",
        "ping me when val loss < 0.4",
    ],
)
def test_what_is_denied_past_or_only_asked_about_is_no_request(text: str) -> None:
    """Negation, the past tense and explanations take a list out of consideration."""
    assert detect(text).pattern is Pattern.NONE


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("sweep lr 1e-4, 5e-5 on spot instances", "spot"),
        ("try lr 1e-4 and 5e-5 on a heterogeneous cluster", "heterogeneous"),
        ("run it on ml.g5.xlarge and on ml.p4d.24xlarge", "instance type"),
        ("try batch sizes 4, 8 with serverless customization", "serverless"),
        ("let a HyperparameterTuner search lr 1e-5 to 1e-3", "automatic model tuning"),
        ("train on 1, 2 and 4 instances", "instance count"),
        ("train the model once", "single"),
        ("deploy the model to an endpoint", "not about"),
        ("", "no request"),
    ],
)
def test_each_refusal_says_why(text: str, word: str) -> None:
    """What no warm pool can serve is declined with its own reason."""
    detection = detect(text)
    assert not detection.candidate
    assert word in detection.why
    assert detection.why in detection.message


def test_a_denied_obstacle_is_no_obstacle() -> None:
    """Spot that is ruled out does not decline the sweep."""
    assert detect("not on spot: sweep lr 1e-4, 5e-5").trials == [{"lr": 1e-4}, {"lr": 5e-5}]


def test_the_answer_does_not_depend_on_the_interpreter() -> None:
    """Two interpreters whose strings hash differently give every labelled request the same answer."""
    code = (
        "import json, sys; from wpfsm.adapters.detect.detect import detect;"
        "print(json.dumps([detect(text).to_json() for text in json.load(sys.stdin)]))"
    )
    texts = json.dumps([*(row["text"] for row in ROWS), "train a resnet with betas 0.9, 0.999"])
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=texts,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "4", "7")
    }
    assert len(answers) == 1


# --- the draft ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row["pattern"] != "none"], ids=lambda row: row["text"][:50]
)
def test_every_draft_is_a_valid_loop_file(row: dict[str, str]) -> None:
    """What --write writes passes the validation of the loop file, and its trials are those of the request."""
    detection = detect(row["text"])
    if not detection.candidate:
        return
    loop = parse(draft(detection, "From a request!"))
    assert loop.name == "from-a-request"
    assert loop.metric is not None
    strategy = build(loop.strategy, Goal(loop.metric.name, loop.metric.goal), loop.job.hyperparameters)
    wanted = [
        {k: v for k, v in trial.items() if k not in {"recipe", "packages", "versions"}}
        for trial in detection.trials
    ]
    spelt_out = all(trial and not any(isinstance(v, dict) for v in trial.values()) for trial in wanted)
    if wanted and spelt_out and len(wanted) <= PREVIEW:
        first = [
            {k: v for k, v in each.params.items() if k != "recipe"}
            for each in strategy.preview()[: len(wanted)]
        ]
        assert first == wanted


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("try learning rates 1e-4, 5e-5", "sweep"),
        ("all combinations of lr 1e-4, 5e-5 and batch size 4, 8", "sweep"),
        ("train until eval loss < 0.3", "until"),
        ("bump transformers and retrain", "fix"),
        ("try LoRA rank 16, then 32", "recipes"),
        ("run with and without dropout", "ablate"),
    ],
)
def test_the_draft_has_the_strategy_of_the_pattern(text: str, kind: str) -> None:
    """Each pattern becomes the strategy that runs it."""
    assert parse(draft(detect(text), "x")).strategy.type == kind


def test_the_draft_carries_over_what_the_request_says() -> None:
    """Instance type, fixed settings, values and target reach the loop file; the rest is marked."""
    text = draft(detect("on ml.g6e.2xlarge with batch size 8 try lr 1e-4, 5e-5 until accuracy >= 90%"), "x")
    loop = parse(text)
    assert loop.pool.instance_type == "ml.g6e.2xlarge"
    assert loop.job.hyperparameters == {"batch_size": 8}
    assert loop.strategy.model_dump()["target"] == "accuracy >= 90%"
    assert loop.strategy.model_dump()["propose"]["parameters"] == {"lr": [1e-4, 5e-5]}
    assert "role:" in text
    assert "TODO" in text


@pytest.mark.parametrize("last", ["nan", "NaN", "inf", "-inf", "Infinity"])
def test_the_drafted_expression_sees_a_job_diverge(last: str) -> None:
    """A loss that is not a number at the end is null, and not the value before."""
    metric = parse(draft(detect("try lr 1e-4, 5e-5"), "x")).metric
    assert metric is not None
    values = extract(metric.regex, ["eval_loss: 0.5", f"eval_loss={last}"])
    assert len(values) == 2
    assert last_finite(values) is None
    assert last_finite(extract(metric.regex, ["eval_loss = -1.5e-3"])) == -1.5e-3


def test_a_declined_request_has_no_draft() -> None:
    """There is nothing to write for a single job."""
    with pytest.raises(ValueError, match="single"):
        draft(detect("train the model once"), "x")


# --- speed --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit",
    ["with a ", "remove x and ", "1e-4, ", "- \n", "'", "9", "try lr ", "accuracy is ", "(1, 2), ", "lr/bs/"],
)
def test_a_long_text_takes_no_more_than_its_length(unit: str) -> None:
    """No text makes the rules backtrack: the longest that is read takes a moment, not for ever."""
    before = time.process_time()
    detect(unit * 20_000)
    assert time.process_time() - before < 20


def test_it_imports_the_standard_library_only() -> None:
    """Importing `detect` loads no third-party package, so the verb starts fast."""
    code = (
        "import sys; before = set(sys.modules); import wpfsm.adapters.detect.detect;"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(new - set(sys.stdlib_module_names) - {'wpfsm'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
