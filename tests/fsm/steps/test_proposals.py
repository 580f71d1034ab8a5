"""What somebody proposes becomes a trial, in the order in which it was proposed, or is refused with a reason."""

from __future__ import annotations

import pytest
from ask_stories import DONE, ask, learns, proposal, run, world_of
from crash_world import LOOP_ID, Story
from strategy_stories import Outcome

from wpfsm.fsm import controller
from wpfsm.fsm.errors import Refused


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


def test_a_proposal_to_a_loop_that_is_over_is_refused_in_its_transaction() -> None:
    """Whoever proposes and whoever closes the loop are two processes; the row decides."""
    with world_of(ask(DONE)) as world:
        world.finish()
        with pytest.raises(Refused, match="is over"):
            world.propose(proposal(lr=0.2))
