"""The other fixes, and the built-in rules: smaller, shorter, later, released."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.failures.diagnosis import Evidence, diagnose, explain
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.failures.taxonomy import TAXONOMY
from wpfsm.fsm.patches import PATCHES, Material, PastPatch, Patch, propose, why_not
from wpfsm.fsm.patches.base import patch_of
from wpfsm.fsm.patches.hyperparameters import accepted, changed
from wpfsm.fsm.patches.on_failure import DEFAULT_RULES, Rule, applicable
from wpfsm.fsm.patches.retry import FIRST_WAIT, LONGEST_WAIT, wait_seconds
from wpfsm.fsm.patches.scale import BATCH_NAMES
from wpfsm.fsm.records import JobPatch

OOM = explain("", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")
HOST_OOM = explain("", "MemoryError")
INFRA = explain("InternalServerError: We encountered an internal error.", "")
TIME_LIMIT = diagnose(Evidence(secondary_status="MaxRuntimeExceeded"))
QUOTA = explain(
    "An error occurred (ResourceLimitExceeded) when calling the CreateTrainingJob operation: The account-level",
    "",
)


def scaled(hyperparameters, diagnosis=OOM, **material) -> dict | None:
    patch = propose("scale", diagnosis, Material(hyperparameters=hyperparameters, **material))
    return dict(patch.hyperparameters) if patch else None


def after(diagnosis: Diagnosis, patch: Patch, material: Material) -> Material:
    """The material of the next attempt, when this patch did not help."""
    past = PastPatch(diagnosis.fingerprint, diagnosis.class_, patch.key, "failed")
    return replace(
        material,
        hyperparameters={**material.hyperparameters, **patch.hyperparameters},
        history=(*material.history, past),
        attempt=material.attempt + 1,
    )


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ({"batch_size": 8, "lr": 1e-4}, {"batch_size": 4}),
        ({"per_device_train_batch_size": 3}, {"per_device_train_batch_size": 1}),
        ({"train-batch-size": "16"}, {"train-batch-size": 8}),
        ({"batch_size": 64, "micro_batch_size": 4}, {"micro_batch_size": 2}),
        (
            {"batch_size": 8, "gradient_accumulation_steps": 2},
            {"batch_size": 4, "gradient_accumulation_steps": 4},
        ),
        ({"batch_size": 5, "accum_iter": 1}, {"batch_size": 2, "accum_iter": 3}),
        ({"bs": 2, "gradient_checkpointing": False}, {"bs": 1, "gradient_checkpointing": True}),
        ({"bs": 1, "gradient_checkpointing": "false"}, {"gradient_checkpointing": "true"}),
        ({"per_device_eval_batch_size": 64, "batch_size": 2}, {"batch_size": 1}),
    ],
)
def test_the_batch_is_halved_and_the_effective_batch_kept(before, change):
    """The hyperparameter that memory depends on is halved; accumulation makes up for it."""
    assert scaled(before) == change


@pytest.mark.parametrize("hyperparameters", [{}, {"batch_size": 1}, {"lr": 0.1}, {"batch_size": "auto"}])
def test_at_the_floor_there_is_no_patch(hyperparameters):
    """A batch of one cannot be halved; the reason is given for the hand-off."""
    assert scaled(hyperparameters) is None
    assert why_not("scale", OOM, Material(hyperparameters=hyperparameters))


def test_host_memory_gets_fewer_workers_and_no_checkpointing():
    """Activations live on the accelerator; loader workers live in host memory."""
    before = {"batch_size": 8, "num_workers": 4, "gradient_checkpointing": False}

    assert scaled(before, HOST_OOM) == {"batch_size": 4, "num_workers": 2}


def test_the_scripts_own_options_are_known():
    """A batch size that only the script's parser knows is passed; a flag, which takes no value, is not."""
    script = (
        "p.add_argument('--batch-size', type=int, default=32)\n"
        "p.add_argument('--gradient_checkpointing', action='store_true')\n"
        "p.add_argument('--grad_ckpt', type=bool)\n"
    )

    assert accepted({"train.py": script}) == {"batch-size": 32, "grad_ckpt": None}
    assert scaled({}, files={"train.py": script}) == {"batch-size": 16}


def test_checkpointing_is_turned_on_where_the_script_takes_it():
    """An option that takes a value is enough; the hyperparameter need not be set yet."""
    script = "p.add_argument('--gradient_checkpointing', type=str2bool, default=False)"

    assert scaled({"bs": 1}, files={"a.py": script}) == {"gradient_checkpointing": True}


def test_the_rows_own_expressions_take_precedence():
    """``set`` of the rule replaces the built-in choice."""
    options = {"set": {"batch_size": "x0.5", "workers": "-1", "optim": "adafactor", "seq": "+1"}}

    assert scaled({"batch_size": 9, "workers": 2, "seq": 1}, options=options) == {
        "batch_size": 4, "workers": 1, "optim": "adafactor", "seq": 2,
    }  # fmt: skip
    assert scaled({"batch_size": 1}, options={"set": {"batch_size": "x0.5"}}) is None


@given(name=st.sampled_from(BATCH_NAMES), size=st.integers(1, 4096), steps=st.integers(1, 64))
def test_scaling_ends_at_one_and_never_lowers_the_effective_batch(name, size, steps):
    """Repeated patches reach a batch of one in at most log2 steps; samples per update never fall."""
    material = Material(hyperparameters={name: size, "gradient_accumulation_steps": steps})
    for _ in range(size.bit_length()):
        patch = propose("scale", OOM, material)
        if patch is None:
            break
        material = after(OOM, patch, material)
        now = material.hyperparameters
        assert now[name] * now["gradient_accumulation_steps"] >= size * steps
    assert material.hyperparameters[name] == 1
    assert propose("scale", OOM, material) is None


@pytest.mark.parametrize(
    ("value", "change", "result"),
    [
        (8, "x0.5", 4), (3, "x0.5", 1), (1, "x0.5", 1), (0.4, "x0.5", 0.2), ("8", "* 0.25", 2), (2, "+1", 3),
        (1, "-1", 1), (0, "+1", 1), (None, "x0.5", None), (8, 2, 2), (8, "adam", "adam"), (True, False, False),
    ],
)  # fmt: skip
def test_an_expression_changes_a_value(value, change, result):
    """Whole numbers stay whole and do not fall below one; text that is no expression is the value."""
    assert changed(value, change) == result


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ({"epochs": 3}, {"epochs": 1}),
        ({"num_train_epochs": 3.0}, {"num_train_epochs": 1.5}),
        ({"epochs": 3, "max_steps": 1000}, {"max_steps": 500}),
        ({"epochs": 4, "max_steps": -1}, {"epochs": 2}),
        ({"epochs": 1}, None),
        ({}, None),
    ],
)
def test_a_run_that_is_too_long_is_halved(before, change):
    """Steps where they bound the run, else epochs."""
    patch = propose("shorten", TIME_LIMIT, Material(hyperparameters=before))

    assert (dict(patch.hyperparameters) if patch else None) == change


@given(attempt=st.integers(1, 60), seed=st.text(max_size=16))
def test_backoff_doubles_within_bounds(attempt, seed):
    """30 s, 60 s, 120 s … with up to a fifth more, never above the bound, and the same when asked again."""
    wait = wait_seconds(seed, attempt)

    assert FIRST_WAIT <= wait <= LONGEST_WAIT
    assert wait == wait_seconds(seed, attempt)
    if attempt <= 4:
        assert 30 * 2 ** (attempt - 1) <= wait <= 36 * 2 ** (attempt - 1)


def test_each_retry_is_its_own_patch():
    """The same attempt is not made twice; the next one is."""
    material = Material()
    first = propose("retry", INFRA, material)
    assert first is not None
    again = after(INFRA, first, material)

    assert propose("retry", INFRA, replace(again, attempt=1)) is None
    assert why_not("retry", INFRA, replace(again, attempt=1))
    second = propose("retry", INFRA, again)
    assert second is not None
    assert second.key != first.key
    assert second.hyperparameters == second.files == {}


def test_the_idle_pool_is_released_once():
    """A quota failure frees our own pool one time; another failure never does."""
    patch = propose("release_pool", QUOTA, Material())

    assert patch is not None
    assert patch.action == "release_pool"
    assert propose("release_pool", QUOTA, after(QUOTA, patch, Material())) is None
    assert propose("release_pool", INFRA, Material()) is None


def test_a_patch_that_worked_is_proposed_again():
    """Another trial that meets the same failure gets the fix that cured it; one that failed is not repeated."""
    material = Material(hyperparameters={"batch_size": 8})
    patch = propose("scale", OOM, material)
    assert patch is not None
    worked = PastPatch(OOM.fingerprint, OOM.class_, patch.key, "worked")

    assert propose("scale", OOM, replace(material, history=(worked,))) == patch
    for outcome in ("failed", "pending"):
        assert propose("scale", OOM, replace(material, history=(replace(worked, outcome=outcome),))) is None


@pytest.mark.parametrize("name", PATCHES)
def test_a_patch_or_a_reason(name):
    """Every fix either proposes or says why not, for every class of failure."""
    for row in TAXONOMY:
        diagnosis = replace(OOM, family=row.family, class_=row.name)
        patch = propose(name, diagnosis, Material())
        assert (patch is None) == bool(why_not(name, diagnosis, Material()))


def test_a_stored_patch_is_made_again_as_it_was():
    """What a later loop takes over from the failure memory changes what the first patch changed."""
    stored = JobPatch(
        "scale",
        "s",
        "k",
        hyperparameters={"a": 1, "b": True, "d": "x"},
        wait_seconds=1.5,
        action="release_pool",
    )

    assert patch_of(stored) == Patch(
        "scale", "s", {"a": 1, "b": True, "d": "x"}, wait_seconds=1.5, action="release_pool", key="k"
    )


def test_the_built_in_rules_answer_every_class():
    """Nothing falls through: the last row is a hand-off for anything."""
    for row in TAXONOMY:
        assert applicable(DEFAULT_RULES, replace(OOM, family=row.family, class_=row.name), {})


def test_the_first_rule_that_is_not_used_up_wins():
    """The loop file's rows stand above the built-in ones, by class, by family, or for any."""
    own = (Rule("cuda_oom", "scale", times=2), Rule(["script", "data"], "handoff"))
    rules = (*own, *DEFAULT_RULES)

    assert applicable(rules, OOM, {})[0] is own[0]
    assert applicable(rules, OOM, {own[0].key: 2})[0] == Rule("oom", "scale", times=4)
    assert applicable(rules, explain("", "KeyError: 'x'"), {})[0] is own[1]
    assert applicable((Rule("any", "release", times=1),), OOM, {"any:release": 1}) == []
    assert applicable(DEFAULT_RULES, QUOTA, {})[0] == Rule("quota", "release")
