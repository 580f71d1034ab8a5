"""`ask`: whoever looks at the last result decides the next trial, on a pool that is held for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from crash_checks import violations
from crash_stories import JOB, METRIC, POOL
from crash_world import LOOP_ID, Story, World
from strategy_stories import Outcome, example

from wpfsm.adapters.documents.loop import loop_document
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.adapters.terminal.loop_text import loop_text
from wpfsm.fsm import controller
from wpfsm.fsm.controller import Result
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.loopfile.load import parse
from wpfsm.fsm.records import Proposal, State


def proposal(
    source: str = "", base: str = "", *, again: bool = False, note: str = "", **params: Any
) -> Proposal:
    """A trial as ``wpfsm next`` proposes it; the source is the text of its script."""
    return Proposal(LOOP_ID, 0, 0, "trial", params, source, base, note, again)


DONE = Proposal(LOOP_ID, 0, 0, "done")


def learns(launch: Launch) -> Script:
    """Best with a rate of 0.1; a script that says `broken` fails, one that says `cosine` learns more."""
    members = cast("Mapping[str, Mapping[str, str]]", launch.request)
    source = members["Environment"]["TRAIN"]
    if "broken" in source:
        lines = [
            "Traceback (most recent call last):",
            '  File "train.py", line 1, in <module>',
            "KeyError: 'label'",
        ]
        return Script(seconds=10, lines=lines, exit_code=1)
    loss = abs(float(members["HyperParameters"]["lr"]) - 0.1) + (0.1 if "cosine" in source else 0.2)
    return Script(seconds=20, lines=[f"loss={loss:.3f}"])


def ask(*proposals: Proposal, **sections: Any) -> Story:
    """An open loop that starts with a rate of 0.5."""
    loop_file: dict[str, Any] = {
        "pool": POOL, "job": {**JOB, "hyperparameters": {"lr": 0.5}}, "metric": METRIC, "strategy": {"type": "ask"},
        **sections,
    }  # fmt: skip
    return Story(loop_file=loop_file, script=learns, source={"train.py": "train()\n"}, proposals=proposals)


@contextmanager
def world_of(story: Story) -> Iterator[World]:
    """The world of a story, gone afterwards."""
    world = World(story)
    try:
        yield world
    finally:
        world.close()


def run(*proposals: Proposal, **sections: Any) -> Outcome:
    """Every proposal in turn, and then done."""
    with world_of(ask(*proposals, DONE, **sections)) as world:
        result = world.finish(resumes=3 * len(proposals) + 5)
        assert list(violations(world, result)) == []
        return Outcome(world, result)


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
        assert "$0.0600 a minute" in text
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


def test_a_point_that_was_tried_is_refused_with_its_result_unless_again() -> None:
    """The same values on the same source would cost the same and show nothing new."""
    with world_of(ask(proposal(lr=0.5), proposal(lr=0.5, again=True), DONE)) as world:
        world.drive()
        held_until = world.history
        with world.history() as history:
            before = history.find(LOOP_ID).hold_until
        world.answer()
        result = world.drive()
        assert result.exit_code == controller.HANDED_OFF
        with world.history() as history:
            (row,) = history.proposals(LOOP_ID)
            assert history.find(LOOP_ID).hold_until == before, "a refusal does not hold the pool any longer"
        assert row.status == "refused"
        assert (
            row.answer == "tried before: trial 1 (as given) has the same values and source: metric 0.6, kept"
        )
        world.answer()
        outcome = Outcome(world, world.finish())
    assert held_until is not None
    assert len(outcome.jobs) == 2


@pytest.mark.parametrize(("keep", "bases"), [
    ("better", [None, 1, 1, 1, 1]), ("all", [None, 1, 2, 2, 4]), ("last", [None, 1, 2, 3, 4])
])  # fmt: skip
def test_keep_says_what_the_next_trial_starts_from(keep: str, bases: list[int | None]) -> None:
    """The best so far, the newest that completed, or the newest."""
    outcome = run(
        proposal(lr=0.9),
        proposal("train()  # broken\n"),
        proposal("train()  # mended\n", lr=0.8),
        proposal(lr=0.7),
        strategy={"type": "ask", "keep": keep},
    )
    assert [t.base for t in outcome.trials] == bases


@pytest.mark.parametrize(("spec", "base"), [("best", 2), ("last", 3), ("1", 1)])
def test_from_overrides_it_for_one_trial(spec: str, base: int) -> None:
    """The best, the last that completed, or a trial by its number."""
    outcome = run(proposal(lr=0.2), proposal(lr=0.9), proposal(base=spec, epochs=3))
    assert outcome.trials[-1].base == base
    assert outcome.jobs[-1].params["epochs"] == 3


def test_a_proposal_during_a_run_is_run_when_the_controller_gets_there() -> None:
    """Two of them in order, without a question between; the process that proposed owns nothing."""
    with world_of(ask(DONE)) as world:
        waiting = [proposal(lr=0.2), proposal(lr=0.1)]

        def enqueue(name: str) -> None:
            if name == "after commit submitted" and waiting:
                world.propose(waiting.pop(0))

        result = world.drive(enqueue)
        assert result.exit_code == controller.HANDED_OFF
        with world.history() as history:
            asked = [event for event in history.events(LOOP_ID) if event.kind == "handed_off"]
            assert [trial.params for trial in history.trials(LOOP_ID)] == [{}, {"lr": 0.2}, {"lr": 0.1}]
            assert len(asked) == 1
        assert world.propose(DONE).number == 3
        assert world.drive().loop.outcome == "completed"


def test_proposals_are_run_before_a_sweep_is_asked_and_change_none_of_its_points() -> None:
    """The sweep has its three trials all the same, and takes over a point that was proposed."""
    story = ask(
        strategy={"type": "sweep", "parameters": {"lr": [0.5, 0.2, 0.9]}},
        on_failure=[{"when": "any", "do": "skip"}],
    )
    with world_of(story) as world:
        world.propose(proposal(lr=0.1))
        outcome = Outcome(world, world.finish())
    assert [t.label for t in outcome.trials] == ["lr=0.5", "lr=0.1", "lr=0.2", "lr=0.9"]
    assert outcome.loop.why.startswith("4 of 4 trials completed; best is trial 2")


def test_a_proposal_at_a_failure_hand_off_stands_in_for_the_failed_trial() -> None:
    """What it brings is for the trials after it too."""
    sweep = {"type": "sweep", "parameters": {"lr": [0.5, 0.2]}}
    story = ask(strategy=sweep)
    broken = Story(story.loop_file, learns, {"train.py": "train()  # broken\n"})
    with world_of(broken) as world:
        assert world.drive().exit_code == controller.HANDED_OFF
        world.propose(proposal("train()\n", lr=0.4))
        outcome = Outcome(world, world.finish())
    assert [(t.label, t.state) for t in outcome.trials] == [
        ("lr=0.5", "failed"), ("lr=0.4; edit of train.py", "completed"), ("lr=0.2", "completed")
    ]  # fmt: skip
    assert outcome.trials[1].base == 1
    assert outcome.jobs[1].source_digest == outcome.jobs[2].source_digest
    assert outcome.exit_code == 0


def test_ask_behind_a_sweep_asks_at_once_and_starts_from_its_best() -> None:
    """What the phases before have found is there to be looked at: no job is run to ask."""
    phases = [{"type": "sweep", "parameters": {"lr": [0.5, 0.2]}}, {"type": "ask"}]
    outcome = run(proposal(epochs=2), strategy=phases)
    assert [t.phase for t in outcome.trials] == [1, 1, 2]
    assert outcome.jobs[-1].params == {"lr": 0.2, "epochs": 2}
    assert len(outcome.jobs) == 3


def test_a_limit_that_asks_holds_until_it_is_raised() -> None:
    """on_limit: ask is a hand-off, in which the loop file may be changed; it is not an end."""
    import json

    story = ask(proposal(lr=0.2), DONE, limits={"max_jobs": 1, "on_limit": "ask"})
    with world_of(story) as world:
        result = world.drive()
        packet = document(world)["handoff"]
        assert (result.exit_code, packet["kind"]) == (controller.HANDED_OFF, "limit")
        assert "max_jobs" in packet["why"]
        with pytest.raises(Refused, match="it was not raised"):
            world.drive()
        path = world.folder / "loop.yaml"
        path.write_text(
            json.dumps({**json.loads(path.read_text()), "limits": {"max_jobs": 4, "on_limit": "ask"}})
        )
        assert world.drive().loop.handoff["kind"] == "ask"  # type: ignore[index]
        outcome = Outcome(world, world.finish())
    assert len(outcome.jobs) == 2
    assert outcome.exit_code == 0


def test_the_example_runs_and_asks() -> None:
    """`examples/ask`: the first trial, then a proposal, then done."""
    shown = example("ask")
    with world_of(replace(shown, proposals=(proposal(lr=0.05), DONE))) as world:
        outcome = Outcome(world, world.finish())
    assert [t.verdict for t in outcome.trials] == ["kept", "kept"]
    assert outcome.exit_code == 0


def test_a_proposal_to_a_loop_that_is_over_is_refused_in_its_transaction() -> None:
    """Whoever proposes and whoever closes the loop are two processes; the row decides."""
    with world_of(ask(DONE)) as world:
        world.finish()
        with pytest.raises(Refused, match="is over"):
            world.propose(proposal(lr=0.2))


def test_ten_experiments_take_one_cold_start_whenever_the_controller_dies() -> None:
    """Three of them fail, one is proposed while another runs, and every third boundary kills the controller."""
    from crash_world import Crash

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
