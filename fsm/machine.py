"""The whole diagram on one page: states, events and guards.

The machine is a checked transition table and nothing more. It persists nothing and does nothing: an
activity decides which event happened, the machine says whether that event may happen here, and the store
writes the new state. Callbacks with effects would run at moments that no transaction covers.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

from statemachine import StateChart
from statemachine.exceptions import TransitionNotAllowed
from statemachine.states import States

from wpfsm.fsm.records import State


class GuardFailed(Exception):
    """A transition whose guard said no. The message is the guard's reason."""


@dataclass
class MachineModel:
    """What the machine may look at: the state, and the answers to its guards, read beforehand."""

    state: State | str | None = None
    lock_differs: str = ""
    """The first locked field that differs from job 1, in words; empty when none does."""
    over_limit: str = ""
    """Why the limits do not admit one more job; empty when they do."""
    owed: list[str] = field(default_factory=list)
    """Names of jobs with an open obligation."""

    def refusal(self, event: str) -> str:
        """The reason of the guard that refuses ``event``; empty when no guard does."""
        if event == "intended":
            return self.lock_differs or self.over_limit
        if event == "released" and self.owed:
            return "not yet released: " + ", ".join(self.owed)
        return ""


class LoopMachine(StateChart[MachineModel]):
    """Six working states and Closed."""

    atomic_configuration_update = True
    catch_errors_as_events = False
    allow_event_without_transition = False

    s = States.from_enum(State, initial=State.PREFLIGHT, final=State.CLOSED, use_enum_instance=True)

    admitted = s.PREFLIGHT.to(s.SUBMITTING)
    intended = s.SUBMITTING.to(s.SUBMITTING, cond="lock_unchanged and limits_admit")
    submitted = s.SUBMITTING.to(s.RUNNING)
    rejected = s.SUBMITTING.to(s.DIAGNOSING)
    ended = s.RUNNING.to(s.DIAGNOSING)
    handed_off = s.DIAGNOSING.to(s.DIAGNOSING) | s.SUBMITTING.to(s.DIAGNOSING) | s.VERIFYING.to(s.DIAGNOSING)
    proceed = s.DIAGNOSING.to(s.VERIFYING)
    verified = s.VERIFYING.to(s.SUBMITTING)
    release = (
        s.PREFLIGHT.to(s.RELEASING)
        | s.SUBMITTING.to(s.RELEASING)
        | s.RUNNING.to(s.RELEASING)
        | s.DIAGNOSING.to(s.RELEASING)
        | s.VERIFYING.to(s.RELEASING)
    )
    released = s.RELEASING.to(s.CLOSED, cond="nothing_owed")

    def lock_unchanged(self) -> bool:
        """Guard: the request to be sent has the key of job 1."""
        return not self.model.lock_differs

    def limits_admit(self) -> bool:
        """Guard: the worst case of one more job stays inside the limits."""
        return not self.model.over_limit

    def nothing_owed(self) -> bool:
        """Guard: every obligation was discharged by a read-back."""
        return not self.model.owed


def advance(row: MachineModel, event: str) -> State:
    """The state after ``event``, or an exception; ``row`` is left as it was.

    Raises:
        GuardFailed: A guard refused, with its reason.
        TransitionNotAllowed: The diagram has no such arrow.
        ValueError: The row holds a state that this version does not know.
    """
    try:
        return _reached(
            State(row.state or ""), event, row.lock_differs != "", row.over_limit != "", bool(row.owed)
        )
    except TransitionNotAllowed as error:
        if reason := row.refusal(event):
            raise GuardFailed(reason) from error
        raise


@functools.cache
def _reached(state: State, event: str, lock_differs: bool, over_limit: bool, owed: bool) -> State:
    """Where the machine goes. It is a pure function of a few values, so each question is put to it once.

    Raises:
        TransitionNotAllowed: It refuses.
    """
    scratch = MachineModel(state, "differs" * lock_differs, "over" * over_limit, ["owed"] * owed)
    LoopMachine(scratch).send(event)
    return State(scratch.state or "")


def diagram(form: str = "mermaid") -> str:
    """The machine as ``mermaid`` or as an ``md`` transition table."""
    return format(LoopMachine, form)


__all__ = ["GuardFailed", "LoopMachine", "MachineModel", "TransitionNotAllowed", "advance", "diagram"]
