"""What changed between the frozen loop file and the file as it is now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from wpfsm.fsm.errors import Refused
from wpfsm.fsm.records import JSON
from wpfsm.fsm.request.lock import key_id

LOCKED_KEYS = frozenset(
    {
        "version",
        "name",
        "backend",
        "region",
        "lanes",
        "pool.role",
        "pool.instance_type",
        "pool.instance_count",
        "pool.volume_gb",
        "pool.kms_key",
        "pool.vpc",
        "pool.encrypt_traffic",
        "pool.network_isolation",
        "pool.session_tag_keys",
    }
)
"""Keys of the loop file that decide the match, or which loop it is."""


@dataclass(frozen=True)
class KeyChange:
    """One key with another value."""

    key: str
    old: JSON
    new: JSON
    applies: str = ""
    """From when on it does what it says; empty for a locked key, which never may."""

    @property
    def locked(self) -> bool:
        """Whether the key may not change after job 1."""
        return is_locked(self.key)

    def __str__(self) -> str:
        """As two lines of a diff."""
        remark = "locked" if self.locked else self.applies
        return f"- {self.key}: {self.old!r}\n+ {self.key}: {self.new!r}" + (
            f"   ({remark})" if remark else ""
        )


@dataclass(frozen=True)
class GoesOn:
    """Where a resumed loop goes on, which decides from when a change of its file applies.

    Attributes:
        trial: Number of the trial whose job comes next.
        drawn: Number of the next trial that the strategy is asked for.
        replaced: The failed trial, when the strategy as it is now does not ask for it any more.
        log_of: Name of the completed job whose log a corrected expression reads; empty where there is none.
    """

    trial: int
    drawn: int
    replaced: int | None = None
    log_of: str = ""


_AT_ONCE = ("limits", "on_failure", "on_contested", "notify", "early_stop", "forecast", "pool.price_per_hour")
_OVER = ("checks",)


def applies(key: str, at: GoesOn) -> str:
    """From when on a changed free key does what it says, as a remark behind the line."""

    def within(*sections: str) -> bool:
        return any(key == section or key.startswith(f"{section}.") for section in sections)

    if within(*_AT_ONCE):
        return "at once"
    if within(*_OVER):
        return "no more in this loop, which is past its checks"
    if within("metric") and at.log_of:
        return f"at once, in the log of {at.log_of}"
    if within("strategy"):
        place = f", in the place of trial {at.replaced}" if at.replaced else ""
        return f"from trial {at.drawn} on{place}"
    return f"from trial {at.trial} on"


def is_locked(key: str) -> bool:
    """Whether a key of the loop file, by its dotted path, may not change after job 1."""
    return any(key == locked or key.startswith(f"{locked}.") for locked in LOCKED_KEYS)


def compare(
    old: Mapping[str, JSON], new: Mapping[str, JSON], at: GoesOn | None = None
) -> Sequence[KeyChange]:
    """Every key whose value differs, by its dotted path; with ``at``, each says from when on it applies.

    Locked keys are compared as the lock compares them: the order of a list and the spelling of a KMS key
    make no difference to the match, and so they are no change.
    """
    before, after = dict(_flat(old)), dict(_flat(new))
    return [
        KeyChange(
            key,
            before.get(key),
            after.get(key),
            applies(key, at) if at is not None and not is_locked(key) else "",
        )
        for key in sorted(before.keys() | after.keys())
        if _normal(key, before.get(key)) != _normal(key, after.get(key))
    ]


def check(changes: Sequence[KeyChange], *, accept: bool, loop_id: str, cost: str) -> None:
    """Refuse locked changes always, and free ones that nobody accepted.

    Args:
        changes: What :func:`compare` found.
        accept: Free changes are accepted.
        loop_id: For the commands.
        cost: What a job outside the pool would cost, as a clause.

    Raises:
        Refused: With the diff, and for a locked key what it would cost.
    """
    diff = "\n".join(str(change) for change in changes)
    locked = [change.key for change in changes if change.locked]
    if locked == ["lanes"]:
        cost = "the lanes of a group are fixed when it starts"
    if locked:
        raise Refused(
            f"the loop file changed in a locked field ({', '.join(locked)}): {cost}\n{diff}",
            fix="undo the change, or start a new loop: wpfsm start FILE",
        )
    if changes and not accept:
        raise Refused(
            f"the loop file changed since the loop started\n{diff}",
            fix=f"wpfsm resume {loop_id} --accept-changes takes the changes; undoing them continues as before",
        )


def _normal(key: str, value: JSON) -> JSON:
    if not is_locked(key):
        return value
    if isinstance(value, list | tuple):
        return sorted(map(str, value))
    return key_id(value) if key == "pool.kms_key" and isinstance(value, str) else value


def _flat(node: Mapping[str, JSON], prefix: str = "") -> Iterator[tuple[str, JSON]]:
    for key, value in node.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{path}.")
        else:
            yield path, value
