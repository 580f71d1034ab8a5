"""A stage for the tests of the emulator: clients that are made once, before emulators that come and go."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from wpfsm.adapters.emulator.engine.settings import Settings
from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.scripted import Script, ScriptedRunner
from wpfsm.adapters.emulator.wsgi_transport import client_session

MINUTE = Script(seconds=60, lines=["step 1", "step 2"])


class Stage:
    """An emulator that a test can change, behind clients that stay."""

    def __init__(self) -> None:
        self.emulator: Emulator | None = None
        self._sessions = functools.cache(functools.partial(client_session, self))
        self.client = functools.cache(self._client)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        assert self.emulator is not None
        return self.emulator.app(environ, start_response)

    def _client(self, service: str, region: str = "us-east-1", account: str = "123456789012") -> Any:
        return self._sessions(region, account).client(service)

    def show(
        self, settings: Settings | None = None, script: Callable[[Any], Script] | None = None, **more: Any
    ) -> Emulator:
        """Replace the emulator by a new one; its jobs run for a minute unless a script says otherwise."""
        if self.emulator is not None:
            self.emulator.close()
        runner = ScriptedRunner(script or (lambda _: MINUTE))
        self.emulator = Emulator(settings, runner=runner, **more)
        return self.emulator
