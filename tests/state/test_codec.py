"""A record is read from its row as it was written."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from state_rows import JOB, owned

from wpfsm.fsm.failures.model import Diagnosis, Family, Location
from wpfsm.fsm.records import Job
from wpfsm.state import codec

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


numbers = st.none() | st.floats(0, 2e9)


@given(
    metrics=st.dictionaries(st.text(max_size=5), json_values, max_size=3), ended=numbers, reason=st.text(),
    diagnosis=st.none() | st.builds(
        Diagnosis, st.sampled_from(Family), st.text(), st.floats(0, 1), st.lists(st.text()).map(tuple),
        st.none() | st.builds(Location, st.text(), st.integers(0, 10**6), st.text()), st.text(), st.text(),
        st.sampled_from(["wpfsm", "you", "aws"]), st.dictionaries(st.text(), st.text()),
    ), transitions=st.lists(json_values, max_size=3),
)  # fmt: skip
def test_a_row_is_read_as_it_was_written(
    metrics: Any, ended: float | None, reason: str, diagnosis: Any, transitions: list[Any]
) -> None:
    """Encoding and decoding a record loses nothing: unknown stays unknown, text stays text."""
    import sqlite3

    reason = reason.encode(errors="replace").decode()
    job = dataclasses.replace(JOB, metrics=metrics, ended_at=ended, failure_reason=reason, diagnosis=diagnosis,
                              transitions=tuple(transitions))  # fmt: skip
    names = codec.columns(Job)
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.execute(f"create table jobs ({', '.join(names)})")
    connection.execute(codec.upsert(Job), codec.encode(job))
    assert codec.decode(Job, connection.execute("select * from jobs").fetchone()) == job
    connection.close()


def test_every_record_has_its_table(tmp_path: Path) -> None:
    """The columns of the schema are the fields of the records."""
    with owned(tmp_path / "w.db") as (connection, _):
        for record, table in codec.TABLES.items():
            columns = [row["name"] for row in connection.execute(f"pragma table_info({table})")]
            assert sorted(columns) == sorted(codec.columns(record)), table
