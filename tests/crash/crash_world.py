"""One loop, the real controller, the real boto3 adapter, and a service whose records can be read afterwards.

The emulator answers in this process, its clock is the controller's clock, and a pause lets time pass. The
database is a real SQLite file; only its waiting for the disk is switched off, because these tests kill the
controller at its boundaries and not the machine.
"""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from wpfsm.adapters.aws.clients import Clients, Target
from wpfsm.adapters.aws.logs import CloudWatchLogs
from wpfsm.adapters.aws.permissions import PolicySimulation
from wpfsm.adapters.aws.prices import PriceList
from wpfsm.adapters.aws.quotas import ServiceQuotas
from wpfsm.adapters.aws.service import SageMakerTraining
from wpfsm.adapters.emulator.engine.clock import ManualClock
from wpfsm.adapters.emulator.engine.settings import Settings
from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.runner.base import JSONValue, Launch
from wpfsm.adapters.emulator.scripted import Script, ScriptedRunner
from wpfsm.adapters.emulator.wsgi_transport import client_session
from wpfsm.adapters.engine.bootstrap import Controller
from wpfsm.adapters.host.log_archive import FileArchive
from wpfsm.adapters.host.sources import LocalSources
from wpfsm.adapters.watchers.base import NullProgress
from wpfsm.adapters.watchers.notify import NullNotifier
from wpfsm.fsm import controller
from wpfsm.fsm.context import Context, Ports
from wpfsm.fsm.controller import Result
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.failpoints import Failpoints, Hook
from wpfsm.fsm.gateway import PollPolicy
from wpfsm.fsm.loopfile.load import load
from wpfsm.fsm.loopfile.model import with_keep_alive
from wpfsm.fsm.ports import RenderSpec, Request
from wpfsm.fsm.records import JSON, Loop, Outcome, Owner, Proposal, State
from wpfsm.fsm.resume import take_up_changes
from wpfsm.state import store
from wpfsm.state.database import create_or_open, open_existing
from wpfsm.state.history import History
from wpfsm.state.leases import acquire
from wpfsm.state.paths import siblings
from wpfsm.state.pool_leases import LocalPoolLeases

LOOP_ID = "story"
SHARED_MEMORY = Path("/dev/shm")
PACE = PollPolicy(least=10, most=30, grace=20, quiet=30, release=900, outage=300, backoff=2, log=10)
"""As on AWS, with shorter patience: the clock is the emulator's, so waiting costs nothing but reads."""


class Crash(BaseException):
    """The controller dies here. Not an ``Exception``: nothing may catch it and go on."""


class SharedClock(ManualClock):
    """The emulator's clock and the controller's: a pause lets time pass for both."""

    def pause(self, seconds: float) -> None:
        """See :class:`wpfsm.fsm.ports.Clock`."""
        self.advance(seconds)

    def sleep(self, seconds: float) -> None:
        """The same."""
        self.pause(seconds)


@dataclass
class Asked:
    """Implements :class:`wpfsm.fsm.ports.StopRequest`."""

    reason: Literal["", "interrupted", "terminated"] = ""


class Troubles(NullProgress):
    """Watches for what should not have happened in an activity."""

    def __init__(self) -> None:
        self.troubles: list[Exception] = []

    def trouble(self, error: Exception) -> None:
        """Kept."""
        self.troubles.append(error)


@dataclass
class Editor:
    """Implements :class:`wpfsm.fsm.ports.PatchCommand`: a program that appends to the training script."""

    line: str = "# looked at by a program\n"

    def run(self, command: Iterable[str], packet: Mapping[str, JSON], folder: str, seconds: float) -> int:
        """Edit the copy."""
        script = Path(folder, "train.py")
        script.write_text(script.read_text() + self.line)
        return 0


class StubRenderer:
    """Implements :class:`wpfsm.fsm.ports.Renderer` without the SDK: the source travels in the environment."""

    def prepare(self) -> None:
        """Nothing to load."""

    def render(self, spec: RenderSpec) -> Request:
        """A request that shows the source to the scripted job."""
        sources = {
            name.partition(".")[0].upper(): text
            for name in ("train.py", "requirements.txt")
            if (text := _text(Path(spec.source_path, name)))
        }
        return {
            "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
            "RoleArn": "arn:aws:iam::123456789012:role/Train",
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
            "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
            "Environment": {**sources, "ENTRY": spec.entry, "WPFSM_PLAIN_HYPERPARAMETERS": "1"},
        }


def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""


class Wire:
    """The one WSGI application behind the clients, which take long to make; the emulator behind it changes."""

    def __init__(self) -> None:
        self.emulator: Emulator | None = None
        session = client_session(self, "us-east-1")
        self.clients = Clients(Target("us-east-1", "http://127.0.0.1:9", local=True), session)
        self.pricing = functools.cache(self.clients.pricing)
        self.spoil: Callable[[JSONValue], JSONValue] | None = None

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer as the emulator does; ``spoil`` changes the answers that are no errors."""
        assert self.emulator is not None
        if self.spoil is None:
            return self.emulator.app(environ, start_response)
        head: list[Any] = []
        keep: Any = lambda *given: head.extend(given)  # noqa: E731 - it has the protocol's loose type
        body = b"".join(self.emulator.app(environ, keep))
        if head[0].startswith("200") and body.startswith(b"{"):
            body = json.dumps(self.spoil(json.loads(body))).encode()
            headers = {**dict(head[1]), "Content-Length": str(len(body))}
            headers.pop("x-amz-crc32", None)
            head[1] = list(headers.items())
        start_response(*head[:2])
        return [body]


@functools.cache
def wire() -> Wire:
    """The clients of this process."""
    return Wire()


@functools.cache
def empty_database() -> bytes:
    """A database as ``wpfsm start`` makes it, without a loop."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "wpfsm.db")
        create_or_open(path).close()
        return path.read_bytes()


@dataclass(frozen=True)
class Story:
    """A loop, what its jobs do, and what befalls them.

    Attributes:
        loop_file: The loop file without ``version`` and ``name``.
        script: What a job does, from its request.
        source: The source folder at the start.
        edits: What each hand-off is answered with: a file of the user's and its new text.
        proposals: What is proposed, one at each hand-off that asks; a source is the text of the script.
        faults: In force from the beginning.
        settings: Of the emulator.
    """

    loop_file: Mapping[str, Any]
    script: Callable[[Launch], Script]
    source: Mapping[str, str] = field(default_factory=dict)
    edits: tuple[tuple[str, str], ...] = ()
    proposals: tuple[Proposal, ...] = ()
    faults: tuple[JSONValue, ...] = ()
    settings: Settings = field(default_factory=lambda: Settings(cold_start=8, warm_start=2))


class World:
    """A service, a database, and the loop of a story."""

    def __init__(self, story: Story) -> None:
        self.story = story
        shared = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
        self.folder = Path(tempfile.mkdtemp(prefix="wpfsm-crash-", dir=shared))
        self.database = self.folder / "wpfsm.db"
        self.clock = SharedClock()
        self.emulator = Emulator(story.settings, runner=ScriptedRunner(story.script), clock=self.clock,
                                 fallback=_nobody)  # fmt: skip
        if story.faults:
            self.emulator.inject(*story.faults)
        self.asked = Asked()
        self.progress = Troubles()
        self.edits = list(story.edits)
        self._begin()
        self._reader = open_existing(self.database)

    def _begin(self) -> None:
        self.database.write_bytes(empty_database())
        (self.folder / "src").mkdir()
        for name, text in self.story.source.items():
            place = self.folder / "src" / name
            place.parent.mkdir(exist_ok=True)
            place.write_text(text)
        path = self.folder / "loop.yaml"
        path.write_text(loop_text(self.story.loop_file))
        file = with_keep_alive(load(path), 600)
        digest = self.sources().snapshot("src")
        loop = Loop(
            id=LOOP_ID, name=LOOP_ID, state=State.PREFLIGHT, backend="local", region="us-east-1",
            created_at=self.clock.now(), updated_at=self.clock.now(), loop_file=file.dump(),
            loop_path=str(path), source_digest=digest,
        )  # fmt: skip
        lanes = [
            replace(loop, id=lane_id(lane), lane=lane, lane_of=LOOP_ID if lane > 1 else "")
            for lane in range(1, file.lanes + 1)
        ]
        first, *siblings = lanes if file.lanes > 1 else [loop]
        self._create(first, siblings)

    def _create(self, first: Loop, siblings: list[Loop]) -> None:
        with contextlib.closing(self.connect()) as connection:
            store.create_loop(connection, self.database, first, "from a story", siblings=siblings)

    def connect(self) -> Any:
        """A connection that does not wait for the disk."""
        connection = open_existing(self.database, write=True)
        connection.execute("pragma synchronous = off")
        connection.execute("pragma journal_mode = memory")
        connection.execute("pragma busy_timeout = 0")
        return connection

    def sources(self) -> LocalSources:
        """The loop's snapshots."""
        return LocalSources(siblings(self.database, "sources"), self.folder)

    def controller(self, hook: Hook | None = None, *, host: str = "here", clock: Any = None,
                   forget_stop: bool = False, lane: int = 1) -> Controller:  # fmt: skip
        """A new controller, which takes the loop over.

        Args:
            hook: Hears of every boundary.
            host: Where it is: kernel locks are of one host, the database is shared.
            clock: Its own, when it is not the emulator's.
            forget_stop: It is a person's ``wpfsm resume``.
            lane: Which one, of a group.

        Raises:
            Held: Another one of this host lives.
        """
        failpoints, clock = Failpoints(hook), clock or self.clock
        locks = siblings(self.database, f"locks-of-{host}")
        with contextlib.ExitStack() as cleanup:
            mine = lane_id(lane)
            lease = acquire(locks, f"loop-{mine}", what=f"loop {mine}", holder=mine)
            cleanup.callback(lease.release)
            connection = cleanup.enter_context(contextlib.closing(self.connect()))
            owner = Owner(host, 1, clock.now(), clock.now())
            with failpoints.around("commit taken_over"):
                epoch = store.take_over(connection, self.database, mine, owner, forget_stop=forget_stop)
            rows = store.LoopStore(connection, self.database, mine, epoch)
            pools = LocalPoolLeases(locks)
            return Controller(self._ports(rows, clock, pools, failpoints), lease, pools, cleanup.pop_all())
        raise AssertionError("unreachable")

    def _ports(
        self, rows: store.LoopStore, clock: Any, pools: LocalPoolLeases, failpoints: Failpoints
    ) -> Ports:
        wire().emulator = self.emulator
        clients = wire().clients
        return Ports(
            store=rows,
            service=SageMakerTraining(clients),
            logs=CloudWatchLogs(clients),
            archive=FileArchive(siblings(self.database, "logs")),
            quotas=ServiceQuotas(clients.quotas),
            prices=PriceList(wire().pricing("us-east-1")),
            permissions=PolicySimulation(clients),
            renderer=StubRenderer(),
            sources=self.sources(),
            leases=pools,
            notifier=NullNotifier(),
            command=Editor(),
            clock=clock,
            stop=self.asked,
            progress=self.progress,
            pace=PACE,
            failpoints=failpoints,
        )

    def drive(self, hook: Hook | None = None) -> Result:
        """One process: take over, take up an edit, drive; ends where the controller ends."""
        owned = self.controller(hook, forget_stop=True)
        try:
            self.take_up(owned)
            return controller.drive(owned.ports)
        finally:
            owned.close()

    def abandon(self) -> Result:
        """What ``wpfsm resume --abandon`` does."""
        with contextlib.closing(self.controller()) as owned:
            controller.abandon(owned.ports, Outcome.ABANDONED, "abandoned")
            return controller.drive(owned.ports)

    def take_up(self, owned: Controller) -> None:
        """What ``wpfsm resume --accept-changes`` does first."""
        take_up_changes(Context(owned.ports), accept=True)

    def edit(self) -> None:
        """Answer a hand-off in the user's own files. The edit stays, whatever becomes of the controller."""
        name, text = self.edits.pop(0)
        (self.folder / name).write_text(text)

    def answer(self, hook: Hook | None = None) -> None:
        """Do what the open hand-off asks for, if somebody else has not: an edit, or the next proposal of the story."""
        with self.history() as history:
            waiting = history.find(LOOP_ID).handoff
            made = len(history.proposals(LOOP_ID))
        if waiting is not None and waiting.kind == "ask":
            self.propose(self.story.proposals[made], hook)
        elif waiting is not None:
            self.edit()

    def propose(self, proposal: Proposal, hook: Hook | None = None) -> Proposal:
        """What ``wpfsm next`` does before it follows: keep the source, then write the row."""
        digest = proposal.source_digest
        if digest:
            folder = self.folder / "proposed"
            shutil.copytree(self.folder / "src", folder, dirs_exist_ok=True)
            (folder / "train.py").write_text(digest)
            digest = self.sources().snapshot("proposed")
        row = replace(proposal, source_digest=digest, at=self.clock.now())
        with contextlib.closing(self.connect()) as connection:
            return store.propose(connection, self.database, row, Failpoints(hook))

    def finish(self, hook: Hook | None = None, *, resumes: int = 10) -> Result:
        """Resume, and edit at each hand-off, until the loop is Closed or the release is not confirmed."""
        for _ in range(resumes):
            try:
                result = self.drive(hook)
            except Refused:
                self.answer(hook)  # the hand-off is open, and nobody has answered it yet
                continue
            if result.exit_code != controller.HANDED_OFF:
                return result
            self.answer(hook)
        raise AssertionError(f"not Closed after {resumes} resumes")

    @contextlib.contextmanager
    def history(self) -> Iterator[History]:
        """Read the database as ``wpfsm inspect`` does."""
        yield History(self._reader)

    def epoch(self, lane: int = 1) -> int:
        """The epoch of the present owner of the loop, or of a lane."""
        return int(
            self._reader.execute("select epoch from loops where id = ?", (lane_id(lane),)).fetchone()[0]
        )

    def reopen(self) -> None:
        """After the database was replaced."""
        self._reader.close()
        self._reader = open_existing(self.database, write=True)

    def heal(self) -> None:
        """No more faults."""
        self.emulator.app.faults.clear()

    def close(self) -> None:
        """Forget everything."""
        self._reader.close()
        self.emulator.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def lane_id(lane: int) -> str:
    """The id of a lane's row: the first one has the group's."""
    return LOOP_ID if lane <= 1 else f"{LOOP_ID}-l{lane}"


def loop_text(settings: Mapping[str, Any]) -> str:
    """A loop file; JSON is YAML too."""
    return json.dumps({"version": 1, "name": LOOP_ID, **settings})


def _nobody(environ: Any, start_response: Any) -> Iterable[bytes]:
    """In the place of moto: nothing in these loops may need it."""
    start_response("400 Bad Request", [("Content-Type", "text/plain")])
    return [b"not emulated here"]
