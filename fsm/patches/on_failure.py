"""What to do about a failure: rows that are tried in order, the loop file's first and the built-in ones below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.records import JSON


@dataclass(frozen=True)
class Rule:
    """One row of ``on_failure``.

    Attributes:
        when: a failure class, a family, or ``any``; or several of them.
        do: a patch (``pin_requirement``, ``scale``, ``retry``, ``release_pool``, ``shorten``), or ``skip`` (the
            trial failed, the next one goes on), ``handoff``, ``release``, ``command``.
        times: how often the row may apply in one loop; None for no bound of its own.
        options: what else the row says (``set``, ``hold``, ``command``).
    """

    when: str | Sequence[str]
    do: str
    times: int | None = None
    options: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name under which the uses of the row are counted."""
        return f"{','.join(self._kinds)}:{self.do}"

    def matches(self, diagnosis: Diagnosis) -> bool:
        """Whether the row is about this failure."""
        return any(kind in (diagnosis.class_, str(diagnosis.family), "any") for kind in self._kinds)

    @property
    def _kinds(self) -> tuple[str, ...]:
        return (self.when,) if isinstance(self.when, str) else tuple(self.when)


DEFAULT_RULES: tuple[Rule, ...] = (
    Rule("dependency", "pin_requirement", times=6),  # a cascade: one pin a job
    Rule("oom", "scale", times=4),
    Rule("own_pool_holds_quota", "release_pool", times=1),
    Rule("quota", "release"),
    Rule("throttling", "retry", times=5),
    Rule("throttling", "release"),
    Rule("capacity", "retry", times=4),
    Rule("capacity", "release"),
    Rule("infra", "retry", times=3),
    Rule("infra", "release"),
    Rule("permissions", "release"),  # no change of source or of free fields gives a role a permission
    Rule("nan_loss", "skip"),  # a property of the trial: the next one may converge
    Rule("any", "handoff"),
)
"""The built-in table, below the loop file's rows."""


def applicable(rules: Sequence[Rule], diagnosis: Diagnosis, counts: Mapping[str, int]) -> Sequence[Rule]:
    """The rows that are about this failure and are not used up, in their order.

    Args:
        rules: the loop file's rows, then :data:`DEFAULT_RULES`.
        diagnosis: the failure.
        counts: uses so far by :attr:`Rule.key`; a row that is not in it was never used.
    """
    return [
        rule
        for rule in rules
        if rule.matches(diagnosis) and (rule.times is None or counts.get(rule.key, 0) < rule.times)
    ]
