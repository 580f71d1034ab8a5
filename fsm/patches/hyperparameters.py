"""Hyperparameters as fixes see them: their usual names, changes to them, and what the script accepts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from wpfsm.fsm.patches.base import Scalar
from wpfsm.fsm.records import JSON

_EXPRESSION = re.compile(r"\s*(?P<sign>[x*+-])\s*(?P<number>\d+(?:\.\d+)?)\s*\Z")


def canonical(name: str) -> str:
    """A hyperparameter's name without the differences of style: ``--train-batch-size`` is ``train_batch_size``."""
    return name.lstrip("-").replace("-", "_").replace(".", "_").lower()


def find(names: Sequence[str], given: Iterable[str]) -> str | None:
    """The first of the usual names that is given, spelled as it is given."""
    by_canonical = {canonical(name): name for name in given}
    return next((by_canonical[name] for name in names if name in by_canonical), None)


def as_number(value: object) -> int | float | None:
    """The value as a number, also where it was given as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    try:
        number = float(str(value))
    except ValueError:
        return None
    return int(number) if number.is_integer() and re.fullmatch(r"[-+]?\d+", str(value).strip()) else number


def changed(value: object, change: JSON) -> Scalar | None:
    """A value after a change from a rule's ``set``.

    Args:
        value: the present value; None when the hyperparameter is not set.
        change: ``x0.5``, ``+1``, ``-1``, or the new value itself.

    Returns:
        The new value. A whole number stays one, is rounded down and, when it was at least 1, stays at least 1.
        None when a relative change has no number to start from.
    """
    relative = _EXPRESSION.match(change) if isinstance(change, str) else None
    if relative is None:
        return change if isinstance(change, bool | int | float | str) else None
    start, amount = as_number(value), float(relative["number"])
    if start is None:
        return None
    moved = {"x": start * amount, "*": start * amount, "+": start + amount, "-": start - amount}[
        relative["sign"]
    ]
    if not isinstance(start, int):
        return moved
    return max(1, int(moved)) if start >= 1 else int(moved)


def summary(values: Mapping[str, Scalar], before: Mapping[str, object]) -> str:
    """What changes, in one line: ``batch_size 64 → 32``."""
    return ", ".join(f"{name} {before.get(name, 'unset')} → {value}" for name, value in values.items())


def apply_set(hyperparameters: Mapping[str, Scalar], changes: JSON) -> dict[str, Scalar]:
    """What a rule's ``set`` makes of the hyperparameters: only those that differ afterwards."""
    if not isinstance(changes, Mapping):
        return {}
    spelled = {name: find((canonical(name),), hyperparameters) or name for name in changes}
    new = {
        spelled[name]: changed(hyperparameters.get(spelled[name]), change) for name, change in changes.items()
    }
    return {k: v for k, v in new.items() if v is not None and v != hyperparameters.get(k)}


def accepted(files: Mapping[str, str]) -> dict[str, Scalar | None]:
    """The options that the scripts declare with ``add_argument``, with their literal defaults.

    Flags (``action="store_true"``) are left out: a value, which is what a job passes, would be an error to them.
    """
    found: dict[str, Scalar | None] = {}
    for path, text in files.items():
        if path.endswith(".py") and "add_argument" in text:
            found.update(_declared(text))
    return found


def _declared(text: str) -> Iterator[tuple[str, Scalar | None]]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        keywords = {word.arg: word.value for word in node.keywords}
        if node.func.attr != "add_argument" or "action" in keywords:
            continue
        default = keywords.get("default")
        value = default.value if isinstance(default, ast.Constant) else None
        for argument in node.args:
            if isinstance(argument, ast.Constant) and str(argument.value).startswith("--"):
                yield (
                    str(argument.value).lstrip("-"),
                    value if isinstance(value, bool | int | float | str) else None,
                )
