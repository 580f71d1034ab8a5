"""Training until a number is reached."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from strategy_play import ACCURACY, LOSS, completed, config, play, scripted, strategy

from wpfsm.fsm.strategies import StrategyError


def losses(*values):
    return scripted(*(("completed", value) for value in values))


def test_it_stops_at_the_first_job_that_meets_the_target():
    """Nothing is submitted after the target is met, though trials are left."""
    what = strategy({"type": "until", "target": "loss < 0.30", "propose": [{"lr": 1}, {"lr": 2}, {"lr": 3}]})

    proposals, rows = play(what, losses(0.5, 0.29, 0.1))

    assert len(proposals) == 2
    assert what.goal_met(rows) == "trial 2 (lr=2) met loss < 0.3 with 0.29"
    assert what.summary(rows).ended == what.goal_met(rows)
    assert what.goal_met(rows[:1]) is None


def test_a_percentage_is_reached():
    """`accuracy >= 90%` is met by 0.9."""
    what = strategy({"type": "until", "target": "accuracy >= 90%"}, ACCURACY)

    _, rows = play(what, losses(0.8, 0.85, 0.9))

    assert len(rows) == 3
    assert "accuracy >= 90%" in what.goal_met(rows)


@pytest.mark.parametrize("outcome", [("failed", 0.1), ("stopped", 0.1), ("completed", None)])
def test_only_a_completed_job_with_its_metric_meets_the_target(outcome):
    """A number from a job that failed or was stopped reaches nothing."""
    what = strategy({"type": "until", "target": "loss < 0.30", "max_trials": 2})

    _, rows = play(what, scripted(outcome))

    assert len(rows) == 2
    assert what.goal_met(rows) is None
    assert what.summary(rows).ended == "loss < 0.3 is not met after 2 trials"


def test_a_smoke_trial_does_not_meet_the_target():
    """A short run on little data may look too good."""
    what = strategy({"type": "until", "target": "loss < 0.30", "smoke": True, "max_trials": 1})

    proposals, rows = play(what, losses(0.1, 0.5))

    assert [each.smoke for each in proposals] == [True, False]
    assert what.goal_met(rows) is None


def test_patience_counts_trials_without_improvement():
    """An improvement starts the count anew; a failure counts as none."""
    what = strategy({"type": "until", "target": "loss < 0.1", "patience": 2, "max_trials": 20})

    _, rows = play(
        what,
        scripted(
            ("completed", 0.5), ("completed", 0.6), ("completed", 0.4), ("failed", None), ("completed", 0.4)
        ),
    )

    assert len(rows) == 5
    assert (
        what.summary(rows).ended
        == "loss < 0.1 is not met: no better loss in 2 trials, patience is at its end"
    )
    assert what.summary(rows).best == 3


def test_patience_runs_out_when_nothing_is_ever_reported():
    """A loop without a single metric gives up too."""
    what = strategy({"type": "until", "target": "loss < 0.1", "patience": 3, "max_trials": 20})

    assert len(play(what, completed(None))[1]) == 3


def test_without_proposals_the_same_configuration_is_continued():
    """Nothing changes from trial to trial but the checkpoint, which the script finds in the cache."""
    proposals, _ = play(strategy({"type": "until", "target": "loss < 0.1", "max_trials": 3}), completed(0.5))

    assert [dict(each.params) for each in proposals] == [{}, {}, {}]
    assert [each.repeat for each in proposals] == [0, 1, 2]
    assert all(each.carry_checkpoint for each in proposals)


def test_a_smoke_trial_carries_no_checkpoint():
    """The first real trial must not continue from a short run."""
    proposals, _ = play(
        strategy({"type": "until", "target": "loss < 0.1", "max_trials": 1, "smoke": True}), completed(0.5)
    )

    assert [(each.smoke, each.carry_checkpoint) for each in proposals] == [(True, False), (False, True)]


@pytest.mark.parametrize(("carry", "carried"), [(None, False), (False, False), (True, True)])
def test_proposed_trials_carry_the_checkpoint_on_request(carry, carried):
    """A trial with other parameters starts afresh unless the file says otherwise."""
    what = strategy(
        {"type": "until", "target": "loss < 0.1", "propose": [{"lr": 1}], "carry_checkpoint": carry}
    )

    assert what.next([]).carry_checkpoint is carried
    assert [each.carry_checkpoint for each in what.preview()] == [carried]


def test_it_proposes_from_a_search_space():
    """A search gives the trials, and max_trials cuts it short."""
    search = {"method": "random", "parameters": {"lr": {"min": 0.1, "max": 0.9}}, "count": 9}
    what = strategy({"type": "until", "target": "loss < 0.1", "propose": search, "max_trials": 4})

    proposals, _ = play(what, completed(0.5))

    assert len({each.label for each in proposals}) == 4
    assert what.at_most() == 4
    assert list(what.preview()) == proposals
    assert what.total() is None


def test_a_target_that_is_never_met_says_so():
    """When the proposals are used up, the standing names the best trial and the missed target."""
    what = strategy({"type": "until", "target": "loss < 0.1", "propose": [{"lr": 1}, {"lr": 2}]})

    _, rows = play(what, losses(0.5, 0.4))

    assert "best is trial 2" in what.summary(rows).text
    assert "loss < 0.1 is not met" in what.summary(rows).text
    assert what.summary(rows).ended == "loss < 0.1 is not met after 2 trials"


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({}, "target"),
        ({"target": "loss ~ 3"}, "is no target"),
        ({"target": "loss < 1", "patience": 0}, "greater than or equal to 1"),
        ({"target": "loss < 1", "propose": []}, "empty list"),
        ({"target": "loss < 1", "carry_checkpoint": False}, "nothing changes"),
        ({"target": "loss < 1", "propose": {"method": "random", "parameters": {"lr": [1]}}}, "needs count"),
        ({"target": "loss < 1", "pacience": 2}, "pacience"),
    ],
)
def test_a_section_that_cannot_work_is_refused(section, message):
    """Each mistake in the section says what to change."""
    with pytest.raises(ValidationError, match=message):
        config({"type": "until", **section})


@pytest.mark.parametrize(
    ("target", "goal", "message"),
    [
        ("loss < 0.3", None, "needs a metric"),
        ("eval_loss < 0.3", LOSS, "'eval_loss', but the loop's metric is 'loss'"),
        ("loss > 0.3", LOSS, "asks to maximize, but the metric's goal is minimize"),
    ],
)
def test_a_target_that_contradicts_the_metric_is_refused(target, goal, message):
    """The target is on the loop's metric and lies the way that its goal points."""
    with pytest.raises(StrategyError, match=message):
        strategy({"type": "until", "target": target}, goal)


def test_the_same_proposal_twice_is_refused():
    """A list that repeats itself is a mistake; to continue a configuration, nothing is proposed."""
    with pytest.raises(StrategyError, match="are the same"):
        strategy({"type": "until", "target": "loss < 1", "propose": [{"lr": 1}, {"lr": 1}]})
