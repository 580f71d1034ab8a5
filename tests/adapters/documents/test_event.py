"""An event of the history, as an object and as a line."""

from __future__ import annotations

from wpfsm.adapters.documents.event import event_line, event_object
from wpfsm.fsm.records import Event

MOVED = Event(
    "l-1", 12, 0.0, "submitted", "Submitting", "Running", "accepted", {"guards": {"lock": True, "left": 3}}
)


def test_the_object_says_from_where_to_where_and_why() -> None:
    """The first event comes from nowhere, which is null and no empty text."""
    shown = event_object(MOVED)
    assert (shown["seq"], shown["from"], shown["to"], shown["why"]) == (
        12,
        "Submitting",
        "Running",
        "accepted",
    )
    assert shown["data"] == {"guards": {"lock": True, "left": 3}}
    assert event_object(Event("l-1", 1, 0.0, "created", "", "Preflight", ""))["from"] is None


def test_a_line_shows_the_move_and_what_its_guards_said() -> None:
    """A guard is yes or no, or the number that it saw."""
    line = event_line(MOVED)
    assert "Submitting -> Running" in line
    assert line.endswith("accepted  [lock: yes, left: 3]")


def test_a_line_of_what_moved_nothing_names_the_state_once() -> None:
    """No arrow, and no empty brackets."""
    line = event_line(Event("l-1", 3, 0.0, "read", "Running", "Running", "a\nb"))
    assert "->" not in line
    assert "[" not in line
    assert line.count("Running") == 1
    first, second = line.splitlines()
    assert second.strip() == "b"
    assert first.endswith("a")
    assert second.startswith(" " * 55), "a reason of several lines hangs below itself"
