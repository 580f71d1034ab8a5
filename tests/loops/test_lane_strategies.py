"""Strategies on several lanes: who is told of what runs, who is compared with whom, and what runs side by side."""

from __future__ import annotations

from collections import Counter

import pytest
from crash_world import LOOP_ID
from lane_stories import TRAIN, group_of, jobs_of, outcomes, sweep, until, wrong

from wpfsm.adapters.documents.lanes import resting
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.records import Outcome, Proposal


def test_as_many_proposals_as_lanes_run_side_by_side() -> None:
    """An open loop asks once its lanes are idle; two open proposals are taken by two lanes, and ``--done`` ends both."""
    with group_of(sweep(2, 0, strategy={"type": "ask"})) as group:
        group.run()
        assert len(jobs_of(group)) == 1
        with group.world.history() as history:
            assert resting(history, history.find(LOOP_ID)) is not None
        for rate in (1, 2):
            group.world.propose(Proposal(LOOP_ID, 0, 0, "trial", {"lr": rate}))
        group.resume()
        group.run()
        jobs = jobs_of(group)
        assert [(job.lane, dict(job.params)["lr"]) for job in jobs[1:]] in (
            [(1, 1), (2, 2)],
            [(2, 1), (1, 2)],
        )
        first, second = (job.created_at for job in jobs[1:])
        assert first is not None
        assert second is not None
        assert abs(first - second) < TRAIN
        group.world.propose(Proposal(LOOP_ID, 0, 0, "done"))
        for _ in range(2):
            group.resume()
            group.run()
        assert wrong(group) == []
        assert outcomes(group)[0] is Outcome.COMPLETED


@pytest.mark.parametrize("taker", [1, 2])
def test_a_lane_whose_sibling_took_done_ends_too(taker: int) -> None:
    """However late its process starts: it waits for no answer any more, and holds no pool for one."""
    with group_of(sweep(2, 0, strategy={"type": "ask"})) as group:
        group.run()
        for rate in (1, 2):
            group.world.propose(Proposal(LOOP_ID, 0, 0, "trial", {"lr": rate}))
        group.resume()
        group.run()
        group.world.propose(Proposal(LOOP_ID, 0, 0, "done"))
        group.kill(taker)  # its process has ended; this starts another one
        until(group, lambda: outcomes(group)[taker - 1] is not None)
        group.resume(edited=True)
        group.run()
        group.resume(edited=True)
        group.run()
        assert wrong(group) == []
        assert outcomes(group)[0] is Outcome.COMPLETED


def test_a_bayesian_search_is_told_of_what_runs() -> None:
    """Two lanes of a search never run the same point, and all of its trials are run."""
    strategy = {
        "type": "sweep", "method": "bayes", "count": 6, "parameters": {"lr": {"min": 0.1, "max": 0.9}},
    }  # fmt: skip
    with group_of(sweep(2, 0, strategy=strategy)) as group:
        group.run()
        assert wrong(group) == []
        jobs = jobs_of(group)
        assert len(jobs) == 6
        assert len({str(dict(job.params)["lr"]) for job in jobs}) == 6


def test_asha_on_lanes_promotes_and_never_idles_a_lane_for_a_full_rung() -> None:
    """Nine configurations on three lanes: promotions run beside first rungs, and the group ends completed."""

    def better(launch: Launch) -> Script:
        values = {name: float(value) for name, value in launch.request["HyperParameters"].items()}  # type: ignore[union-attr]
        return Script(seconds=60 * values["epochs"], lines=[f"loss={1 / values['lr']:.3f}"])

    strategy = {
        "type": "sweep", "method": "asha", "count": 9, "parameters": {"lr": list(range(1, 10))},
        "resource": {"name": "epochs", "min": 1, "max": 9},
    }  # fmt: skip
    with group_of(sweep(3, 0, better, strategy=strategy)) as group:
        group.run()
        assert wrong(group) == []
        assert Counter(dict(job.params)["epochs"] for job in jobs_of(group)) == {1: 9, 3: 3, 9: 1}
        assert max(group.held) == 3


def test_early_stop_compares_with_the_completed_trials_of_every_lane() -> None:
    """A hopeless first trial is alone on its lane: it is stopped by the two that its sibling completes meanwhile."""

    def one_is_hopeless(launch: Launch) -> Script:
        if launch.request["HyperParameters"] == {"lr": "0"}:
            return Script(seconds=10_000, lines=[f"loss={2 + n / 100:.2f}" for n in range(500)])
        return Script(seconds=400, lines=[f"loss={1 / (1 + n):.4f}" for n in range(20)])

    story = sweep(2, 3, one_is_hopeless, early_stop={"warmup_reports": 4, "min_trials": 2})
    with group_of(story) as group:
        group.run()
        assert wrong(group) == []
        first, *others = jobs_of(group)
        assert (first.lane, first.stopped_for, first.status) == (1, "early_stop", "Stopped")
        assert [(job.lane, job.status) for job in others] == [(2, "Completed")] * 2
        assert others[-1].ended_at is not None
        assert first.ended_at is not None
        assert 0 < first.ended_at - others[-1].ended_at < TRAIN, "as soon as there were two to compare with"
        with group.world.history() as history:
            why = next(event.why for event in history.events(LOOP_ID) if event.kind == "stop_intended")
        assert "of 2 completed trials" in why
