"""The loop file: what a loop is, as its user writes it.

Typed by pydantic, so that one definition gives the validation, the defaults, the JSON Schema and the
reference in the docs. :mod:`wpfsm.fsm.loopfile.load` reads it from YAML and turns errors into lines and fixes.

The bounds are those of the service model (CreateTrainingJob in botocore) and of the developer guide
(train-warm-pools), stated where they are used.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from wpfsm.fsm.errors import did_you_mean
from wpfsm.fsm.failures.model import Family
from wpfsm.fsm.failures.taxonomy import CLASSES
from wpfsm.fsm.patches import PATCHES
from wpfsm.fsm.pool import keep_alive
from wpfsm.fsm.records import JSON, Price, Value
from wpfsm.fsm.strategies.ask import AskConfig
from wpfsm.fsm.strategies.duration import Duration
from wpfsm.fsm.strategies.early_stopping import EarlyStopConfig
from wpfsm.fsm.strategies.expression import check_regex
from wpfsm.fsm.strategies.fix import FixConfig
from wpfsm.fsm.strategies.recipes import RecipesConfig
from wpfsm.fsm.strategies.registry import Strategies, StrategyConfig, phases_of
from wpfsm.fsm.strategies.single import SingleConfig
from wpfsm.fsm.strategies.sweep import SweepConfig
from wpfsm.fsm.strategies.until import UntilConfig
from wpfsm.fsm.units import short_duration

MAX_RUNTIME = 28 * 86400
"""Seconds. The longest MaxRuntimeInSeconds (StoppingCondition in the service model)."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=33)]


class Section(BaseModel):
    """A mapping of the loop file: unknown keys are errors, values do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Vpc(Section):
    """Where the instances attach to a network."""

    security_groups: list[str] = Field(min_length=1, max_length=5, description="1 to 5 security group ids.")
    subnets: list[str] = Field(min_length=1, max_length=16, description="1 to 16 subnet ids.")


class Pool(Section):
    """What every job of the loop must share, or the warm pool does not match. Locked from job 1 on."""

    instance_type: Annotated[str, StringConstraints(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")] = Field(
        description="One instance type, such as ml.g6e.2xlarge."
    )
    role: str | None = Field(
        default=None,
        min_length=20,
        max_length=2048,
        pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$",
        description="ARN of the jobs' execution role, such as arn:aws:iam::123456789012:role/Train. "
        "Required for `backend: aws`.",
    )
    instance_count: int = Field(default=1, ge=1, description="Instances of each job.")
    volume_gb: int = Field(
        default=30, ge=1, description="Volume of each instance; part of the match even on NVMe types."
    )
    kms_key: str | None = Field(default=None, max_length=2048, description="KMS key of the volumes.")
    vpc: Vpc | None = Field(default=None, description="Security groups and subnets.")
    encrypt_traffic: bool = Field(default=False, description="Encrypt traffic between the instances.")
    network_isolation: bool = Field(default=False, description="No network inside the container.")
    session_tag_keys: list[str] = Field(
        default_factory=list, description="Session tag keys, with EnableSessionTagChaining."
    )
    keep_alive: Duration | None = Field(
        default=None,
        description="How long an idle pool stays; not part of the match. 10m when a program drives the loop, "
        "30m when a person does. At most 60m.",
    )
    allow_long_keep_alive: bool = Field(
        default=False,
        description="Accept up to 6h: the API model allows it, the developer guide does not.",
    )
    price_per_hour: float | None = Field(
        default=None, gt=0, description="USD an hour for one instance; wins over the price list."
    )

    @model_validator(mode="after")
    def _keep_alive_bounds(self) -> Self:
        if self.keep_alive and self.keep_alive < 1:
            raise ValueError(
                f"keep_alive: {short_duration(self.keep_alive)} is less than a second; write 0 for no pool"
            )
        if self.keep_alive is None or self.keep_alive <= keep_alive.CAP:
            return self
        if self.keep_alive > keep_alive.ABSOLUTE_CAP:
            raise ValueError(
                f"keep_alive: {short_duration(self.keep_alive)} is beyond the service's 6h; write 60m or less"
            )
        if not self.allow_long_keep_alive:
            raise ValueError(
                f"keep_alive: {short_duration(self.keep_alive)} is beyond the documented 60m; write 60m or less "
                "(or set allow_long_keep_alive: true to try)"
            )
        return self


class JobSpec(Section):
    """What may change from job to job."""

    image: str | None = Field(default=None, max_length=255, description="Training image URI.")
    source: str | None = Field(default=None, description="Folder with the code, relative to the loop file.")
    entry: str | None = Field(default=None, description="Script inside `source`.")
    requirements: str | None = Field(default=None, description="Requirements file inside `source`.")
    python: str | None = Field(
        default=None,
        pattern=r"^3\.\d{1,2}$",
        description="Python of the image, such as 3.11, where its tag does not say; for the checks of the source.",
    )
    install: Literal["cached", "plain"] | None = Field(
        default=None,
        description="`cached`: the packages of `requirements` are installed once for each pool and reused by its next "
        "jobs; `plain`: every job installs them. Default: cached where a pool is kept.",
    )
    request: str | None = Field(
        default=None, description="A CreateTrainingJob request as JSON, instead of source and entry."
    )
    inputs: dict[str, str] = Field(
        default_factory=dict,
        max_length=20,
        description="Channel name to S3 URI; with `backend: local` also to a folder, relative to the loop file.",
    )
    output: str | None = Field(default=None, pattern=r"^s3://.+", description="S3 URI for artifacts.")
    environment: dict[str, str] = Field(default_factory=dict, max_length=100, description="Variables.")
    hyperparameters: dict[str, Value] = Field(
        default_factory=dict, max_length=100, description="Passed to the script as --name value."
    )
    tags: dict[str, str] = Field(default_factory=dict, max_length=40, description="Resource tags.")
    max_runtime: Duration = Field(
        default=3600.0, gt=0, le=MAX_RUNTIME, description="MaxRuntimeInSeconds: bounds what a lost job costs."
    )
    silence: Duration | None = Field(
        default=None, gt=0, description="Stop a job that prints nothing for this long. Off by default."
    )

    @field_validator("inputs")
    @classmethod
    def _channel_names(cls, inputs: dict[str, str]) -> dict[str, str]:
        for name in inputs:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise ValueError(
                    f"{name}: the SDK's driver exports a channel's name as SM_CHANNEL_{name.upper()}; "
                    "use letters, digits and _ only"
                )
        return inputs

    @field_validator("hyperparameters")
    @classmethod
    def _hyperparameters(cls, values: dict[str, Value]) -> dict[str, Value]:
        check_hyperparameters(values)
        return values

    @field_validator("environment")
    @classmethod
    def _environment(cls, values: dict[str, str]) -> dict[str, str]:
        for name, value in values.items():
            if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]{0,511}", name):
                raise ValueError(f"{name!r} is not a variable name; use letters, digits and _")
            if len(value) > 512:
                raise ValueError(f"{name} has {len(value)} characters; the service takes 512")
        return values

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.request and (self.source or self.entry):
            raise ValueError("request: stands instead of source and entry; give one or the other")
        if not self.request and not (self.source and self.entry):
            raise ValueError("give source and entry (a folder and a script), or request (a JSON file)")
        return self


def check_hyperparameters(values: Mapping[str, Value]) -> None:
    """Refuse what the service or the SDK's driver would break on.

    Raises:
        ValueError: A name beyond 256 characters, a value beyond 2500, or a single quote (the driver
            writes ``export NAME='value'`` unescaped, so a quote ends the job or runs code).
    """
    for name, value in values.items():
        if len(name) > 256:
            raise ValueError(f"{name[:40]!r}... is longer than 256 characters")
        if len(str(value)) > 2500:
            raise ValueError(f"{name}: is longer than 2500 characters")
        if "'" in str(value) or "'" in name:
            raise ValueError(
                f"{name}: a single quote breaks the SDK's driver; put the text in a file of "
                "`source` or in `environment`"
            )


class MetricSpec(Section):
    """The number that the loop is about."""

    name: str = Field(min_length=1, max_length=255, description="Name, as shown and as in `target`.")
    goal: Literal["minimize", "maximize"] = Field(default="minimize", description="Which way is better.")
    regex: str = Field(description="One group that captures the number in a line of the log.")

    @field_validator("regex")
    @classmethod
    def _compiles(cls, regex: str) -> str:
        check_regex(regex)
        return regex


class MetricDefinition(Section):
    """A number that is kept and drawn beside the goal, and decides nothing."""

    name: str = Field(min_length=1, max_length=255, description="Name, as shown.")
    regex: str = Field(description="One group that captures the number in a line of the log.")

    @field_validator("regex")
    @classmethod
    def _compiles(cls, regex: str) -> str:
        check_regex(regex)
        return regex


MOST_METRICS = 40
"""Metric definitions of a job (API reference, AlgorithmSpecification)."""


class Limits(Section):
    """Admission control: a job is refused when its worst case would pass one of these."""

    max_jobs: int | None = Field(default=None, ge=1, description="Jobs in all, retries included.")
    max_cost: float | None = Field(default=None, gt=0, description="USD, idle pool included.")
    max_wall: Duration | None = Field(default=None, gt=0, description="From start to the last release.")
    max_failures: int | None = Field(
        default=None, ge=1, description="Failed jobs in all, those that a patch of wpfsm mended left out."
    )
    on_limit: Literal["release", "ask"] = Field(
        default="release",
        description="When the next job would pass a limit: `release` the pool and end, or `ask`: a hand-off in which "
        "the pool is held for a bounded time and the limit can be raised. What would pass it before the first job is "
        "refused in Preflight either way, where nothing is paid yet.",
    )


ACTIONS = (*PATCHES, "skip", "handoff", "release", "command")


class Checks(Section):
    """What is read in the source before anything is paid."""

    strict: bool = Field(default=False, description="Refuse the loop where a check of the source would warn.")
    ignore: list[Literal["imports", "requirements", "hyperparameters", "checkpoint", "metric"]] = Field(
        default_factory=list, description="Checks of the source that are left out."
    )


class FailureRule(Section):
    """What to do about a failure. The first row that matches and is not used up applies."""

    when: str | list[str] = Field(description="A failure class, a family, or any; or several of them.")
    do: str = Field(default="", description=f"One of {', '.join(ACTIONS)}; left out with `command`.")
    times: int | None = Field(default=None, ge=1, description="How often this row may apply.")
    set: dict[str, Value] = Field(
        default_factory=dict, description="Hyperparameter changes: a value, or x0.5, +1, -1."
    )
    allow: list[str] | Literal["any"] | None = Field(
        default=None,
        description="Distributions that `pin_requirement` may add though they are not well known, or any.",
    )
    hold: Duration | None = Field(
        default=None, gt=0, description="How long a hand-off keeps the pool: 60m at most, as its keep-alive."
    )
    command: list[str] | None = Field(
        default=None, min_length=1, description="A program that reads the packet and may edit the source."
    )

    @field_validator("when")
    @classmethod
    def _known_class(cls, when: str | list[str]) -> str | list[str]:
        known = ["any", *CLASSES, *(str(family) for family in Family)]
        for name in [when] if isinstance(when, str) else when:
            if name not in known:
                hint = did_you_mean(name, known, f"known are {', '.join(sorted(set(known)))}")
                raise ValueError(f"{name!r} is not a failure class or family; {hint}")
        return when

    @field_validator("do")
    @classmethod
    def _known_action(cls, do: str) -> str:
        if do and do not in ACTIONS:
            hint = did_you_mean(do, ACTIONS, f"known are {', '.join(ACTIONS)}")
            raise ValueError(f"{do!r} is not an action; {hint}")
        return do

    @field_validator("set")
    @classmethod
    def _set(cls, values: dict[str, Value]) -> dict[str, Value]:
        check_hyperparameters(values)
        return values

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        if self.command and self.do not in ("", "command"):
            raise ValueError(f"command: goes with do: command, not with do: {self.do}")
        if self.allow is not None and self.do != "pin_requirement":
            raise ValueError(f"allow: goes with do: pin_requirement, not with do: {self.do or 'command'}")
        if not self.do and not self.command:
            raise ValueError(f"do: is missing; write one of {', '.join(ACTIONS)}")
        return self

    @property
    def action(self) -> str:
        """The action's name."""
        return self.do or "command"


class Forecast(Section):
    """Assumptions that `plan` uses until the loop's own history replaces them."""

    cold_start: Duration = Field(default=300.0, description="From submission to training, on new instances.")
    warm_start: Duration = Field(default=0.0, description="The same, on a warm pool.")
    train: Duration = Field(default=120.0, description="Training, for each job.")
    gap: Duration = Field(
        default=10.0,
        description="From the end of a job to the next submission: wpfsm's own; for `ask` say how long whoever proposes takes.",
    )
    bill_provisioning: bool = Field(default=False, description="Whether starting up is billed.")


NotifyEvent = Literal["closed", "handoff", "pool_lost", "unconfirmed"]


class Notify(Section):
    """Who is told when the loop closes, waits for a hand-off, loses its pool or cannot confirm the release."""

    command: list[str] | None = Field(
        default=None,
        min_length=1,
        description="A program that gets the event as JSON on stdin, in the loop file's folder; 10s at most.",
    )
    urls: list[str] = Field(
        default_factory=list,
        max_length=20,
        description="http(s): the event is POSTed as JSON. Any other address is one of Apprise's.",
    )
    on: list[NotifyEvent] = Field(
        default=["closed", "handoff", "pool_lost", "unconfirmed"], description="Which events are told."
    )

    @field_validator("urls")
    @classmethod
    def _addresses(cls, urls: list[str]) -> list[str]:
        for url in urls:
            if not re.fullmatch(r"[a-z][a-z0-9+.-]*://\S+", url, re.IGNORECASE):
                raise ValueError(
                    f"{url.partition('?')[0]!r} is not an address; write https://HOST/PATH or one of Apprise's"
                )
        return urls


MOST_LANES = 32
"""A bound against slips of the pen: each lane holds instances."""


class Track(Section):
    """Where each trial is logged as a run, beside wpfsm's own history."""

    mlflow: str | None = Field(
        default=None,
        min_length=1,
        description="A tracking URI of MLflow (https://HOST, sqlite:///FILE), or the ARN of SageMaker's MLflow: "
        "then each job gets it as MlflowConfig too.",
    )
    experiment: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description="Name of the experiment; the loop's name without it.",
    )

    @field_validator("mlflow")
    @classmethod
    def _place(cls, mlflow: str | None) -> str | None:
        if mlflow and mlflow.startswith("arn:") and not re.fullmatch(MLFLOW_ARN, mlflow):
            raise ValueError(
                f"{mlflow[:80]!r} is not the ARN of an MLflow of SageMaker; write arn:aws:sagemaker:REGION:ACCOUNT:"
                "mlflow-tracking-server/NAME"
            )
        return mlflow

    @property
    def by_service(self) -> bool:
        """Whether the service knows the place, and tells the job of it."""
        return bool(self.mlflow) and str(self.mlflow).startswith("arn:")


MLFLOW_ARN = r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:mlflow-[a-zA-Z-]*/.*"
"""Of a tracking server or an app (API reference, MlflowConfig)."""


class LoopFile(Section):
    """A loop of training jobs on one SageMaker managed warm pool."""

    version: Literal[1] = Field(description="Version of this format.")
    name: Name = Field(description="Lower-case letters, digits and hyphens; jobs are called after it.")
    backend: Literal["local", "aws"] = Field(default="local", description="Embedded emulator, or AWS.")
    region: str = Field(
        default="us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$", description="AWS region, such as us-east-1."
    )
    pool: Pool
    job: JobSpec
    metric: MetricSpec | None = None
    metrics: list[MetricDefinition] = Field(
        default_factory=list, description="Numbers that are kept and drawn beside the goal, such as accuracy."
    )
    strategy: Strategies = Field(default_factory=lambda: SingleConfig(type="single"))
    lanes: int = Field(
        default=1,
        ge=1,
        le=MOST_LANES,
        description="How many trials run side by side, each on a pool of its own; all pools have the same lock.",
    )
    limits: Limits = Limits()
    on_failure: list[FailureRule] = Field(default_factory=list)
    on_contested: Literal["cold", "stop"] = Field(
        default="cold", description="When a stranger's job took the pool: go on with a cold start, or stop."
    )
    early_stop: EarlyStopConfig | None = None
    forecast: Forecast = Forecast()
    notify: Notify = Notify()
    track: Track = Track()
    checks: Checks = Checks()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.backend == "aws" and not self.pool.role:
            raise ValueError("pool.role: is required for backend: aws; give the ARN of the execution role")
        if self.backend == "aws" and not self.job.request and not self.job.image:
            raise ValueError("job.image: is required for backend: aws; give the URI of a training image")
        for phase in self.phases if self.job.request else ():
            recipes = phase.recipes if isinstance(phase, RecipesConfig) else []
            if own := next((r.name for r in recipes if r.source or r.entry), None):
                raise ValueError(
                    f"strategy.recipes: {own} has a source or entry, but job.request brings the whole job; "
                    "give job.source and job.entry instead"
                )
        self._check_ask()
        self._check_lanes()
        for number, rule in enumerate(self.on_failure):
            if rule.hold and (why := too_long_a_hold(rule.hold, self.pool)):
                raise ValueError(f"on_failure.{number}.hold: {why}")
        if self.job.install == "cached" and not self.keeps_pool:
            raise ValueError(
                "job.install: cached needs a pool that is kept, and `single` keeps none; write plain"
            )
        names = [name for name, _ in self.definitions]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"metrics: {twice} is there twice; give each metric a name of its own")
        if len(names) > MOST_METRICS:
            raise ValueError(f"metrics: {len(names)} with the goal; the service takes {MOST_METRICS} at most")
        if self.early_stop and not self.metric:
            raise ValueError("early_stop: needs a metric")
        return self

    def _check_lanes(self) -> None:
        """Lanes need pools, and trials that do not wait for one another's files."""
        if self.lanes == 1:
            return
        if not self.keeps_pool:
            raise ValueError(
                "lanes: each lane has a pool, and `single` keeps none and has one trial; write lanes: 1"
            )
        if all(isinstance(phase, FixConfig) for phase in self.phases):
            raise ValueError("lanes: the attempts of `fix` follow one another; write lanes: 1")
        for phase in self.phases:
            carries = isinstance(phase, UntilConfig) and (
                phase.propose is None if phase.carry_checkpoint is None else phase.carry_checkpoint
            )
            if carries or (isinstance(phase, SweepConfig) and phase.carry_checkpoint):
                raise ValueError(
                    "lanes: a checkpoint that is carried on lies in one pool's cache, and the service picks the pool; "
                    "write lanes: 1, or carry_checkpoint: false"
                )

    def _check_ask(self) -> None:
        """An open phase ends the list, for it ends by `next --done`; its hold is what the service grants."""
        for number, phase in enumerate(self.phases, start=1):
            if not isinstance(phase, AskConfig):
                continue
            if number < len(self.phases):
                raise ValueError(
                    "strategy: ask is the last phase of a list, for `wpfsm next --done` ends the loop"
                )
            longest = keep_alive.cap(allow_long=self.pool.allow_long_keep_alive)
            if phase.hold > longest:
                raise ValueError(
                    f"strategy.hold: {short_duration(phase.hold)} is beyond the service's {short_duration(longest)}; "
                    f"write {short_duration(longest)} or less"
                )

    @property
    def definitions(self) -> list[tuple[str, str]]:
        """Name and expression of every metric, the goal first."""
        goal = [(self.metric.name, self.metric.regex)] if self.metric else []
        return [*goal, *((metric.name, metric.regex) for metric in self.metrics)]

    @property
    def asks(self) -> AskConfig | None:
        """The open phase, where there is one: it is the last."""
        last = self.phases[-1]
        return last if isinstance(last, AskConfig) else None

    @property
    def phases(self) -> Sequence[StrategyConfig]:
        """The strategies in order, one or several."""
        return phases_of(self.strategy)

    @property
    def keeps_pool(self) -> bool:
        """Whether jobs ask for a warm pool at all (`single` declines it)."""
        return not isinstance(self.strategy, SingleConfig)

    @property
    def keeps_packages(self) -> bool:
        """Whether a job's installed packages are kept in the pool's cache for the next one."""
        return self.job.install != "plain" and self.keeps_pool and not self.job.request

    def dump(self) -> dict[str, JSON]:
        """The effective loop file as JSON; :meth:`model_validate` reads it back."""
        dumped: dict[str, JSON] = self.model_dump(mode="json", by_alias=True)
        return dumped


def too_long_a_hold(hold: float, pool: Pool) -> str:
    """Why a pool cannot be held for so long, which is by its keep-alive; empty when it can."""
    if hold > keep_alive.ABSOLUTE_CAP:
        return f"{short_duration(hold)} is beyond the service's 6h of keep-alive; write 60m or less"
    if hold > keep_alive.CAP and not pool.allow_long_keep_alive:
        return (
            f"{short_duration(hold)} is beyond the documented 60m of keep-alive, by which the pool is held; write 60m "
            "or less (or set pool.allow_long_keep_alive: true to try)"
        )
    return ""


def own_price(file: LoopFile, now: float) -> Price:
    """The price that the loop file states, dated today."""
    day = time.strftime("%Y-%m-%d", time.gmtime(now))
    return Price(file.pool.price_per_hour or 0, "loop file", day, file.region, file.pool.instance_type)


def with_keep_alive(loop_file: LoopFile, seconds: float) -> LoopFile:
    """The file with its keep-alive decided, where it leaves it open."""
    if loop_file.pool.keep_alive is not None:
        return loop_file
    pool = loop_file.pool.model_copy(update={"keep_alive": seconds})
    return loop_file.model_copy(update={"pool": pool})
