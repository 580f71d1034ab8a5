"""A closed loop of a team can be forgotten: its items, its lessons and the objects of its large rows."""

from __future__ import annotations

import dataclasses

import pytest
from shared_rows import BUCKET, owned
from state_rows import INTENT, JOB, OBLIGATION

from wpfsm.fsm.errors import NotFound, Refused
from wpfsm.fsm.failures.model import Diagnosis, Family
from wpfsm.fsm.records import Change, JobPatch, Outcome, PatchAttempt, State
from wpfsm.state.shared.forget import forget
from wpfsm.state.shared.history import SharedHistory

FOUND = Diagnosis(Family.OOM, "cuda_oom", 1.0, (), None, "f", "halve the batch", "rule")
LARGE = dataclasses.replace(JOB, diagnosis=FOUND, request={"Environment": {"A": "x" * 100_000}})
LESSON = PatchAttempt("f", "lr-1", JOB.name, "cuda_oom", "k", JobPatch("scale", "half", "k"), "worked", 1.0)
RELEASED = dataclasses.replace(OBLIGATION, status="discharged", evidence="Describe says Terminated")


def test_nothing_of_it_is_left() -> None:
    """Neither rows nor objects; what is open is refused before."""
    with owned() as (table, blobs, store):
        store.commit(
            Change(
                kind="done",
                why="",
                jobs=(LARGE,),
                intents=(INTENT,),
                obligations=(OBLIGATION,),
                remembered=(LESSON,),
            )
        )
        with pytest.raises(Refused, match="not read back"):
            forget(table, blobs, "lr-1")
        store.commit(Change(kind="released", why="", obligations=(RELEASED,)))
        with pytest.raises(Refused, match="it is Preflight"):
            forget(table, blobs, "lr-1")
        store.commit(Change(kind="closed", why="", loop={"outcome": Outcome.COMPLETED}), state=State.CLOSED)
        assert list(blobs._client.list_objects_v2(Bucket=BUCKET)["Contents"])
        forget(table, blobs, "lr-1")
        assert list(table.query("lr-1")) == []
        assert list(table.query("MEMORY#f")) == []
        assert SharedHistory(table, blobs).loops() == []
        assert blobs._client.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
        with pytest.raises(NotFound):
            forget(table, blobs, "lr-1")
