"""Trials that a request holds as data."""

from __future__ import annotations

from wpfsm.adapters.detect.detect import detect


def test_recipes_of_a_yaml_list_are_trials_as_written() -> None:
    """Each entry is one trial with its own keys, and not a grid of all values."""
    text = "train these recipes one after the other:\n- name: short\n  lr: 3e-4\n- name: long\n  lr: 3e-5\n  steps: 900\n"
    found = detect(text)
    assert found.trials == [{"recipe": "short", "lr": 3e-4}, {"recipe": "long", "lr": 3e-5, "steps": 900}]
