"""What a job changed of the one before it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wpfsm.adapters.documents.job_changes import changes
from wpfsm.fsm.records import Job

BEFORE = Job(
    "l-1", 1, 1, "l-1-001", {"lr": 0.001, "warmup": 5},
    {"Environment": {"A": "1", "WPFSM_TRIAL": "1"}, "AlgorithmSpecification": {"TrainingImage": "train:1"}},
    "d", "0123456789abcdef", 600.0, 2700.0,
)  # fmt: skip


def test_the_first_job_changed_nothing() -> None:
    """There is nothing before it."""
    assert changes(None, BEFORE) == ()
    assert changes(BEFORE, replace(BEFORE, number=2, name="l-1-002")) == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"params": {"lr": 0.01, "warmup": 5}}, ("lr 0.001 -> 0.01",)),
        ({"params": {"lr": 0.001, "warmup": 5, "seed": 1}}, ("seed = 1",)),
        ({"params": {"lr": 0.001}}, ("warmup dropped",)),
        ({"source_digest": "fedcba9876543210"}, ("source 01234567 -> fedcba98",)),
        ({"max_runtime": 3600.0}, ("max_runtime 45m -> 1h",)),
        ({"request": {**BEFORE.request, "Environment": {"A": "2"}}}, ("env A 1 -> 2",)),
        ({"request": {**BEFORE.request, "Environment": {"A": "1", "WPFSM_TRIAL": "2"}}}, ()),
        (
            {"request": {**BEFORE.request, "AlgorithmSpecification": {"TrainingImage": "train:2"}}},
            ("image train:1 -> train:2",),
        ),
    ],
)
def test_each_free_field_is_told_and_what_wpfsm_sets_is_not(
    change: dict[str, object], said: tuple[str, ...]
) -> None:
    """One phrase a field; the variables by which a job knows its trial change with each and mean nothing."""
    assert changes(BEFORE, replace(BEFORE, **change)) == said  # type: ignore[arg-type]


def test_a_long_value_is_cut() -> None:
    """A prompt as hyperparameter does not fill the table."""
    (said,) = changes(BEFORE, replace(BEFORE, params={**BEFORE.params, "prompt": "x" * 500}))
    assert len(said) < 60
    assert said.endswith("…")
