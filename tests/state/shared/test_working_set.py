"""What a lane has read stands while no sibling writes, and is one moment's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from shared_rows import lanes
from state_rows import LOOP

from wpfsm.fsm.records import Change, Trial
from wpfsm.state.shared.table import Item


def drawn(number: int) -> Change:
    """A trial of the group."""
    return Change(kind="proceed", why="", trials=(Trial(LOOP.id, number, {}, f"t{number}"),), at=101.0)


def test_rows_are_read_again_only_when_a_sibling_has_written() -> None:
    """Looking twice costs one query; a sibling's quiet waiting does not cost another."""
    with lanes() as (table, one, two):
        plain, queries = table.query, [0]

        def query(*given: Any, **more: Any) -> Iterator[Item]:
            queries[0] += 1
            return plain(*given, **more)

        table.query = query  # type: ignore[method-assign]
        one.trials()
        two.commit(Change(kind="waiting", why="", loop={"waits": {"it": 1.0}}, quiet=True, at=101.0))
        queries[0] = 0
        assert one.trials() == []
        one.commit(drawn(1))
        assert len(one.trials()) == 1
        assert queries == [0]
        two.commit(drawn(2))
        queries[0] = 0
        assert len(one.trials()) == 2
        assert queries == [1]


def test_a_sibling_that_writes_while_rows_are_read_is_read_too() -> None:
    """A query of many pages is no snapshot: one that saw half of a commit is made again."""
    with lanes() as (table, one, two):
        plain = table.query

        def slowly(*given: Any, **more: Any) -> Iterator[Item]:
            table.query = plain  # type: ignore[method-assign]
            found = list(plain(*given, **more))
            two.commit(dataclasses.replace(drawn(1), trials=(*drawn(1).trials, *drawn(2).trials)))
            yield from found

        table.query = slowly  # type: ignore[method-assign]
        assert [t.number for t in one.trials()] == [1, 2]
