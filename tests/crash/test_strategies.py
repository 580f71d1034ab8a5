"""Each strategy killed and resumed: the same trials, the same jobs, the same end."""

from __future__ import annotations

import functools
import itertools
import random

import pytest
from crash_checks import Account, account_of, violations
from crash_runs import SOAK, survive
from strategy_stories import STORIES, Outcome, world_of

pytestmark = pytest.mark.soak

SAMPLE = 6
"""Crash points of each strategy; WPFSM_SOAK=1 takes every one."""


@functools.cache
def undisturbed(name: str) -> tuple[tuple[str, ...], Account, tuple[object, ...]]:
    """Every boundary in order, and what came of the loop: its account and the parameters of its trials."""
    names: list[str] = []
    with world_of(STORIES[name]) as world:
        result = world.finish(names.append)
        assert list(violations(world, result)) == []
        return tuple(names), account_of(world, result), _chosen(Outcome(world, result))


def _chosen(outcome: Outcome) -> tuple[object, ...]:
    return tuple((dict(t.params), t.label, t.repeat, t.smoke, t.source, t.entry) for t in outcome.trials)


def _points(name: str) -> list[int]:
    count = len(undisturbed(name)[0])
    return list(range(count)) if SOAK else sorted(random.Random(name).sample(range(count), SAMPLE))


@pytest.mark.parametrize("name", STORIES)
def test_one_crash_changes_nothing(name: str) -> None:
    """Killed at a boundary and resumed: no trial is redone, lost or drawn otherwise, and all is released."""
    failpoints, account, chosen = undisturbed(name)
    wrong = {}
    for at in _points(name):
        with world_of(STORIES[name]) as world:
            result = survive(world, at)
            broken = list(violations(world, result))
            if broken or account_of(world, result) != account or _chosen(Outcome(world, result)) != chosen:
                wrong[at, failpoints[at]] = broken or [str(account_of(world, result)), str(account)]
    assert wrong == {}


def test_a_search_that_is_killed_after_every_trial_proposes_what_it_would_have() -> None:
    """Bayes keeps no study: five processes, each with its own sampler, draw the trials of one."""
    failpoints, account, chosen = undisturbed("bayes")
    drawn = [at for at, name in enumerate(failpoints) if name == "after commit proceed"]
    assert len(drawn) == 5
    gaps = [drawn[0], *(later - earlier for earlier, later in itertools.pairwise(drawn))]
    with world_of(STORIES["bayes"]) as world:
        result = survive(world, *gaps)
        assert list(violations(world, result)) == []
        assert account_of(world, result) == account
        assert _chosen(Outcome(world, result)) == chosen
