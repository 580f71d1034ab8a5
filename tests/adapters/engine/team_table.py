"""A team's place whose table and bucket are in this process, and whose engine runs in threads when it is told to."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from cli_bench import OK, Bench
from cli_in_process import Ran, wpfsm
from memory_table import MemoryBlobs, MemoryTable

from wpfsm.adapters.aws.clients import Clients, Target
from wpfsm.adapters.aws.targets import place_of
from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator
from wpfsm.adapters.engine import place as places
from wpfsm.adapters.engine import turns
from wpfsm.adapters.engine.place import Place
from wpfsm.state.shared.items import LOOP
from wpfsm.state.shared.table import Update

GOES_ON = 11
"""The exit code of what ends before its loop does."""


SLEEPS = 60.0
"""Seconds to the next look of an execution that waits to be knocked."""


class Crash(BaseException):
    """The function dies here."""


class Engine:
    """Users' commands, and the executions that they begin.

    Args:
        folder: Where the users are.
        emulator: Their account.
        monkeypatch: Names the table, and puts this in Lambda's place.
    """

    def __init__(self, folder: Path, emulator: SageMakerEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.begun: list[str] = []
        self._events: list[dict[str, Any]] = []
        self._asleep: dict[str, bool] = {}
        table: Any = MemoryTable()
        blobs: Any = MemoryBlobs()
        self.place = Place(table, blobs, "engine:live", "1", Clients(Target(emulator.region, emulator.url)))
        monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.url)
        monkeypatch.setenv("WPFSM_DB", f"dynamodb://{emulator.region}/memory")
        monkeypatch.setenv("WPFSM_NAP", "5")
        monkeypatch.setenv("XDG_STATE_HOME", str(folder / "home"))
        monkeypatch.setattr(places, "connect", lambda *_: self.place)
        monkeypatch.setattr(Place, "functions", self)
        place_of.cache_clear()

    def invoke(self, **asked: Any) -> None:
        """As Lambda's client has it: the execution is begun, and runs when it is told to."""
        self.begun.append(asked["DurableExecutionName"])
        self._events.append(json.loads(asked["Payload"]))

    def send_durable_execution_callback_success(self, **_: str) -> None:
        """As Lambda's client has it. Whoever runs here does not sleep."""

    def run(self, *words: str | Path, code: int = 0) -> Ran:
        """A command that ends with this exit code."""
        ran = wpfsm(*map(str, words))
        assert ran.code == code, ran.out + ran.err
        return ran

    def start(self, name: str, script: str = OK, *, more: str) -> str:
        """Start a loop, whose first job has a learning rate of 0.5, and return its id."""
        file = Bench(self.folder).loop(name, script, more=more)
        rate = "max_runtime: 5m, hyperparameters: {lr: 0.5}}"
        file.write_text(file.read_text().replace("max_runtime: 5m}", rate))
        return str(self.run("start", file, "-o", "json", code=GOES_ON).document["loop"]["id"])

    def document(self, loop_id: str) -> dict[str, Any]:
        """What ``inspect`` shows."""
        return self.run("inspect", loop_id, "-o", "json").document

    def newest_dies(self, at: str) -> None:
        """The newest execution is killed at a boundary of its first turn, and is given up."""
        event = self._events.pop()

        def hook(name: str) -> None:
            if name == at:
                raise Crash(name)

        with pytest.raises(Crash):
            turns.take(self.place, event["loop"], generation=event["generation"], hook=hook)
        self.late(event["loop"])

    def late(self, loop_id: str) -> None:
        """Its next look was due long ago."""
        self.place.table.update(Update(loop_id, LOOP, {"look_at": 1.0, "due": 1.0}))

    def finish(self) -> None:
        """Every execution that goes on, beside one another, to its end, or until all of them sleep."""
        events, self._events = self._events, []
        threads = [threading.Thread(target=self._execute, args=(event,), daemon=True) for event in events]
        self._asleep = {event["loop"]: False for event in events}
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
            assert not thread.is_alive(), "an execution goes on and on"

    def _execute(self, event: dict[str, Any]) -> None:
        """Turn by turn. One that sleeps looks again while another is awake, as if it had been knocked."""
        looked = 0
        while looked < 2:
            taken = turns.take(self.place, event["loop"], generation=event["generation"])
            if taken["over"]:
                self._asleep[event["loop"]] = True
                return
            self._asleep[event["loop"]] = float(taken["seconds"]) > SLEEPS
            looked = looked + 1 if all(self._asleep.values()) else 0
        self._events.append(event)
