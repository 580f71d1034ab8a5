"""What every store promises to the lanes of a group: one queue and one history, rows of their own, and who is second asks again."""

from __future__ import annotations

import dataclasses

import pytest
from kept import Kept
from state_rows import INTENT, JOB, LOOP, OBLIGATION

from wpfsm.fsm.errors import Fenced, Overtaken, Refused
from wpfsm.fsm.ports import Store
from wpfsm.fsm.records import Change, Outcome, Proposal, State, Trial

GROUP = "sweep-1"
FIRST = dataclasses.replace(LOOP, id=GROUP, name="sweep", lane=1, created_at=200.0)
SECOND = dataclasses.replace(FIRST, id=f"{GROUP}-l2", lane=2, lane_of=GROUP)


@pytest.fixture
def lanes(kept: Kept) -> tuple[Store, Store]:
    """Two lanes, each with its owner."""
    kept.create_group(FIRST, SECOND)
    return kept.lane(FIRST.id), kept.lane(SECOND.id)


def intended(lane: int, number: int, *, claims: str = "", expects: int | None = None) -> Change:
    """A lane is about to create a job."""
    name = f"{GROUP}-{number:03}"
    return Change(
        kind="intended",
        why=f"job {number}",
        jobs=(dataclasses.replace(JOB, loop_id=GROUP, number=number, name=name, lane=lane, claims=claims),),
        intents=(dataclasses.replace(INTENT, loop_id=GROUP, job_name=name, lane=lane),),
        obligations=(dataclasses.replace(OBLIGATION, loop_id=GROUP, job_name=name, lane=lane),),
        at=201.0,
        expects=expects,
    )


def drawn(number: int, lane: int, expects: int | None = None) -> Change:
    """A lane takes a trial from the queue."""
    trial = Trial(GROUP, number, {"lr": number}, f"t{number}", lane=lane)
    return Change(kind="proceed", why=f"trial {number}", trials=(trial,), at=201.0, expects=expects)


def tally(store: Store) -> int:
    """How often the group has moved, as a lane reads it before it decides."""
    return store.lanes()[0].tally


def test_a_lane_works_with_its_own_rows_and_sees_those_of_all(kept: Kept, lanes: tuple[Store, Store]) -> None:
    """Trials are of the whole group, jobs and what goes with them of one lane; what a sibling wrote is seen at once."""
    one, two = lanes
    assert (one.trials(), two.trials()) == ([], [])
    one.commit(drawn(1, 1))
    one.commit(intended(1, 1))
    two.commit(drawn(2, 2))
    two.commit(intended(2, 2, claims=f"{GROUP}-001"))
    for store, number in ((one, 1), (two, 2)):
        assert [t.number for t in store.trials()] == [1, 2]
        assert [j.number for j in store.jobs()] == [number]
        assert [j.number for j in store.group_jobs()] == [1, 2]
        assert [o.job_name for o in store.obligations()] == [f"{GROUP}-00{number}"]
        assert [o.lane for o in store.group_obligations()] == [1, 2]
        assert [i.lane for i in store.intents()] == [number]
        assert store.job_named(f"{GROUP}-00{3 - number}") is None
    assert two.group_jobs()[1].claims == f"{GROUP}-001"
    assert [j.number for j in kept.history().jobs(GROUP)] == [1, 2]


def test_the_lanes_have_one_history_without_a_gap(kept: Kept, lanes: tuple[Store, Store]) -> None:
    """Whoever commits has the next number, and each event says its lane; what is quiet has none."""
    for n, store in enumerate((lanes[0], lanes[1], lanes[1], lanes[0])):
        store.commit(Change(kind="checked", why=str(n)))
        store.commit(Change(kind="live", why="", quiet=True))
    expected = [(1, 1), (2, 2), (3, 1), (4, 2), (5, 2), (6, 1)]
    assert [(e.seq, e.lane) for e in kept.history().events(GROUP)] == expected
    assert [e.seq for e in lanes[1].events()] == [2, 4, 5]


def test_of_two_that_decide_on_the_same_rows_the_second_asks_again(
    kept: Kept, lanes: tuple[Store, Store]
) -> None:
    """One trial number, one claim on an idle pool: the later commit writes nothing, and happens once it knows."""
    one, two = lanes
    seen = tally(one), tally(two)
    one.commit(drawn(1, 1, expects=seen[0]))
    with pytest.raises(Overtaken):
        two.commit(drawn(1, 2, expects=seen[1]))
    assert [(t.number, t.lane) for t in two.trials()] == [(1, 1)]
    two.commit(drawn(2, 2, expects=tally(two)))
    seen = tally(one), tally(two)
    two.commit(intended(2, 1, claims="idle", expects=seen[1]))
    with pytest.raises(Overtaken):
        one.commit(intended(1, 1, claims="idle", expects=seen[0]))
    assert [(j.lane, j.claims) for j in one.group_jobs()] == [(2, "idle")]
    assert [e.seq for e in kept.history().events(GROUP)] == [1, 2, 3, 4, 5]


def test_what_depends_on_no_sibling_is_not_asked_again(lanes: tuple[Store, Store]) -> None:
    """A reading of a lane's own job passes, whatever the others have done meanwhile."""
    one, two = lanes
    before = tally(one)
    two.commit(drawn(1, 2, expects=before))
    one.commit(Change(kind="checked", why="", at=201.0))
    one.commit(drawn(2, 1, expects=before + 1))
    assert [t.lane for t in two.trials()] == [2, 1]


def test_a_lane_that_is_taken_over_fences_itself_alone(kept: Kept, lanes: tuple[Store, Store]) -> None:
    """An epoch is a lane's own; when each was heard of last, the others can read."""
    again = kept.lane(SECOND.id, at=300.0)
    with pytest.raises(Fenced):
        lanes[1].trials()
    with pytest.raises(Fenced):
        lanes[1].commit(drawn(1, 2))
    assert lanes[0].commit(drawn(1, 1)).lane == 1
    assert again.heard_of()[2] == 300.0
    assert [each.id for each in again.lanes()] == [FIRST.id, SECOND.id]


def test_one_stop_reaches_every_lane_until_a_person_resumes(kept: Kept, lanes: tuple[Store, Store]) -> None:
    """It is asked of the group."""
    kept.request_stop(GROUP)
    assert all(store.stop_requested() for store in lanes)
    kept.lane(FIRST.id, forget_stop=True)
    assert not lanes[1].stop_requested()


def test_proposals_and_renderings_are_the_groups(kept: Kept, lanes: tuple[Store, Store]) -> None:
    """Any lane may take a proposal, as long as one of them goes on; what one has rendered, the others need not."""
    one, two = lanes
    one.save_rendered("digest", {"a": 1})
    assert two.rendered("digest") == {"a": 1}
    asked = kept.propose(Proposal(GROUP, 0, 202.0, "trial", {"lr": 1}))
    assert two.proposals() == [asked]
    over = {"outcome": Outcome.LET_GO}
    one.commit(Change(kind="release", why="", loop=over), state=State.RELEASING)
    assert kept.propose(Proposal(GROUP, 0, 203.0, "trial", {"lr": 2})).number == 2
    two.commit(Change(kind="release", why="", loop=over), state=State.RELEASING)
    with pytest.raises(Refused, match="is over"):
        kept.propose(Proposal(GROUP, 0, 204.0, "trial", {"lr": 3}))


def test_whoever_looks_sees_one_loop(kept: Kept, lanes: tuple[Store, Store]) -> None:
    """Lists have the group once, with the jobs of all its lanes; a lane is found by its own id, and listed below it."""
    lanes[0].commit(intended(1, 1))
    lanes[1].commit(intended(2, 2))
    lanes[0].commit(Change(kind="checked", why=""))
    history = kept.history()
    assert [(h.id, h.jobs) for h in history.loops()] == [(GROUP, 2), (LOOP.id, 0)]
    assert {loop.id for loop in history.unfinished()} == {GROUP, LOOP.id}
    assert [each.lane for each in history.lanes(GROUP)] == [1, 2]
    assert history.lanes(LOOP.id) == type(history.lanes(LOOP.id))()
    assert history.find(SECOND.id).lane_of == GROUP
    assert history.find("sweep", acting=True).id == GROUP
    assert history.count_named("sweep") == 1
    job = history.job_named(f"{GROUP}-002")
    assert job is not None
    assert job.lane == 2


def test_a_loop_without_lanes_is_its_own_group(kept: Kept) -> None:
    """It is the only lane that it has, and nobody else is heard of."""
    rows = kept.again()
    assert [each.id for each in rows.lanes()] == [LOOP.id]
    assert rows.lanes()[0].lane == 0
    rows.commit(dataclasses.replace(intended(0, 1), jobs=(JOB,), intents=(), obligations=(OBLIGATION,)))
    assert (rows.group_jobs(), rows.group_obligations()) == ([JOB], [OBLIGATION])
