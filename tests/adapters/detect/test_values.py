"""Which values a request gives to which parameters."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wpfsm.adapters.detect.detect import detect
from wpfsm.adapters.detect.findings import Detection


def ids(detection: Detection) -> list[dict[str, object]]:
    """The trials without the names of recipes."""
    return [{key: value for key, value in trial.items() if key != "recipe"} for trial in detection.trials]


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
