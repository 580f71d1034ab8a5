"""An emulator inside the process that uses it: no socket, no thread, exact time.

emulator = Emulator(runner=ScriptedRunner(lambda launch: Script(seconds=120, lines=["eval_loss=0.4"])))
sagemaker = emulator.session().client("sagemaker")
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from wpfsm.adapters.emulator.api.app import App
from wpfsm.adapters.emulator.api.call_log import CallRecord
from wpfsm.adapters.emulator.engine.clock import Clock, ManualClock
from wpfsm.adapters.emulator.engine.engine import Engine
from wpfsm.adapters.emulator.engine.faults import parse_rules
from wpfsm.adapters.emulator.engine.records import Job, Pool
from wpfsm.adapters.emulator.engine.settings import ACCOUNT, Settings
from wpfsm.adapters.emulator.engine.store import Store
from wpfsm.adapters.emulator.runner.base import JSONValue
from wpfsm.adapters.emulator.s3.moto import Moto
from wpfsm.adapters.emulator.scripted import ScriptedRunner
from wpfsm.adapters.emulator.wsgi_transport import attach, client_session

if TYPE_CHECKING:
    import boto3
    from _typeshed.wsgi import WSGIApplication


class Emulator:
    """An emulator as an object.

    Args:
        settings: See Settings.
        runner: Follows its scripts; a default one succeeds in a second.
        clock: Stands still until advanced unless another is given.
        state: A directory that remembers jobs and pools; in memory when None.
        fallback: Answers what the emulator does not; moto when None.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        runner: ScriptedRunner | None = None,
        clock: Clock | None = None,
        state: Path | None = None,
        fallback: WSGIApplication | None = None,
    ) -> None:
        self.clock = clock or ManualClock()
        self.runner = runner or ScriptedRunner()
        if state is not None:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.engine = Engine(
            store=Store(state / "emulator.db" if state else None),
            settings=settings or Settings(),
            clock=self.clock,
            runner=self.runner.attach,
            root=state,
        )
        self.app = App(self.engine, fallback or Moto())

    def attach(self, session: boto3.Session) -> None:
        """Answer every AWS request of a session's clients from here."""
        attach(session, self.app)

    def session(self, region: str = "us-east-1", account: str = ACCOUNT) -> boto3.Session:
        """Return a session with made-up credentials whose every request is answered here."""
        return client_session(self.app, region, account)

    def advance(self, seconds: float) -> None:
        """Let time pass, with everything that happens in it."""
        self.clock.advance(seconds)
        with self.engine.transaction():
            pass

    def inject(self, *faults: JSONValue) -> list[int]:
        """Put faults in force; see ``faults.py`` for what they look like."""
        return self.app.faults.add([rule for fault in faults for rule in parse_rules(fault)])

    def jobs(self) -> Sequence[Job]:
        """Return every job on record, oldest first."""
        with self.engine.transaction():
            return list(self.engine.store.all_jobs())

    def pools(self) -> Sequence[Pool]:
        """Return every pool that ever was, with its history, oldest first."""
        with self.engine.transaction():
            return self.engine.store.all_pools()

    def calls(self) -> Sequence[CallRecord]:
        """Return every call, oldest first."""
        return self.app.calls.all()

    def created(self) -> Sequence[str]:
        """Return the job name of every CreateTrainingJob that was accepted, in order, answered or not."""
        return [
            call.job
            for call in self.calls()
            if call.operation == "CreateTrainingJob" and call.outcome in {"ok", "cut-after-write"}
        ]

    def close(self) -> None:
        """Let go of everything."""
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
