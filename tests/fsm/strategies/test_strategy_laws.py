"""What holds for every strategy, whatever becomes of its trials."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategy_play import LOSS, completed, play, row, scripted, strategy

from wpfsm.fsm.strategies import Point, TrialRow

SPACE = {"lr": {"min": 1e-5, "max": 1e-1, "scale": "log"}, "batch": [4, 8], "layers": {"min": 1, "max": 4}}
SECTIONS = {
    "grid": {"type": "sweep", "parameters": {"lr": [1e-4, 5e-5], "batch": [4, 8, 16]}},
    "list": {"type": "sweep", "method": "list", "trials": [{"lr": 1e-4}, {"lr": 5e-5, "fp16": True}, {}]},
    "random": {"type": "sweep", "method": "random", "parameters": SPACE, "count": 6, "seed": 3},
    "bayes": {"type": "sweep", "method": "bayes", "parameters": SPACE, "count": 7, "seed": 3},
    "bayes-finite": {
        "type": "sweep", "method": "bayes", "parameters": {"batch": [4, 8], "fp16": [True, False]}, "count": 9,
    },
    "asha": {
        "type": "sweep", "method": "asha", "parameters": SPACE, "count": 9, "seed": 3,
        "resource": {"name": "epochs", "min": 1, "max": 9},
    },
    "smoked": {"type": "sweep", "parameters": {"lr": [1e-4, 5e-5, 2e-5]}, "smoke": True},
    "until-continued": {"type": "until", "target": "loss < 0.2", "max_trials": 6, "patience": 3},
    "until-list": {"type": "until", "target": "loss < 0.2", "propose": [{"lr": 1e-4}, {"lr": 1e-5}]},
    "until-bayes": {
        "type": "until", "target": "loss <= 0.2", "propose": {"method": "bayes", "parameters": SPACE, "count": 6},
    },
    "fix": {"type": "fix", "attempts": 4},
    "fix-smoke": {"type": "fix", "attempts": 4, "smoke": {"epochs": 1}},
    "recipes": {
        "type": "recipes", "recipes": [{"name": "r16", "hyperparameters": {"rank": 16}}, {"name": "dpo", "source": "dpo/"}],
    },
    "ablate": {
        "type": "ablate", "variants": [{"name": "no-drop", "set": {"dropout": 0}}], "repeats": 3, "seed_parameter": "seed",
    },
    "single": {"type": "single"},
    "single-smoked": {"type": "single", "smoke": {"epochs": 1}},
}  # fmt: skip

any_section = pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
metrics = st.none() | st.floats(0, 1) | st.sampled_from([float("nan"), float("inf")])
outcomes = st.lists(
    st.tuples(st.sampled_from(["completed", "completed", "failed", "stopped"]), metrics),
    min_size=1,
    max_size=12,
)
few = settings(max_examples=25, deadline=None)


@any_section
@few
@given(script=outcomes)
def test_a_resumed_loop_proposes_what_the_uninterrupted_one_did(section, script):
    """After a crash at any point a new process asks for the same next trial: `next` rests on rows alone."""
    proposals, rows = play(strategy(section), scripted(*script))

    assert [strategy(section).next(rows[:done]) for done in range(len(rows))] == proposals
    assert strategy(section).next(rows) is None


@any_section
@few
@given(script=outcomes)
def test_rows_may_pass_through_a_database(section, script):
    """Rows that were stored as JSON and read back lead to the same trials."""
    what = strategy(section)
    proposals, rows = play(what, scripted(*script))

    stored = [replace(each, params=json.loads(json.dumps(dict(each.params)))) for each in rows]

    assert [what.next(stored[:done]) for done in range(len(rows))] == proposals


@any_section
@few
@given(script=outcomes)
def test_every_strategy_ends_within_its_bound(section, script):
    """Whatever the outcomes, there are at most `at_most` trials, and exactly `total` when all of them complete."""
    what = strategy(section)

    proposals, rows = play(what, scripted(*script), bound=what.at_most())

    assert len(proposals) <= what.at_most()
    if what.total() is not None and all(each.state == "completed" for each in rows):
        assert len(proposals) == what.total()
    if all(each.state == "completed" for each in rows):
        assert len(proposals) <= what.expected() <= what.at_most()


@any_section
@few
@given(script=outcomes)
def test_no_trial_is_proposed_twice(section, script):
    """Label, repeat and smoke together name one trial of the loop."""
    proposals, _ = play(strategy(section), scripted(*script))

    names = [(each.label, each.repeat, each.smoke) for each in proposals]

    assert len(set(names)) == len(names)


@any_section
@few
@given(script=outcomes)
def test_the_standing_says_why_there_is_no_next_trial(section, script):
    """`ended` is there exactly when `next` has nothing more, and a met goal is always an end."""
    what = strategy(section)
    _, rows = play(what, scripted(*script))

    for done in range(len(rows) + 1):
        head = rows[:done]
        assert (what.summary(head).ended is None) == (what.next(head) is not None)
        if what.goal_met(head):
            assert what.next(head) is None


@any_section
@few
@given(script=outcomes)
def test_the_best_trial_has_a_finite_metric(section, script):
    """A missing or non-finite metric, a failure and a smoke trial are never best."""
    what = strategy(section)
    _, rows = play(what, scripted(*script))

    candidates = {
        each.number: each.metric
        for each in rows
        if each.state == "completed" and not each.smoke and each.metric is not None and 0 <= each.metric <= 1
    }
    winner = what.summary(rows).best

    assert (winner is None) == (not candidates)
    if winner is not None:
        assert candidates[winner] == min(candidates.values())


@any_section
def test_the_preview_is_what_runs_when_all_goes_well(section):
    """`wpfsm plan` shows trials that the loop then runs, in the same order."""
    what = strategy(section)

    proposals, _ = play(what, scripted(*(("completed", 0.9 - 0.01 * n) for n in range(20))))

    shown = list(what.preview())
    assert shown
    assert proposals[: len(shown)] == shown


@any_section
def test_beside_a_running_trial_another_one_or_none_is_asked_for(section):
    """Lanes ask while others run: the same trial is never asked for twice, and to wait is not an end."""
    what = strategy(section)
    first = what.next([])
    running = row(1, first, ("running", None))

    beside = what.next([running])
    assert beside is None or (beside.label, beside.repeat, beside.smoke) != (
        first.label,
        first.repeat,
        first.smoke,
    )
    assert what.summary([running]).ended is None
    assert what.goal_met([running]) is None


def test_a_preview_stops_at_fifty():
    """A long list is shown in part."""
    what = strategy(
        {"type": "sweep", "parameters": {"a": list(range(20)), "b": list(range(10))}, "smoke": {"c": 1}}
    )

    assert len(what.preview()) == 50
    assert what.total() == 201


def test_a_patched_trial_is_not_run_again():
    """A trial whose hyperparameters a patch changed still stands for its proposal."""
    what = strategy(SECTIONS["grid"])
    first = what.next([])

    patched = TrialRow(
        1, {**first.params, "batch": 2}, first.label, smoke=False, state="completed", metric=0.5
    )

    assert what.next([patched]) == what.preview()[1]


def test_a_trial_that_was_added_to_the_file_is_the_only_new_one():
    """With `--accept-changes` a longer grid runs what is missing and repeats nothing."""
    _, rows = play(strategy({"type": "sweep", "parameters": {"lr": [1, 3]}}), completed(0.5))

    proposals, _ = play(strategy({"type": "sweep", "parameters": {"lr": [1, 2, 3]}}), completed(0.5), rows)

    assert proposals == [Point({"lr": 2}, "lr=2")]


def test_the_goal_decides_which_is_best():
    """The same rows have another best trial when more is better."""
    section = SECTIONS["list"]
    _, rows = play(strategy(section), scripted(("completed", 0.3), ("completed", 0.1), ("completed", 0.9)))

    assert strategy(section).summary(rows).best == 2
    assert strategy(section, replace(LOSS, direction="maximize")).summary(rows).best == 3
    assert strategy(section, None).summary(rows).best is None
