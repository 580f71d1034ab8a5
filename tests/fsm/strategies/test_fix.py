"""Again until one job completes."""

from __future__ import annotations

from strategy_play import completed, play, scripted, strategy

FAILED, PASSED = ("failed", None), ("completed", 0.5)


def test_it_tries_again_until_a_job_completes():
    """Each failed attempt is followed by another one; the first that completes is the goal."""
    what = strategy({"type": "fix"})

    proposals, rows = play(what, scripted(FAILED, FAILED, PASSED))

    assert [(each.label, each.repeat, each.smoke) for each in proposals] == [
        ("full job", 0, False),
        ("full job", 1, False),
        ("full job", 2, False),
    ]
    assert what.goal_met(rows) == "trial 3 (full job) completed"
    assert what.summary(rows).text == "trial 3 (full job) completed after 2 failed attempts"


def test_short_attempts_come_before_the_full_job():
    """With smoke settings, attempts are short until one completes; then the job runs as the file gives it."""
    what = strategy({"type": "fix", "smoke": {"epochs": 1}})

    proposals, rows = play(what, scripted(FAILED, FAILED, PASSED, PASSED))

    assert [(each.smoke, dict(each.params)) for each in proposals] == [
        (True, {"epochs": 1}),
        (True, {"epochs": 1}),
        (True, {"epochs": 1}),
        (False, {}),
    ]
    assert what.goal_met(rows[:3]) is None
    assert what.goal_met(rows) == "trial 4 (full job) completed"
    assert what.summary(rows).best == 4


def test_a_full_job_that_fails_is_tried_again_in_full():
    """Once a short attempt has completed, a short attempt shows nothing more."""
    proposals, _ = play(strategy({"type": "fix", "smoke": True}), scripted(PASSED, FAILED, PASSED))

    assert [each.smoke for each in proposals] == [True, False, False]


def test_it_gives_up_after_its_attempts():
    """The loop ends without its goal when nothing ever completes."""
    what = strategy({"type": "fix", "attempts": 3})

    _, rows = play(what, scripted(FAILED))

    assert len(rows) == 3
    assert what.goal_met(rows) is None
    assert what.summary(rows).ended == "no full job completed in 3 attempts"


def test_the_last_attempt_may_still_be_followed_by_the_full_job():
    """A short attempt that completes always leads to the full job."""
    what = strategy({"type": "fix", "attempts": 1, "smoke": {"epochs": 1}})

    proposals, rows = play(what, completed(None))

    assert [each.label for each in proposals] == ["attempt", "full job"]
    assert what.goal_met(rows)


def test_it_needs_no_metric():
    """A job that completes is the goal, whether it reports anything or not."""
    what = strategy({"type": "fix"}, None)

    _, rows = play(what, completed(None))

    assert what.goal_met(rows) == "trial 1 (full job) completed"
