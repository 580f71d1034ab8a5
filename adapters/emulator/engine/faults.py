"""Faults on demand: rules that say which call or job goes wrong, and how.

A rule is a JSON object with a ``kind`` and, optionally, ``operation`` and ``job`` (shell patterns), ``nth``
(the n-th matching call only) or ``probability``, ``times`` (how often at most) and ``seconds``. Draws are
seeded per rule, operation and job, so that a run can be repeated.
"""

from __future__ import annotations

import copy
import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from http import HTTPStatus
from pathlib import Path
from typing import cast

from wpfsm.adapters.emulator.engine.clock import LATEST
from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.lifecycle import CAPACITY_ERROR, INTERNAL_ERROR
from wpfsm.adapters.emulator.engine.quotas import training_limit
from wpfsm.adapters.emulator.engine.records import Fate, Phase
from wpfsm.adapters.emulator.engine.service_model import instance_types
from wpfsm.adapters.emulator.runner.base import JSONValue

UNKNOWN_VALUE = "AValueFromTheFuture"
"""What ``unknown_enum`` puts in the place of a value that clients know."""


class Kind(StrEnum):
    """What can go wrong. The first group hits a call, the second the job that a CreateTrainingJob makes."""

    THROTTLE = "throttle"
    ERROR_5XX = "error_5xx"
    ERROR = "error"
    RESOURCE_LIMIT = "resource_limit"
    TIMEOUT_BEFORE_WRITE = "timeout_before_write"
    TIMEOUT_AFTER_WRITE = "timeout_after_write"
    SLOW = "slow"
    DROP_MEMBER = "drop_member"
    UNKNOWN_ENUM = "unknown_enum"

    INTERNAL_ERROR = "internal_error"
    CAPACITY_ERROR = "capacity_error"
    SLOW_START = "slow_start"
    LATE_LOGS = "late_logs"
    ABSENT_POOL_STATUS = "absent_pool_status"
    PATCH_UPDATE = "patch_update"
    STOLEN_POOL = "stolen_pool"
    POOL_FAILED = "pool_failed"


JOB_KINDS = frozenset(list(Kind)[list(Kind).index(Kind.INTERNAL_ERROR) :])


@dataclass(frozen=True)
class FaultRule:
    """One fault to come.

    Attributes:
        nth: Only the n-th matching call since the rule was added, counted from 1.
        probability: Of each matching call, when ``nth`` is not given.
        times: How often it happens at most; without limit when None.
        seconds: How long ``slow``, ``slow_start``, ``late_logs`` and ``absent_pool_status`` last; how far into
            the run ``internal_error`` strikes; how long after Available a pool is patched or stolen.
        code: Of ``error``.
        message: Of ``error``.
        status: HTTP status of ``error_5xx`` and ``error``.
        member: Dotted path of the member for ``drop_member`` and ``unknown_enum``; drawn when empty.
    """

    kind: Kind
    operation: str = "*"
    job: str = "*"
    nth: int | None = None
    probability: float = 1.0
    times: int | None = None
    seconds: float = 0.0
    code: str = "InternalFailure"
    message: str = "A fault that was asked for."
    status: int | None = None
    member: str = ""

    @classmethod
    def parse(cls, raw: JSONValue) -> FaultRule:
        """Read a rule from JSON.

        Raises:
            ValueError: Unknown kind, key or value; the message says which there are.
        """
        known = {f.name for f in fields(cls)}
        if not isinstance(raw, dict) or "kind" not in raw:
            raise ValueError(f"a fault is an object with a kind, not {json.dumps(raw)}")
        if unknown := sorted(set(raw) - known):
            raise ValueError(f"a fault has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        if raw["kind"] not in list(Kind):
            raise ValueError(f"no fault {raw['kind']!r}; there are {', '.join(Kind)}")
        rule = cls(**{**cast("dict[str, str]", raw), "kind": Kind(raw["kind"])})  # type: ignore[arg-type]
        rule._check()
        return rule

    def _check(self) -> None:
        """Refuse values of the wrong kind: found out later, they would spoil every call that they match."""
        for name in ("operation", "job", "code", "message", "member"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name} of a fault is a text")  # noqa: TRY004 - it came as JSON
        for name in ("seconds", "probability"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LATEST:
                raise ValueError(f"{name} of a fault is a number, not negative")
        for name, least in (("nth", 1), ("times", 0), ("status", 400)):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
                raise ValueError(f"{name} of a fault is a whole number from {least}")
        if self.status is not None and self.status not in list(HTTPStatus):
            raise ValueError(f"status of a fault is one of HTTP's, not {self.status}")

    def matches(self, operation: str, job: str) -> bool:
        """Tell whether a call concerns the rule."""
        wanted = "CreateTrainingJob" if self.kind in JOB_KINDS else self.operation
        return fnmatchcase(operation, wanted) and fnmatchcase(job, self.job)


@dataclass
class _Armed:
    """A rule in force.

    Attributes:
        dice: What its draws begin with.
        calls: How many matching calls there were of each operation and job.
    """

    rule: FaultRule
    dice: str
    seen: int = 0
    fired: int = 0
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)

    def fires(self, operation: str, job: str) -> bool:
        """Draw for one matching call."""
        self.seen += 1
        rule = self.rule
        if rule.times is not None and self.fired >= rule.times:
            return False
        struck = self.seen == rule.nth if rule.nth is not None else self._drawn(operation, job)
        self.fired += struck
        return struck

    def _drawn(self, operation: str, job: str) -> bool:
        """Draw by name, so that calls about other jobs, whose order differs from run to run, change nothing."""
        if self.rule.probability >= 1:
            return True
        self.calls[operation, job] += 1
        draw = random.Random(f"{self.dice}/{operation}/{job}/{self.calls[operation, job]}")
        return draw.random() < self.rule.probability


@dataclass(frozen=True)
class Drawn:
    """The faults of one call, in the order of their rules."""

    rules: tuple[FaultRule, ...] = ()
    dice: random.Random = field(default_factory=random.Random)

    def first(self, *kinds: Kind) -> FaultRule | None:
        """Return the first rule of one of these kinds."""
        return next((rule for rule in self.rules if rule.kind in kinds), None)

    def refusal(self, request: JSONValue) -> ServiceError | None:
        """Return the error to answer a request with in place of doing anything, if there is one."""
        rule = self.first(Kind.THROTTLE, Kind.ERROR_5XX, Kind.ERROR, Kind.RESOURCE_LIMIT)
        if rule is None:
            return None
        if rule.kind is Kind.THROTTLE:
            return ServiceError("ThrottlingException", "Rate exceeded")
        if rule.kind is Kind.RESOURCE_LIMIT:
            return training_limit(_instance_type(request), allowed=0, used=0, wanted=1)
        if rule.kind is Kind.ERROR_5XX:
            return ServiceError("InternalFailure", "An internal error occurred.", rule.status or 500)
        return ServiceError(rule.code, rule.message, rule.status or 400)

    def fate(self) -> Fate:
        """Return what a job that is created by this call will meet."""
        fate = Fate()
        for rule in self.rules:
            fate = _with(fate, rule)
        return fate

    def spoil(self, answer: dict[str, JSONValue]) -> dict[str, JSONValue]:
        """Return an answer with a member dropped or an enum value that no client knows."""
        rule = self.first(Kind.DROP_MEMBER, Kind.UNKNOWN_ENUM)
        if rule is None or not answer:
            return answer
        spoiled = copy.deepcopy(answer)
        path = (rule.member or self.dice.choice(sorted(answer))).split(".")
        for holder in _holders(spoiled, path[:-1]):
            if rule.kind is Kind.DROP_MEMBER:
                holder.pop(path[-1], None)
            elif isinstance(holder.get(path[-1]), str):
                holder[path[-1]] = UNKNOWN_VALUE
        return spoiled


def _instance_type(request: JSONValue) -> str:
    resources = request.get("ResourceConfig") if isinstance(request, dict) else None
    named = resources.get("InstanceType") if isinstance(resources, dict) else None
    return str(named or instance_types()[0])


def _holders(value: JSONValue, path: Sequence[str]) -> Iterator[dict[str, JSONValue]]:
    """Yield the objects at the end of a path, which goes through every element of a list."""
    if isinstance(value, list):
        for each in value:
            yield from _holders(each, path)
    elif isinstance(value, dict) and path:
        yield from _holders(value.get(path[0]), path[1:])
    elif isinstance(value, dict):
        yield value


def _with(fate: Fate, rule: FaultRule) -> Fate:
    match rule.kind:
        case Kind.INTERNAL_ERROR:
            return replace(fate, failure=INTERNAL_ERROR, fails_in=Phase.RUNNING, fails_after=rule.seconds)
        case Kind.CAPACITY_ERROR:
            return replace(fate, failure=CAPACITY_ERROR, fails_in=Phase.STARTING)
        case Kind.SLOW_START:
            return replace(fate, slow_start=rule.seconds)
        case Kind.LATE_LOGS:
            return replace(fate, late_logs=rule.seconds)
        case Kind.ABSENT_POOL_STATUS:
            return replace(fate, absent_pool=rule.seconds)
        case Kind.PATCH_UPDATE | Kind.STOLEN_POOL | Kind.POOL_FAILED:
            return replace(fate, pool_event=rule.kind.value, pool_event_after=rule.seconds)
    return fate


class Faults:
    """The rules in force.

    Args:
        seed: Of every draw; the n-th rule added draws the same in every run with the same seed.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._armed: dict[int, _Armed] = {}
        self._numbers = itertools.count(1)
        self._dice = random.Random(seed)
        self._lock = threading.Lock()

    def add(self, rules: Sequence[FaultRule]) -> list[int]:
        """Put rules in force and return their numbers."""
        with self._lock:
            numbers = [next(self._numbers) for _ in rules]
            for number, rule in zip(numbers, rules, strict=True):
                self._armed[number] = _Armed(rule, f"{self._seed}/{number}")
        return numbers

    def clear(self) -> None:
        """Drop every rule."""
        with self._lock:
            self._armed.clear()

    def draw(self, operation: str, job: str = "") -> Drawn:
        """Return the faults that strike a call."""
        if not self._armed:
            return Drawn()
        with self._lock:
            struck = [
                armed.rule
                for armed in self._armed.values()
                if armed.rule.matches(operation, job) and armed.fires(operation, job)
            ]
        return Drawn(tuple(struck), self._dice)

    def listing(self) -> list[JSONValue]:
        """Return the rules in force with what they have done."""
        return [
            {"number": number, "seen": armed.seen, "fired": armed.fired, **_plain(armed.rule)}
            for number, armed in self._armed.items()
        ]


def _plain(rule: FaultRule) -> Mapping[str, JSONValue]:
    defaults = FaultRule(rule.kind)
    changed = {f.name: getattr(rule, f.name) for f in fields(rule)}
    return {"kind": rule.kind.value} | {n: v for n, v in changed.items() if v != getattr(defaults, n)}


def parse_rules(raw: JSONValue) -> list[FaultRule]:
    """Read a rule, a list of rules, or an object with a list under ``faults``.

    Raises:
        ValueError: See Rule.parse.
    """
    if isinstance(raw, dict) and "faults" in raw:
        raw = raw["faults"]
    return [FaultRule.parse(each) for each in (raw if isinstance(raw, list) else [raw])]


def read_rules(path: Path) -> list[FaultRule]:
    """Read rules from a JSON file.

    Raises:
        ValueError: Not JSON, or see Rule.parse.
    """
    return parse_rules(json.loads(path.read_text()))
