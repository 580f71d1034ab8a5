"""The tree of experiments."""

from __future__ import annotations

from pathlib import Path

from report_loops import Made
from report_page import SWEEP, facts_of, with_experiments

from wpfsm.adapters.report.experiments import experiments


def test_what_was_kept_is_the_trunk_and_the_rest_are_branches(tmp_path: Path) -> None:
    """Trial 3 was discarded, and 4 started from 2 again."""
    facts = with_experiments(tmp_path, [Made({"n": n}, metric=float(n)) for n in range(5)])
    found = experiments(facts)
    assert [(each.trial.number, each.depth, each.base) for each in found] == [
        (1, 0, None),
        (2, 0, 1),
        (3, 1, 2),
        (4, 0, 2),
        (5, 0, 4),
    ]
    assert found[2].verdict == "discarded"


def test_a_hundred_steps_stay_on_the_page(tmp_path: Path) -> None:
    """A line of kept trials is read downwards, however long it is."""
    facts = with_experiments(tmp_path, [Made({"n": n}, metric=float(n)) for n in range(100)])
    assert max(each.depth for each in experiments(facts)) == 1


def test_a_loop_that_nobody_proposed_to_has_no_tree(tmp_path: Path) -> None:
    """A sweep compares points, and none started from another."""
    assert experiments(facts_of(tmp_path, SWEEP)) == []
