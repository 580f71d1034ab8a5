"""Lanes: several pools, one queue, one bill, one receipt."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace
from typing import Any

import jsonschema
from crash_lanes import PAUSE, instances_held
from crash_world import LOOP_ID, World
from lane_stories import (
    COLD,
    at,
    group_of,
    jobs_of,
    outcomes,
    settled,
    strike,
    sweep,
    until,
    until_moves,
    wrong,
)

from wpfsm.adapters.documents.lanes import lane_objects, resting, standing
from wpfsm.adapters.documents.loop import loop_document
from wpfsm.adapters.documents.rows import ledger_of
from wpfsm.adapters.emulator.engine.settings import Settings
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.adapters.terminal.loop_text import loop_text
from wpfsm.adapters.verbs.pool_survey import is_held
from wpfsm.adapters.verbs.schema import output_schema
from wpfsm.fsm.records import Outcome
from wpfsm.state.store import request_stop


def test_four_lanes_run_a_sweep_in_a_third_of_the_time_for_the_same_money() -> None:
    """24 ten-minute trials: at least 3.2 times as fast as one after another, within 2 % of the cost, k cold starts."""
    seen: dict[int, tuple[float, float]] = {}
    for lanes in (1, 4):
        if lanes == 1:
            world = World(sweep(1, 24))
            result = world.drive()
            assert result.loop.outcome is Outcome.COMPLETED
        else:
            context = group_of(sweep(lanes, 24))
            group = context.__enter__()
            world = group.world
            group.run()
            assert wrong(group) == []
            assert max(group.held) == lanes
        with world.history() as history:
            loop, jobs, trials = history.find(LOOP_ID), history.jobs(LOOP_ID), history.trials(LOOP_ID)
            bill = ledger_of(loop, jobs, world.clock.now())
        assert loop.outcome is Outcome.COMPLETED
        assert Counter(job.start for job in jobs) == {"cold": lanes, "warm": 24 - lanes}
        assert [trial.number for trial in trials] == list(range(1, 25))
        assert Counter(trial.label for trial in trials).most_common(1)[0][1] == 1
        assert bill.wall_seconds is not None
        assert bill.cost_usd is not None
        seen[lanes] = (bill.wall_seconds, bill.cost_usd)
        if lanes == 1:
            world.close()
        else:
            context.__exit__(None, None, None)
    assert seen[1][0] / seen[4][0] >= 3.2, seen
    assert abs(seen[4][1] / seen[1][1] - 1) <= 0.02, seen


def test_a_sibling_that_takes_a_lanes_pool_is_no_stranger() -> None:
    """Two pools are Available at once: the service gives each lane the other's, and no good pool is released."""
    with group_of(sweep(2, 4)) as group:
        until(group, settled(group, 1))
        until_moves(group.lanes[1], "before commit intended")
        group.world.emulator.advance(60)  # the second one's job has ended too
        until_moves(group.lanes[2], "before commit intended")
        # The second one submits first, and gets the pool that idles longest: the first one's.
        until_moves(group.lanes[2], "after call service.create")
        group.run()
        assert wrong(group) == []
        jobs = jobs_of(group)
        assert [job.start for job in jobs] == ["cold", "cold", "warm", "warm"]
        crossed = [job for job in jobs if job.reuse_of and job.reuse_of != job.claims]
        assert len(crossed) == 2
        with group.world.history() as history:
            said = [event.why for event in history.events(LOOP_ID)]
        assert not any("contested" in why or "did not match" in why for why in said)


def test_a_lane_whose_pool_dies_starts_cold_and_the_others_go_on() -> None:
    """A patch update ends one idle pool: one cold start more, and every trial is run."""
    with group_of(sweep(2, 6)) as group:
        until(group, lambda: settled(group, 1)() and group.lanes[1].at == "before commit proceed")
        group.world.emulator.advance(1)
        strike(group, "patch_update", 1)
        group.run()
        assert wrong(group) == []
        assert Counter(job.start for job in jobs_of(group)) == {"cold": 3, "warm": 3}
        assert max(group.held) == 2


def test_a_claim_whose_create_is_refused_is_free_again() -> None:
    """The service refuses one lane's create: its trial is tried again, and the pool is taken by whoever is next."""
    story = sweep(2, 6, on_failure=[{"when": "quota", "do": "retry", "times": 2}])
    refused: dict[str, Any] = {
        "kind": "resource_limit",
        "operation": "CreateTrainingJob",
        "job": "*-003",
        "times": 1,
    }
    with group_of(replace(story, faults=(refused,))) as group:
        group.run()
        assert wrong(group) == []
        jobs = jobs_of(group)
        (failed,) = [job for job in jobs if job.status == "Rejected"]
        assert failed.claims
        assert failed.claims in {job.reuse_of for job in jobs}
        assert Counter(job.start for job in jobs if job.arn) == {"cold": 2, "warm": 4}


def test_a_stranger_takes_a_pool_and_only_that_is_contested() -> None:
    """A job outside the group reuses one lane's pool: that one is said, left alone, and replaced by a cold start."""
    with group_of(sweep(2, 6)) as group:
        until(group, lambda: settled(group, 1)() and group.lanes[1].at == "before commit proceed")
        group.world.emulator.advance(1)
        taken = strike(group, "stolen_pool", 1)
        group.run()
        assert wrong(group) == []
        with group.world.history() as history:
            contested = [e for e in history.events(LOOP_ID) if e.data.get("cause") == "contested"]
        assert [event.data["pool"] for event in contested] == [taken]


def test_a_goal_that_is_met_ends_every_lane() -> None:
    """One lane's trial meets the target: the others' jobs are stopped, and nothing is left."""

    def third_is_good(launch: Launch) -> Script:
        good = launch.request["HyperParameters"] == {"lr": "2"}
        return Script(seconds=60 if good else 1500, lines=["loss=0.1" if good else "loss=0.9"])

    strategy = {
        "type": "until", "target": "loss < 0.2",
        "propose": {"method": "list", "parameters": {"lr": [0, 1, 2, 3, 4, 5, 6]}},
    }  # fmt: skip
    with group_of(sweep(3, 0, third_is_good, strategy=strategy)) as group:
        group.run()
        assert wrong(group) == []
        assert outcomes(group) == [Outcome.GOAL_MET] * 3
        assert Counter(job.status for job in jobs_of(group)) == {"Completed": 1, "Stopped": 2}


def test_a_limit_on_jobs_holds_for_the_group() -> None:
    """limits.max_jobs counts the jobs of all lanes; what is under way is finished."""
    with group_of(sweep(3, 12, limits={"max_jobs": 7})) as group:
        group.run()
        assert wrong(group) == []
        assert len(jobs_of(group)) == 7
        assert {job.status for job in jobs_of(group)} == {"Completed"}
        assert outcomes(group)[0] is Outcome.LIMIT


def test_a_limit_on_cost_reserves_what_the_other_lanes_have_under_way() -> None:
    """max_cost admits two worst cases at a time and not three: the third lane is let go, and nothing is overspent."""
    worst = (1800 + 600) * 3.6 / 3600
    with group_of(sweep(3, 9, limits={"max_cost": round(3 * worst, 2)})) as group:
        group.run()
        assert wrong(group) == []
        with group.world.history() as history:
            loop, jobs = history.find(LOOP_ID), history.jobs(LOOP_ID)
        spent = ledger_of(loop, jobs, group.world.clock.now()).cost_usd
        assert spent is not None
        assert spent <= 3 * worst
        assert len(jobs) >= 6


def test_more_lanes_than_trials_hold_no_more_than_they_need() -> None:
    """Two trials on four lanes: two lanes are let go before they have submitted anything."""
    with group_of(sweep(4, 2)) as group:
        group.run()
        assert wrong(group) == []
        assert outcomes(group).count(Outcome.LET_GO) >= 2
        assert max(group.held) == 2


def test_a_stop_reaches_every_lane() -> None:
    """``wpfsm stop`` is left once, for the group."""
    with group_of(sweep(3, 9)) as group:
        until(group, lambda: len(jobs_of(group)) == 3)
        with contextlib.closing(group.world.connect()) as connection:
            request_stop(connection, group.world.database, LOOP_ID, group.world.clock.now())
        group.run()
        assert wrong(group) == []
        assert outcomes(group) == [Outcome.STOPPED] * 3


def test_a_refused_preflight_ends_every_lane_before_anything_is_created() -> None:
    """Three lanes need room for three pools; two are free."""
    story = sweep(3, 9)
    settings = Settings(cold_start=COLD, quotas={("ml.g5.xlarge", "warm_pool"): 2})
    with group_of(replace(story, settings=settings)) as group:
        group.run()
        assert outcomes(group) == [Outcome.REFUSED] * 3
        assert jobs_of(group) == []
        with group.world.history() as history:
            assert "3 needed" in history.find(LOOP_ID).why


def test_a_hand_off_of_one_lane_leaves_the_others_at_work() -> None:
    """What one lane cannot mend waits for an answer, on a warm pool; the others finish, and the edit closes the group."""

    def one_fails(launch: Launch) -> Script:
        bad = launch.request["HyperParameters"] == {"lr": "1"} and "repaired" not in str(
            launch.request["Environment"]
        )
        lines = [
            "Traceback (most recent call last):",
            '  File "train.py", line 2, in <module>',
            "ValueError: 3 columns",
        ]
        return Script(seconds=60, lines=lines, exit_code=1) if bad else Script(seconds=60, lines=["loss=0.5"])

    story = sweep(2, 6, one_fails, on_failure=[{"when": "any", "do": "handoff", "hold": "20m"}])
    with group_of(replace(story, edits=(("src/train.py", "print(1)  # repaired\n"),))) as group:
        group.run()
        with group.world.history() as history:
            assert resting(history, history.find(LOOP_ID)) is not None
            assert standing(history, history.find(LOOP_ID)).handoff is not None
            now = group.world.clock.now()
            assert is_held(history, history.find(LOOP_ID), now)  # though the lane that asks is not the first
            assert not is_held(history, history.find(LOOP_ID), now + 3600)
        assert sum(job.status == "Completed" for job in jobs_of(group)) == 5
        # The service ran a job of the first lane on the pool of the one that asks: the first one's is held instead.
        assert instances_held(group.world) == 1
        group.world.clock.advance(12 * 60)  # beyond the pool's own keep-alive, within the hold
        group.world.edit()
        group.resume(edited=True)
        group.run()
        group.resume()
        group.run()
        assert wrong(group) == []
        assert outcomes(group)[0] is Outcome.COMPLETED
        assert Counter(job.start for job in jobs_of(group)) == {"cold": 2, "warm": 5}


def test_a_dead_lane_is_waited_for_and_taken_over() -> None:
    """A lane that is killed with its create under way keeps its claim and its trial until it is started again."""
    with group_of(sweep(2, 4)) as group:
        until(group, at(group, 2, "before call service.create"))
        group.kill(2, again=False)
        until(group, settled(group, 2))
        group.resume()
        group.run()
        assert wrong(group) == []
        assert Counter(job.trial for job in jobs_of(group)).most_common(1)[0][1] == 1


def test_lanes_share_one_history_and_a_row_each() -> None:
    """Events count from 1 over all lanes; the document has a row for each lane, and every job says its lane."""
    with group_of(sweep(2, 4)) as group:
        until(group, lambda: len(jobs_of(group)) == 2)
        with group.world.history() as history:
            document: Any = loop_document(history, history.find(LOOP_ID), group.world.clock.now())
        jsonschema.Draft202012Validator(output_schema()).validate(document)
        assert [(row["lane"], row["trial"]) for row in document["lanes"]] == [(1, 1), (2, 2)]
        assert [job["lane"] for job in document["jobs"]] == [1, 2]
        group.run()
        with group.world.history() as history:
            events = list(history.events(LOOP_ID))
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert {event.lane for event in events} == {1, 2}


def test_a_lanes_row_says_what_it_does_and_its_pool() -> None:
    """One lane trains, the other one idles between two jobs and claims its own pool; the text has a line for each."""
    with group_of(sweep(2, 3)) as group:
        until(group, settled(group, 1))
        until_moves(group.lanes[1], "before call service.create")
        with group.world.history() as history:
            document: Any = loop_document(history, history.find(LOOP_ID), group.world.clock.now())
        first, second = jobs_of(group)[:2]
        one, two = document["lanes"]
        assert (one["state"], one["trial"], one["claims"]) == ("Submitting", 3, first.name)
        assert one["pool"] == {"owner_job": first.name, "status": "Available", "held": True}
        assert (two["state"], two["trial"], two["job"], two["claims"]) == ("Running", 2, second.name, None)
        rows = [line.split() for line in loop_text(document).splitlines()]
        assert [row[:3] for row in rows if row[:2] in (["1", "Submitting"], ["2", "Running"])] == [
            ["1", "Submitting", "3"],
            ["2", "Running", "2"],
        ]


def test_a_lanes_row_says_what_the_lane_waits_for() -> None:
    """The service is late to report one lane's pool: that lane's row says so, and since when."""
    late = {"kind": "absent_pool_status", "job": "*-001", "seconds": 15, "times": 1}
    with group_of(replace(sweep(2, 3), faults=(late,))) as group:

        def rows() -> Any:
            with group.world.history() as history:
                loop = history.find(LOOP_ID)
                return lane_objects(history, loop, history.jobs(LOOP_ID), history.trials(LOOP_ID))

        until(group, lambda: group.lanes[1].at == PAUSE and rows()[0]["state"] == "Verifying")
        one, two = rows()
        assert one["waits_for"] == "the pool of story-001"
        assert one["waits_since"] is not None
        assert two["waits_for"] is None
        group.run()
        assert wrong(group) == []
