"""Memory that ran out: a smaller batch, the same effective batch, and a floor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patch_stories import OOM, after, scaled

from wpfsm.fsm.failures.diagnosis import explain
from wpfsm.fsm.patches import Material, propose
from wpfsm.fsm.patches.scale import BATCH_NAMES

HOST_OOM = explain("", "MemoryError")


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
    assert isinstance(propose("scale", OOM, Material(hyperparameters=hyperparameters)), str)


def test_host_memory_gets_fewer_workers_and_no_checkpointing():
    """Activations live on the accelerator; loader workers live in host memory."""
    before = {"batch_size": 8, "num_workers": 4, "gradient_checkpointing": False}

    assert scaled(before, HOST_OOM) == {"batch_size": 4, "num_workers": 2}


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
        if isinstance(patch, str):
            break
        material = after(OOM, patch, material)
        now = material.hyperparameters
        assert now[name] * now["gradient_accumulation_steps"] >= size * steps
    assert material.hyperparameters[name] == 1
    assert isinstance(propose("scale", OOM, material), str)
