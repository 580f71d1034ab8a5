"""Named recipes, one after another."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from strategy_play import completed, config, play, strategy

from wpfsm.fsm.strategies import Point

RECIPES = [
    {"name": "rank 16", "hyperparameters": {"lora_rank": 16}},
    {"name": "rank 32", "hyperparameters": {"lora_rank": 32}, "environment": {"WANDB_MODE": "offline"}},
    {"name": "orpo", "source": "recipes/orpo", "entry": "orpo.py"},
]


def test_recipes_run_in_order_with_their_own_source():
    """Each recipe brings its name, hyperparameters, environment, source directory and entry script."""
    proposals, rows = play(strategy({"type": "recipes", "recipes": RECIPES}), completed(0.5))

    assert proposals == [
        Point({"lora_rank": 16}, "rank 16"),
        Point({"lora_rank": 32}, "rank 32", environment={"WANDB_MODE": "offline"}),
        Point({}, "orpo", source="recipes/orpo", entry="orpo.py"),
    ]
    assert [each.source for each in rows] == [None, None, "recipes/orpo"]


@pytest.mark.parametrize(
    ("recipes", "message"),
    [
        ([], "at least 1"),
        ([{"name": "a"}, {"name": "a"}], "two recipes are called 'a'"),
        ([{"hyperparameters": {}}], "name"),
        ([{"name": ""}], "at least 1 character"),
        ([{"name": "a", "sauce": "x"}], "sauce"),
    ],
)
def test_recipes_that_cannot_work_are_refused(recipes, message):
    """Each mistake in the section says what to change."""
    with pytest.raises(ValidationError, match=message):
        config({"type": "recipes", "recipes": recipes})
