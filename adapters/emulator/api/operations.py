"""What every service that is answered here has in common: operations by name, each a function of a call and a moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from wpfsm.adapters.emulator.engine.engine import Engine
from wpfsm.adapters.emulator.engine.faults import Drawn
from wpfsm.adapters.emulator.engine.records import Place, Request


@dataclass(frozen=True)
class Call:
    """One validated request with where it goes and which faults strike it."""

    place: Place
    operation: str
    request: Request
    faults: Drawn
    session_tags: tuple[str, ...] = ()

    @property
    def job(self) -> str:
        """The training job that the request names, empty when it names none."""
        return str(self.request.get("TrainingJobName", ""))


Operation: TypeAlias = Callable[[Call, float], Request]
"""Carries out a call at a moment of the engine's clock; raises ``ServiceError`` for what the service refuses."""


class Api:
    """A service whose answers depend on nothing that changes.

    Args:
        operations: What it answers, by the operation's name.
    """

    def __init__(self, operations: Mapping[str, Operation]) -> None:
        self.operations = operations

    def answer(self, call: Call) -> Request:
        """Carry out a call.

        Raises:
            ServiceError: What the service answers instead.
        """
        return self.operations[call.operation](call, 0.0)


class EngineApi(Api):
    """A service over the engine: each call is one transaction, at one moment.

    Args:
        engine: Training jobs and pools.
        operations: What it answers, by the operation's name.
    """

    def __init__(self, engine: Engine, operations: Mapping[str, Operation]) -> None:
        super().__init__(operations)
        self._engine = engine

    def answer(self, call: Call) -> Request:
        """Carry out a call.

        Raises:
            ServiceError: What the service answers instead.
        """
        with self._engine.transaction() as now:
            return self.operations[call.operation](call, now)
