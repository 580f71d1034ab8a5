"""What is wrong with a loop file, put where its user wrote it: line, key, what to write instead."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from wpfsm.fsm.errors import did_you_mean
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.strategies.registry import LISTED, PhaseConfig

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

KeyPath = tuple[int | str, ...]


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a loop file."""

    line: int | None
    key: str
    text: str

    def __str__(self) -> str:
        """``line 7: pool.keep_alive: ...``."""
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.key}: {self.text}" if self.key else f"{where}{self.text}"


def problems_of(tree: CommentedMap, details: Sequence[ErrorDetails]) -> Iterator[Problem]:
    """Pydantic's errors as problems, one a key: a value that fits no member of a union is told once."""
    seen: set[str] = set()
    for detail in details:
        keys, node, line = _place(tree, detail["loc"], missing=detail["type"] == "missing")
        message = detail["msg"].removeprefix("Value error, ")
        keys, line, message = _named(keys, node, line, message)
        if detail["type"] in _TAG:
            keys, line = [*keys, "type"], line_of(node, "type") or line
        key = ".".join(keys)
        if key not in seen:
            seen.add(key)
            yield Problem(line, key, _words({**detail, "msg": message}, keys))


def line_of(node: object, key: object) -> int | None:
    """The line of a key in a mapping or list; None when it is not written there."""
    if not isinstance(node, CommentedMap | CommentedSeq) or not node.lc.data or key not in node.lc.data:
        return None
    return int(node.lc.data[key][0]) + 1


def _place(tree: CommentedMap, location: KeyPath, *, missing: bool) -> tuple[list[str], object, int | None]:
    """The keys that lead to an error, the node there, and its line."""
    node: object = tree
    line: int | None = 1
    keys: list[str] = []
    for position, part in enumerate(location):
        if part == LISTED and isinstance(node, list):
            continue  # the list of phases, which the file writes without a name
        if not isinstance(node, Mapping | list) or (isinstance(node, list) and isinstance(part, str)):
            break  # what follows names the members of a union, which the file does not have
        last = position == len(location) - 1
        if isinstance(node, Mapping) and part not in node and not (last and missing):
            continue  # likewise, between two keys: the `type` of a strategy
        line = line_of(node, part) or line
        keys.append(str(part))
        if isinstance(node, Mapping):
            node = node.get(part)
        elif isinstance(part, int) and part < len(node):
            node = node[part]
    return keys, node, line


_KEYS = re.compile(r"([A-Za-z_][\w-]*(?:\.\w+)*): ")


def _named(
    keys: list[str], node: object, line: int | None, message: str
) -> tuple[list[str], int | None, str]:
    """A message that begins with ``keep_alive: `` is about that key of the node."""
    while found := _KEYS.match(message):
        names = found[1].split(".")
        if keys and names == keys[-1:]:
            message = message[found.end() :]
            continue
        if not isinstance(node, Mapping):
            break
        inner: object = node
        for name in names:
            key = int(name) if name.isdecimal() and isinstance(inner, Sequence) else name
            line = line_of(inner, key) or line
            inner = inner[key] if isinstance(inner, Mapping) and key in inner else _element(inner, key)
        if inner is None and not _is_known(keys, names):
            break
        return [*keys, *names], line, message[found.end() :]
    return keys, line, message


def _element(node: object, key: int | str) -> object:
    held = (
        isinstance(node, Sequence) and not isinstance(node, str) and isinstance(key, int) and key < len(node)
    )
    return node[key] if held else None  # type: ignore[index]


def _is_known(keys: Sequence[str], names: Sequence[str]) -> bool:
    model: object = LoopFile
    for name in (name for name in (*keys, *names) if not name.isdecimal()):
        if not (isinstance(model, type) and issubclass(model, BaseModel) and name in model.model_fields):
            return False
        model = _section(model.model_fields[name].annotation)
    return True


def _words(detail: ErrorDetails, keys: list[str]) -> str:
    kind, given, message = detail["type"], detail.get("input"), detail["msg"]
    if kind == "missing":
        return "is missing; add it"
    if kind == "extra_forbidden":
        return _unknown_key(detail["loc"], keys[-1])
    if kind in _TAG:
        return _no_member(detail)
    if kind in ("model_type", "dict_type"):
        return "must be a mapping, with its keys indented below it"
    if kind == "list_type":
        return f"must be a list, such as [{given}]"
    if kind in _OF_A_VALUE and ("hyperparameters" in keys or isinstance(given, list | Mapping)):
        return _one_value(given, several="hyperparameters" in keys)
    if kind == "string_type":
        return f"must be text; write {str(given)!r} in quotes"
    if kind in ("int_parsing", "int_type", "int_from_float"):
        return f"must be a whole number (it is {given!r})"
    if kind in ("string_pattern_mismatch", "string_too_short"):
        return f"{given!r} does not fit: {_description(detail['loc']) or message}"
    if isinstance(given, bool | int | float | str) and repr(given) not in message:
        message += f" (it is {given!r})"
    return message[:1].lower() + message[1:]


_TAG = frozenset({"union_tag_invalid", "union_tag_not_found"})
_OF_A_VALUE = frozenset({"bool_type", "bool_parsing", "int_type", "float_type", "string_type"})


def _one_value(given: object, *, several: bool) -> str:
    """A hyperparameter is a scalar; several values are for a strategy.

    Args:
        given: What was written.
        several: It stands where it is the same for each job.
    """
    if isinstance(given, list | Mapping):
        text = json.dumps([*given] if isinstance(given, list) else dict(given), default=str)
        place = (
            ", or give several values to strategy.parameters" if several and isinstance(given, list) else ""
        )
        return f"is one value for each job; write it as text: '{text}'{place}"
    return f"must be text, a number, true, false or null; write '{given}' in quotes"


def _unknown_key(location: KeyPath, key: str) -> str:
    known = _known_keys(location[:-1])
    listed = f"known keys here: {', '.join(known)}"
    return f"unknown key; {did_you_mean(key, known, listed, cutoff=0.5)}"


def _no_member(detail: ErrorDetails) -> str:
    """A ``type`` that names no kind of strategy."""
    members = _members(LoopFile.model_fields["strategy"].annotation)
    kinds = list(dict.fromkeys(_tag(model) for model in members))
    given = detail.get("input")
    tag = given.get("type") if isinstance(given, Mapping) else None
    if tag is None:
        return f"is missing; write one of {', '.join(kinds)}"
    listed = f"write one of {', '.join(kinds)}"
    return f"{tag!r} is no strategy; {did_you_mean(str(tag), kinds, listed)}"


def _description(location: KeyPath) -> str:
    field = _field(location)
    text = (field.description or "").rstrip(".") if field else ""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _field(location: KeyPath) -> FieldInfo | None:
    model: object = LoopFile
    field: FieldInfo | None = None
    for part in location:
        if isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
            field = model.model_fields[str(part)]
            model = _section(field.annotation)
        elif not isinstance(part, int):
            model = next((m for m in _members(model) if _tag(m) == part), model)
    return field


def _known_keys(location: KeyPath) -> list[str]:
    """Keys that are known at a location of the model; a union shows those of the member at hand."""
    model: object = LoopFile
    for part in location:
        if isinstance(part, int):
            continue
        if part == LISTED:
            model = PhaseConfig
        elif isinstance(model, type) and issubclass(model, BaseModel) and part in model.model_fields:
            model = _section(model.model_fields[part].annotation)
        else:
            model = next((m for m in _members(model) if _tag(m) == part), model)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return sorted(field.alias or name for name, field in model.model_fields.items())


def _members(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [member for inner in get_args(annotation) for member in _members(inner)]


def _section(annotation: object) -> object:
    members = _members(annotation)
    return members[0] if len(members) == 1 else annotation


def _tag(model: type[BaseModel]) -> str:
    field = model.model_fields.get("type")
    options = get_args(field.annotation) if field else ()
    return str(options[0]) if options else ""
