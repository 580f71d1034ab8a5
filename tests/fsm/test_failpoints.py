"""The names of the boundaries at which a controller may die."""

from __future__ import annotations

import pytest

from wpfsm.fsm.failpoints import NAMES, POINTS, Failpoints


def test_both_sides_of_a_boundary_are_announced() -> None:
    """The body stands between them."""
    heard: list[str] = []
    with Failpoints(heard.append).around("call service.create"):
        heard.append("the call")

    assert heard == ["before call service.create", "the call", "after call service.create"]


def test_an_error_of_the_call_is_behind_it() -> None:
    """A call that was refused has been made; the error goes on to whoever called."""
    heard: list[str] = []
    with pytest.raises(ValueError, match="refused"), Failpoints(heard.append).around("call service.stop"):
        raise ValueError("refused")

    assert heard == ["before call service.stop", "after call service.stop"]


def test_a_controller_that_dies_in_the_call_announces_nothing_more() -> None:
    """What is no ``Exception`` ends the process: there is no after."""
    heard: list[str] = []
    with pytest.raises(KeyboardInterrupt), Failpoints(heard.append).around("call service.stop"):
        raise KeyboardInterrupt

    assert heard == ["before call service.stop"]


def test_a_boundary_that_is_not_listed_is_an_error_before_its_body() -> None:
    """So that no new one goes untested, also where nobody listens."""
    with pytest.raises(KeyError, match=r"call service\.unheard"), Failpoints().around("call service.unheard"):
        pytest.fail("the body of an unlisted boundary ran")


def test_every_boundary_has_two_points() -> None:
    """Each name once before and once after."""
    assert len(POINTS) == 2 * len(NAMES)
