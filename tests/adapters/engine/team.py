"""A team's table, deployed by the verb into the account of one test at a real HTTP endpoint.

The endpoint keeps the functions of the stack and does not run them, so turns are taken by ``wpfsm turn``, as by a
person whose engine is down.
"""

from __future__ import annotations

import json
import time
import types
from pathlib import Path
from typing import Any

import pytest
from cli_bench import OK, Bench
from cli_in_process import Ran, wpfsm

from wpfsm.adapters.aws.targets import place_of
from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator
from wpfsm.adapters.engine import bundle, turns
from wpfsm.adapters.engine.place import Place, connect
from wpfsm.state.shared.items import LOOP
from wpfsm.state.shared.loops import request_stop
from wpfsm.state.shared.table import Update

ROLE = "arn:aws:iam::123456789012:role/Train"
TABLE = "wpfsm"
GOES_ON = 11
"""The exit code of what ends before its loop does."""


class Team:
    """A deployed table, and the commands of its users.

    Args:
        folder: Where they are.
        emulator: The account.
        monkeypatch: Sets the environment.
    """

    def __init__(self, folder: Path, emulator: SageMakerEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.emulator = emulator
        self._patch = monkeypatch
        # What pip would fetch for the function's platform is of no use where nothing runs it.
        self.packages = {"package.py": "x = 1\n"}
        monkeypatch.setattr(bundle, "_install", self._install)
        monkeypatch.setenv("WPFSM_DB", f"dynamodb://{emulator.region}/{TABLE}")
        monkeypatch.setenv("WPFSM_NAP", "5")
        self.move_to(folder / "home")

    def _install(self, folder: Path) -> None:
        for name, text in self.packages.items():
            (folder / name).write_text(text)

    def move_to(self, home: Path) -> None:
        """Go on at another machine, which has copied nothing yet."""
        self._patch.setenv("XDG_STATE_HOME", str(home))

    def run(self, *words: str | Path, code: int = 0) -> Ran:
        """A command that ends with this exit code."""
        ran = wpfsm(*map(str, words))
        assert ran.code == code, ran.out + ran.err
        return ran

    def deploy(self, *words: str) -> Ran:
        """Deploy the stack."""
        return self.run("deploy", "--training-role", ROLE, *words)

    def loop(self, name: str, script: str = OK, *, more: str = "") -> Path:
        """A loop file whose jobs run one line of Python."""
        return Bench(self.folder).loop(name, script, more=more)

    def start(self, file: Path, *words: str) -> str:
        """Start a loop, which nobody drives yet, and return its id."""
        return str(self.run("start", file, *words, "-o", "json", code=GOES_ON).document["loop"]["id"])

    def turns(self, loop_id: str) -> int:
        """Take turns until the loop ends or waits for somebody; returns its exit code."""
        for _ in range(50):
            ran = wpfsm("turn", loop_id, "-o", "json")
            if ran.code != GOES_ON:
                return ran.code
        raise AssertionError(f"it goes on and on: {ran.out}")

    def document(self, loop_id: str) -> dict[str, Any]:
        """What ``inspect`` shows."""
        return self.run("inspect", loop_id, "-o", "json").document

    def client(self, service: str) -> Any:
        """A client of the test's account."""
        session: Any = self.emulator.session
        return session.client(service, endpoint_url=self.emulator.url)

    def place(self) -> Place:
        """The table, as a verb opens it."""
        return connect(f"dynamodb://{self.emulator.region}/{TABLE}", self.emulator.url)

    def take_turns_at_once(self, *, stop: bool = False) -> list[int]:
        """Let an execution take its turns in this process, before whoever begins it goes on.

        Args:
            stop: Each loop is asked to stop before its first turn.

        Returns:
            The generations that will have begun.
        """
        begun: list[int] = []

        def invoke(**asked: Any) -> None:
            event = json.loads(asked["Payload"])
            place = self.place()
            begun.append(event["generation"])
            if stop:
                request_stop(place.table, event["loop"], time.time())
            for _ in range(50):
                if turns.take(place, event["loop"], generation=event["generation"])["over"]:
                    return
            raise AssertionError(f"{event['loop']} goes on and on")

        functions = types.SimpleNamespace(
            invoke=invoke, send_durable_execution_callback_success=lambda **_: None
        )
        self._patch.setattr(Place, "functions", functions)
        place_of.cache_clear()
        return begun

    def look_driven(self, loop_id: str) -> None:
        """Let the loop's next look be due in a minute, as when its engine sleeps."""
        due = time.time() + 60
        self.place().table.update(Update(loop_id, LOOP, {"look_at": due, "due": due}))
