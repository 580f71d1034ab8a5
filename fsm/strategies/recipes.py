"""`recipes`: named variants of a training recipe, one after another."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wpfsm.fsm.strategies.base import Point
from wpfsm.fsm.strategies.metrics import Goal
from wpfsm.fsm.strategies.smoke import WithSmoke
from wpfsm.fsm.strategies.space import Overrides
from wpfsm.fsm.strategies.trial_list import TrialList

Name = Annotated[str, Field(min_length=1, max_length=100)]


class Recipe(BaseModel):
    """One variant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(description="What the trial is called.")
    source: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="Its source directory, if not the job's."
    )
    entry: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="Its entry script, if not the job's."
    )
    hyperparameters: Overrides = Field(
        default_factory=dict, description="Overrides of the job's hyperparameters."
    )
    environment: dict[str, str] = Field(
        default_factory=dict, description="Overrides of the job's environment."
    )

    def proposal(self) -> Point:
        """The trial that runs it."""
        return Point(
            dict(self.hyperparameters), self.name, self.source, self.entry, environment=dict(self.environment)
        )


class RecipesConfig(WithSmoke):
    """The `strategy` section that runs recipes in order."""

    type: Literal["recipes"] = "recipes"
    recipes: Annotated[list[Recipe], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_differ(self) -> RecipesConfig:
        names = [recipe.name for recipe in self.recipes]
        for position, name in enumerate(names):
            if name in names[:position]:
                raise ValueError(f"two recipes are called {name!r}")
        return self

    def names(self) -> set[str]:
        """The hyperparameters that it varies."""
        return set[str]().union(*(recipe.hyperparameters for recipe in self.recipes))


def recipes(config: RecipesConfig, goal: Goal | None) -> TrialList:
    """The strategy that runs recipes in order."""
    return TrialList([recipe.proposal() for recipe in config.recipes], goal)
