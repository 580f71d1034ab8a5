"""A closed loop can be forgotten, and nothing else with it."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest
from state_rows import INTENT, JOB, LOOP, OBLIGATION, owner

from wpfsm.fsm.errors import NotFound, Refused
from wpfsm.fsm.records import Change, Curve, JobPatch, Outcome, PatchAttempt, Proposal, State, Trial
from wpfsm.state.database import create_or_open
from wpfsm.state.forget import forget
from wpfsm.state.store import LoopStore, create_loop, propose, take_over

RELEASED = dataclasses.replace(OBLIGATION, status="discharged", evidence="Describe says Terminated")
PATCH = JobPatch(kind="edit", summary="by hand", key="k", base="s", result="patched")


def write(path: Path, loop_id: str, source: str) -> None:
    """A closed loop with a row in every table."""
    loop = dataclasses.replace(LOOP, id=loop_id, source_digest="common")
    with contextlib.closing(create_or_open(path)) as connection:
        create_loop(connection, path, loop, "from a file")
        propose(connection, path, Proposal(loop_id, 0, 1.0, "trial", source_digest=source))
        store = LoopStore(connection, path, loop_id, take_over(connection, path, loop_id, owner()))
        store.save_rendered("s:train.py", {"a": 1})
        job = dataclasses.replace(
            JOB, loop_id=loop_id, name=f"{loop_id}-001", source_digest=source, patch=PATCH
        )
        attempt = PatchAttempt("f", loop_id, job.name, "cuda_oom", "k", PATCH, "worked", 1.0)
        store.commit(
            Change(
                kind="done",
                why="",
                at=101.0,
                trials=(Trial(loop_id, 1, {}, "one"),),
                jobs=(job,),
                intents=(dataclasses.replace(INTENT, loop_id=loop_id, job_name=job.name),),
                obligations=(dataclasses.replace(RELEASED, loop_id=loop_id, job_name=job.name),),
                remembered=(attempt,),
                curves=(Curve(loop_id, 1, "loss", 1, ((1, 100.0, 0.5),)),),
                loop={"outcome": Outcome.COMPLETED},
            ),
            state=State.CLOSED,
        )


def rows(path: Path) -> dict[str, set[str]]:
    """Ids of the loops that each table has rows of."""
    with contextlib.closing(create_or_open(path)) as connection:
        tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        found: dict[str, set[str]] = {}
        for table in tables:
            names = {row[1] for row in connection.execute(f"pragma table_info({table})")}
            key = "loop_id" if "loop_id" in names else "id" if table == "loops" else ""
            if key:
                found[table] = {row[0] for row in connection.execute(f"select {key} from {table}")}
        return found


def test_every_table_forgets_the_loop_and_keeps_the_others(tmp_path: Path) -> None:
    """A table with rows of a loop that is added later, and not forgotten, fails here."""
    path = tmp_path / "wpfsm.db"
    write(path, "lr-1", "mine")
    write(path, "lr-2", "theirs")
    before = rows(path)
    assert all(ids == {"lr-1", "lr-2"} for table, ids in before.items() if table != "stop_requests"), before
    with contextlib.closing(create_or_open(path)) as connection:
        unused = forget(connection, path, "lr-1")
    assert unused == ("mine",)  # the common source and the patched one are the other loop's too
    assert all(ids <= {"lr-2"} for ids in rows(path).values())
    assert rows(path)["loops"] == {"lr-2"}


def test_the_lanes_of_a_group_go_with_it(tmp_path: Path) -> None:
    """Each lane is a loop's row of its own; their jobs stand under the group's."""
    path = tmp_path / "wpfsm.db"
    write(path, "lr-1", "mine")
    write(path, "lr-1-l2", "mine")
    write(path, "lr-2", "theirs")
    with contextlib.closing(create_or_open(path)) as connection:
        for table in set(rows(path)) - {"loops", "owners"}:
            connection.execute(f"delete from {table} where loop_id = 'lr-1-l2'")
        connection.execute("update loops set lane_of = 'lr-1', lane = 2 where id = 'lr-1-l2'")
        forget(connection, path, "lr-1")
    assert rows(path)["loops"] == {"lr-2"}
    assert rows(path)["owners"] == {"lr-2"}


def test_an_open_loop_and_one_that_owes_a_release_are_kept(tmp_path: Path) -> None:
    """What may still bill is not forgotten, whatever the state says."""
    path = tmp_path / "wpfsm.db"
    write(path, "lr-1", "mine")
    with contextlib.closing(create_or_open(path)) as connection:
        connection.execute("update obligations set status = 'owed'")
        with pytest.raises(Refused, match="lr-1-001") as owes:
            forget(connection, path, "lr-1")
        assert owes.value.fix == "wpfsm release lr-1"
        connection.execute("update obligations set status = 'discharged'")
        connection.execute("update loops set state = 'Running'")
        with pytest.raises(Refused, match="it is Running"):
            forget(connection, path, "lr-1")
        with pytest.raises(NotFound):
            forget(connection, path, "nobody")
        assert connection.execute("select count(*) from jobs").fetchone()[0] == 1
