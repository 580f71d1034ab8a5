"""`ask`: one trial of its own, and then whoever looks at the results decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wpfsm.fsm.strategies.ask import DEFAULT_HOLD, Ask, AskConfig
from wpfsm.fsm.strategies.base import Point, TrialRow
from wpfsm.fsm.strategies.metrics import Goal

ASK = Ask(AskConfig(max_trials=3), Goal("loss", "minimize"))


def rows(count: int, *, elsewhere: bool = False) -> list[TrialRow]:
    """So many completed trials."""
    return [
        TrialRow(number=n, params={}, label=f"t{n}", smoke=False, state="completed", metric=1.0 / n, fingerprint=None,
                 elsewhere=elsewhere)
        for n in range(1, count + 1)
    ]  # fmt: skip


def test_the_first_trial_is_the_job_as_it_is_given() -> None:
    """It makes the pool warm; where results of another loop were taken over, it asks at once."""
    assert ASK.next([]) == Point({}, "as given")
    assert ASK.next(rows(2, elsewhere=True)) is None
    assert ASK.preview() == [Point({}, "as given")]


@given(st.integers(1, 10))
def test_after_it_nothing_is_asked_for_and_no_goal_is_met(count: int) -> None:
    """Whoever proposes says what comes next, and when it is done."""
    assert ASK.next(rows(count)) is None
    assert ASK.goal_met(rows(count)) is None
    assert ASK.total() is None


def test_the_most_trials_end_it() -> None:
    """The standing says so, and names the best."""
    assert ASK.at_most() == 3
    assert "max_trials (3) is reached" in str(ASK.summary(rows(3)))
    assert "max_trials" not in str(ASK.summary(rows(2)))


@pytest.mark.parametrize(
    "bad", [{"hold": "0s"}, {"hold": 600}, {"keep": "best"}, {"max_trials": 0}, {"holds": "1m"}]
)
def test_a_section_that_cannot_be_meant_is_refused(bad: dict[str, object]) -> None:
    """A hold has a unit and is longer than nothing; an unknown key is an error."""
    with pytest.raises(ValidationError):
        AskConfig.model_validate(bad)
    assert AskConfig().hold == DEFAULT_HOLD
    assert AskConfig.model_validate({"hold": "20m"}).hold == 1200
