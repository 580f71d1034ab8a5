"""`ask`: whoever looks at the last result decides the next trial, on a pool that is held for them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ask_stories import DONE, ask, proposal, run, world_of
from crash_checks import violations
from crash_stories import POOL
from crash_world import LOOP_ID, Crash, World
from strategy_stories import Outcome, example

from wpfsm.adapters.documents.loop import loop_document
from wpfsm.adapters.terminal.loop_text import loop_text
from wpfsm.fsm import controller
from wpfsm.fsm.controller import Result
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.loopfile.load import parse
from wpfsm.fsm.records import State


def document(world: World) -> Any:
    """What ``inspect -o json`` prints now."""
    with world.history() as history:
        return loop_document(history, history.find(LOOP_ID), world.clock.now())


def test_each_verdict_is_followed_by_a_question_and_done_ends_it() -> None:
    """Better ones are kept and become the base; the others are discarded; a failure is an answer too."""
    outcome = run(
        proposal(lr=0.2, note="a smaller rate"),
        proposal(lr=0.9),
        proposal("train()  # cosine\n"),
        proposal("train()  # broken\n"),
        proposal(lr=0.1),
    )
    assert (outcome.exit_code, outcome.loop.outcome) == (0, "completed")
    assert [t.verdict for t in outcome.trials] == ["kept", "kept", "discarded", "kept", "failed", "kept"]
    assert [t.base for t in outcome.trials] == [None, 1, 2, 2, 4, 4]
    assert [j.params["lr"] for j in outcome.jobs] == [0.5, 0.2, 0.9, 0.2, 0.2, 0.1]
    assert outcome.trials[1].note == "a smaller rate"
    assert outcome.trials[3].label == "edit of train.py"
    assert "KeyError" in outcome.trials[4].verdict_why or "script" in outcome.trials[4].verdict_why
    # The last one starts from the kept edit, not from the one that broke.
    assert outcome.jobs[-1].source_digest == outcome.jobs[3].source_digest
    assert outcome.starts == ["cold"] + ["warm"] * 5


def test_the_hand_off_shows_what_whoever_decides_needs() -> None:
    """Kind, verdict, best, base, what is left, until when the pool is held and what that costs."""
    story = ask(limits={"max_jobs": 5, "max_cost": 9}, pool={**POOL, "price_per_hour": 3.6})
    with world_of(story) as world:
        result = world.drive()
        shown = document(world)
        packet = shown["handoff"]
        assert result.exit_code == controller.HANDED_OFF
        assert result.loop.state is State.DIAGNOSING
        assert (packet["kind"], packet["verdict"], packet["best"]["trial"], packet["base"]["trial"]) == (
            "ask",
            "kept",
            1,
            1,
        )
        assert packet["left"]["jobs"] == 4
        assert 0 < packet["left"]["cost_usd"] < 9
        assert packet["pool"]["burn_usd_per_hour"] == 3.6
        assert [step["argv"] for step in shown["next"]] == [
            ["wpfsm", "next", LOOP_ID], ["wpfsm", "next", LOOP_ID, "--done"]
        ]  # fmt: skip
        text = loop_text(shown)
        assert "$0.06 a minute" in text
        assert "left  4 job(s), 49 trial(s)" in text


@pytest.mark.parametrize("hold", ["2m", "30m"])
def test_the_pool_is_held_for_the_hold_and_no_longer(hold: str) -> None:
    """When nobody comes back the service itself lets the pool go; the next trial starts cold and nothing is lost."""
    with world_of(ask(proposal(lr=0.2), DONE, strategy={"type": "ask", "hold": hold})) as world:
        world.drive()
        seconds = 60 * int(hold[:-1])
        world.emulator.advance(seconds - 30)
        assert [pool.status for pool in world.emulator.pools()] == ["Available"]
        world.emulator.advance(60)
        assert [pool.status for pool in world.emulator.pools()] == ["Terminated"]
        result = world.finish()
        outcome = Outcome(world, result)
    assert outcome.exit_code == 0
    assert outcome.starts == ["cold", "cold"]


def test_a_hold_beyond_the_cap_is_refused_not_cut() -> None:
    """The service grants an hour; more is an error with the line and the figure."""
    text = """
version: 1
name: long
pool: {instance_type: ml.m5.large}
job: {source: src, entry: train.py}
strategy: {type: ask, hold: 90m}
"""
    with pytest.raises(Exception, match=r"strategy\.hold: 90m is beyond the service's 1h; write 1h or less"):
        parse(text)


def test_ask_behind_a_sweep_asks_at_once_and_starts_from_its_best() -> None:
    """What the phases before have found is there to be looked at: no job is run to ask."""
    phases = [{"type": "sweep", "parameters": {"lr": [0.5, 0.2]}}, {"type": "ask"}]
    outcome = run(proposal(epochs=2), strategy=phases)
    assert [t.phase for t in outcome.trials] == [1, 1, 2]
    assert outcome.jobs[-1].params == {"lr": 0.2, "epochs": 2}
    assert len(outcome.jobs) == 3


def test_a_limit_that_asks_holds_until_it_is_raised() -> None:
    """on_limit: ask is a hand-off, in which the loop file may be changed; it is not an end."""
    story = ask(proposal(lr=0.2), DONE, limits={"max_jobs": 1, "on_limit": "ask"})
    with world_of(story) as world:
        result = world.drive()
        packet = document(world)["handoff"]
        assert (result.exit_code, packet["kind"]) == (controller.HANDED_OFF, "limit")
        assert "max_jobs" in packet["why"]
        with pytest.raises(Refused, match="it was not raised"):
            world.drive()
        raise_limits(world, max_jobs=4, on_limit="ask")
        assert world.drive().loop.handoff.kind == "ask"  # type: ignore[union-attr]
        outcome = Outcome(world, world.finish())
    assert len(outcome.jobs) == 2
    assert outcome.exit_code == 0


def raise_limits(world: World, **limits: Any) -> None:
    """Edit the limits in the loop file."""
    path = world.folder / "loop.yaml"
    path.write_text(json.dumps({**json.loads(path.read_text()), "limits": limits}))


@pytest.mark.parametrize("state", ["Verifying", "Submitting"])
def test_a_limit_that_is_met_before_the_next_job_asks_too(state: str) -> None:
    """The drawn trial waits, on a held pool, and runs once the limit is raised."""
    sweep = {"type": "sweep", "parameters": {"lr": [0.5, 0.2]}}
    story = ask(strategy=sweep, limits={"max_jobs": 2, "on_limit": "ask"})
    with world_of(story) as world:
        late = {"Verifying": "after commit proceed", "Submitting": "after commit verified"}[state]

        def hook(name: str) -> None:
            if name == late:
                raise Crash(name)

        with pytest.raises(Crash):
            world.drive(hook)
        with world.history() as history:
            assert history.find(LOOP_ID).state == state
        raise_limits(world, max_jobs=1, on_limit="ask")
        result = world.drive()
        shown = document(world)
        assert (result.exit_code, result.loop.state) == (controller.HANDED_OFF, State.DIAGNOSING)
        assert shown["handoff"]["kind"] == "limit"
        assert shown["handoff"]["pool"]["held_until"] is not None
        assert [pool.status for pool in world.emulator.pools()] == ["Available"]
        raise_limits(world, max_jobs=2, on_limit="ask")
        result = world.finish()
        assert list(violations(world, result)) == []
        outcome = Outcome(world, result)
    assert (outcome.exit_code, outcome.starts) == (0, ["cold", "warm"])
    assert [job.params["lr"] for job in outcome.jobs] == [0.5, 0.2]


def test_the_example_runs_and_asks() -> None:
    """`examples/ask`: the first trial, then a proposal, then done."""
    shown = example("ask")
    with world_of(replace(shown, proposals=(proposal(lr=0.05), DONE))) as world:
        outcome = Outcome(world, world.finish())
    assert [t.verdict for t in outcome.trials] == ["kept", "kept"]
    assert outcome.exit_code == 0


def test_ten_experiments_take_one_cold_start_whenever_the_controller_dies() -> None:
    """Three of them fail, one is proposed while another runs, and every third boundary kills the controller."""
    plan = [proposal(lr=rate) for rate in (0.4, 0.3, 0.9, 0.2)]
    plan += [
        proposal("train()  # broken 1\n"),
        proposal("train()  # broken 2\n"),
        proposal("train()  # broken 3\n"),
    ]
    plan += [proposal("train()  # cosine\n"), proposal(lr=0.1)]
    with world_of(ask(*plan, DONE)) as world:
        count = 0

        def fuse(name: str) -> None:
            nonlocal count
            count += 1
            if count % 37 == 0:
                raise Crash(name)

        result: Result | None = None
        for _ in range(100):
            try:
                result = world.finish(fuse, resumes=60)
                break
            except Crash:
                continue
        assert result is not None
        assert list(violations(world, result)) == []
        outcome = Outcome(world, result)
    assert len(outcome.trials) == 10
    assert outcome.starts.count("cold") == 1
    assert [t.state for t in outcome.trials].count("failed") == 3
    assert outcome.exit_code == 0
    assert count > 300
