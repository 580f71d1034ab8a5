"""A loop that is watched as its user watches it, and strangers who do things to its pool meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from crash_world import LOOP_ID, Story, Troubles, World, wire

from wpfsm.adapters.documents.loop import loop_document
from wpfsm.adapters.emulator.engine.settings import Settings
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.adapters.terminal.loop_text import loop_text
from wpfsm.fsm.context import Ports
from wpfsm.fsm.controller import Result
from wpfsm.fsm.failpoints import Hook
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.ports import RenderSpec, Request
from wpfsm.fsm.records import JSON, Event, Job, Loop
from wpfsm.fsm.request.rules import draft

TYPE = "ml.g5.xlarge"
POOL: Mapping[str, Any] = {"instance_type": TYPE, "keep_alive": "10m", "price_per_hour": 3.6}
JOB: Mapping[str, Any] = {"source": "src/", "entry": "train.py", "max_runtime": "30m"}
METRIC: Mapping[str, Any] = {"name": "loss", "goal": "minimize", "regex": "loss=([0-9.]+)"}
COLD, WARM = 120, 10
ROLE = "arn:aws:iam::123456789012:role/Train"


def loop_file(jobs: int = 2, **sections: Any) -> dict[str, Any]:
    """A sweep of so many jobs; a section given is laid over the one here, None takes it away."""
    whole: dict[str, Any] = {
        "pool": POOL, "job": JOB, "metric": METRIC,
        "strategy": {"type": "sweep", "method": "list", "trials": [{"lr": n} for n in range(1, jobs + 1)]},
        "on_failure": [{"when": "any", "do": "skip"}],
    }  # fmt: skip
    for name, section in sections.items():
        merge = isinstance(section, Mapping) and isinstance(whole.get(name), Mapping) and name != "strategy"
        whole[name] = {**whole[name], **section} if merge else section
    return {name: section for name, section in whole.items() if section is not None}


def succeeds(launch: Launch) -> Script:
    """A job that takes 100 s and learns; a stranger's is quicker."""
    return Script(seconds=100 if launch.name.startswith(LOOP_ID) else 5, lines=["loss=0.5"])


class FileRenderer:
    """Implements :class:`wpfsm.fsm.ports.Renderer` without the SDK: the request that the loop file describes.

    Args:
        adds: Members that a default of the SDK's configuration would add.
    """

    def __init__(self, adds: Mapping[str, JSON] | None = None) -> None:
        self.adds = dict(adds or {})
        self.rendered: list[RenderSpec] = []
        self.prepared = False

    def prepare(self) -> None:
        """Nothing to load, but that it was asked for."""
        self.prepared = True

    def render(self, spec: RenderSpec) -> Request:
        """See the class."""
        self.rendered.append(spec)
        request = dict(draft(LoopFile.model_validate(spec.loop_file)))
        for name in ("TrainingJobName", "HyperParameters", "Environment", "Tags"):
            request.pop(name)
        if "unknown" in str(request["RoleArn"]):
            request["RoleArn"] = ROLE
        return {**request, "Environment": {"WPFSM_PLAIN_HYPERPARAMETERS": "1"}, **self.adds}


@dataclass
class Told:
    """Implements :class:`wpfsm.fsm.ports.Notifier`: what was told to whoever asked to be told."""

    words: list[tuple[str, str]] = field(default_factory=list)

    def notify(self, what: str, loop: Loop, text: str) -> None:
        """Kept."""
        self.words.append((what, text))

    def of(self, what: str) -> list[str]:
        """The texts of one kind."""
        return [text for kind, text in self.words if kind == what]


class Watcher(Troubles):
    """What the user sees the controller wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []

    def waiting(self, what: str, until: float | None = None) -> None:
        """Kept."""
        self.waits.append(what)


class Watched(World):
    """See the module.

    Args:
        file: The loop file, as :func:`loop_file` makes it.
        script: What each job does.
        faults: In force from the beginning.
        settings: Of the emulator.
        ports: Ports in the place of the usual ones, by name.
    """

    def __init__(
        self,
        file: Mapping[str, Any] | None = None,
        *,
        script: Callable[[Launch], Script] = succeeds,
        faults: tuple[Any, ...] = (),
        settings: Settings | None = None,
        **ports: Any,
    ) -> None:
        self.told = Told()
        self.renderer = FileRenderer()
        self.given = ports
        super().__init__(
            Story(
                file or loop_file(), script, source={"train.py": "print()\n"}, faults=faults,
                settings=settings or Settings(cold_start=COLD, warm_start=WARM),
            )
        )  # fmt: skip
        self.progress = Watcher()
        wire().emulator = self.emulator

    @property
    def sagemaker(self) -> Any:
        """A client of the same account, in somebody else's hands."""
        wire().emulator = self.emulator
        return wire().clients.sagemaker

    def _ports(self, *arguments: Any) -> Ports:
        ports = super()._ports(*arguments)
        return replace(ports, **{"renderer": self.renderer, "notifier": self.told, **self.given})

    def run(self, at: Mapping[str, Callable[[], object]] | None = None) -> Result:
        """Drive the loop once; ``at`` maps a boundary (its first time) to what somebody does at that moment."""
        return self.drive(once(at or {}))

    def jobs(self) -> list[Job]:
        """The loop's job rows."""
        with self.history() as history:
            return list(history.jobs(LOOP_ID))

    def loop(self) -> Loop:
        """The loop row."""
        with self.history() as history:
            return history.find(LOOP_ID)

    def events(self, kind: str) -> list[Event]:
        """The history, by kind."""
        with self.history() as history:
            return [event for event in history.events(LOOP_ID) if event.kind == kind]

    def document(self) -> dict[str, Any]:
        """What ``wpfsm inspect -o json`` prints now."""
        with self.history() as history:
            return loop_document(history, history.find(LOOP_ID), self.clock.now())

    def inspect(self) -> str:
        """What ``wpfsm inspect`` prints now."""
        return loop_text(self.document())

    def losses(self) -> list[dict[str, Any]]:
        """How the pool was lost, as ``wpfsm inspect`` has it."""
        found: list[dict[str, Any]] = self.document()["pool"]["losses"]
        return found

    def release_outside(self, job: str) -> None:
        """What the console's Release cluster does."""
        self.keep_alive_outside(job, 0)

    def keep_alive_outside(self, job: str, seconds: int) -> None:
        """Somebody else changes the keep-alive of a job's pool."""
        self.sagemaker.update_training_job(
            TrainingJobName=job, ResourceConfig={"KeepAlivePeriodInSeconds": seconds}
        )

    def stranger(self, name: str, *, wait: float = 0, **changes: Any) -> None:
        """Somebody else's job, which matches no pool here; it ends soon and leaves a pool of its own."""
        resources = {
            "InstanceType": TYPE,
            "InstanceCount": 1,
            "VolumeSizeInGB": 77,
            "KeepAlivePeriodInSeconds": 3600,
        }
        self.sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=ROLE,
            AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
            OutputDataConfig={"S3OutputPath": "s3://stranger"},
            ResourceConfig=resources | changes.pop("resources", {}),
            StoppingCondition={"MaxRuntimeInSeconds": 3600},
            **changes,
        )
        self.emulator.advance(wait)

    def hurry(self) -> None:
        """Read a job of weeks only when it is about to end, as if it were read all the time."""
        plain = self.clock.pause

        def pause(seconds: float) -> None:
            ends = [self.emulator.runner.ends_at(job.key) for job in self.emulator.jobs()]
            left = min((end - self.clock.now() for end in ends if end), default=0.0)
            plain(max(seconds, left - 60))

        self.clock.pause = pause  # type: ignore[method-assign]

    @contextlib.contextmanager
    def altering(self, alter: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """Something between wpfsm and the service changes CreateTrainingJob, as a botocore plugin can."""
        events, name = (
            wire().clients.sagemaker.meta.events,
            "provide-client-params.sagemaker.CreateTrainingJob",
        )

        def handler(params: dict[str, Any], **_: object) -> None:
            alter(params)

        events.register(name, handler)
        try:
            yield
        finally:
            events.unregister(name, handler)


def once(at: Mapping[str, Callable[[], object]]) -> Hook:
    """A hook that does something at the first time of each boundary; ``after X #2`` means the second time."""
    seen: dict[str, int] = {}

    def hook(name: str) -> None:
        seen[name] = seen.get(name, 0) + 1
        key = name if seen[name] == 1 else f"{name} #{seen[name]}"
        if key in at:
            at[key]()

    return hook
