"""The table as the service keeps it."""

from __future__ import annotations

import pytest
from shared_rows import shared

from wpfsm.fsm.errors import NotFound
from wpfsm.state.shared.history import SharedHistory


def test_a_table_that_is_not_there_says_what_makes_it() -> None:
    """The error names the table and the command."""
    with shared() as (table, blobs):
        table._client.delete_table(TableName="wpfsm")
        with pytest.raises(NotFound, match="dynamodb://us-east-1/wpfsm") as caught:
            SharedHistory(table, blobs).find("x")
        assert "wpfsm deploy" in caught.value.fix
