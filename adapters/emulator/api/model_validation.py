"""Refuses what a service's own model refuses, in the service's wording.

botocore checks required members, types and minima before it sends; maxima, enums and patterns only the
service checks. Members that the model does not know are ignored, as the service ignores them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from wpfsm.adapters.emulator.engine.clock import LATEST
from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.service_model import input_shape
from wpfsm.adapters.emulator.runner.base import JSONValue

if TYPE_CHECKING:
    from botocore.model import Shape, StructureShape

MAX_REPORTED = 50
LARGEST: dict[str, float] = {
    "integer": (1 << 31) - 1,
    "long": (1 << 63) - 1,
    "float": 3.5e38,
    "double": 1.8e308,
    "timestamp": LATEST,
}
"""The largest amount, of either sign, that each type of number holds."""
CODES = {"logs": "InvalidParameterException", "iam": "ValidationError"}
"""Services that do not call a broken constraint a ValidationException."""

_T = TypeVar("_T")


class _Pattern(Protocol):
    def fullmatch(self, string: str) -> object | None: ...


@functools.cache
def _pattern(text: str) -> _Pattern | None:
    """Compile a pattern of the model, which is a Java regular expression; None when Python cannot."""
    import regex

    try:
        return cast("_Pattern", regex.compile(text))
    except regex.error:  # a handful with UTF-16 surrogate ranges, none of them in a training job
        return None


def validate(service_name: str, operation_name: str, request: JSONValue) -> dict[str, JSONValue]:
    """Check a request against its operation's model.

    Returns:
        The request, without the members that the model does not know.

    Raises:
        ServiceError: SerializationException for a wrong type, ValidationException (in most services) for a
            broken constraint.
    """
    shape = cast("StructureShape", input_shape(service_name, operation_name))
    if not isinstance(request, dict):
        raise not_an_object()
    problems = list(_problems(shape, request, ""))
    if problems:
        some = "; ".join(problems[:MAX_REPORTED])
        plural = "s" if len(problems) > 1 else ""
        code = CODES.get(service_name, "ValidationException")
        raise ServiceError(code, f"{len(problems)} validation error{plural} detected: {some}")
    return cast("dict[str, JSONValue]", _known(shape, request))


def not_an_object() -> ServiceError:
    """Return the error for a body that is no JSON object."""
    return ServiceError("SerializationException", "Start of structure or map found where not expected.")


def _problems(shape: Shape, value: JSONValue, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _structure(cast("StructureShape", shape), _typed(value, dict, path), path)
        case "list":
            items = _typed(value, list, path)
            yield from _bounds(shape, len(items), "length", value, path)
            for number, item in enumerate(items, start=1):
                yield from _problems(shape.member, item, f"{path}.{number}.member")  # type: ignore[attr-defined]
        case "map":
            yield from _map(shape, _typed(value, dict, path), path)
        case "string":
            yield from _string(shape, _typed(value, str, path), path)
        case "integer" | "long" | "double" | "float" | "timestamp":
            yield from _number(shape, value, path)
        case "boolean":
            _typed(value, bool, path)


def _number(shape: Shape, value: JSONValue, path: str) -> Iterator[str]:
    whole = shape.type_name in {"integer", "long"}
    amount = _typed(value, int, path) if whole else _typed(value, (int, float), path)
    if abs(amount) > LARGEST[shape.type_name]:
        raise _inconvertible(value, int if whole else float, path)
    if shape.type_name != "timestamp":
        yield from _bounds(shape, amount, "value", value, path)


def _structure(shape: StructureShape, value: dict[str, JSONValue], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield _failed(None, _join(path, name), "Member must not be null")
    for name, member in shape.members.items():
        if (inner := value.get(name)) is not None:
            yield from _problems(member, inner, _join(path, name))


def _map(shape: Shape, value: dict[str, JSONValue], path: str) -> Iterator[str]:
    yield from _bounds(shape, len(value), "length", cast("JSONValue", value), path)
    key_shape, value_shape = shape.key, shape.value  # type: ignore[attr-defined]
    for key, inner in value.items():
        shown = json.dumps(value, ensure_ascii=False)
        if broken := [_constraint(each) for each in _problems(key_shape, key, path)]:
            yield _failed(shown, path, f"Map keys must satisfy constraint: [{', '.join(broken)}]")
        if inner is None:
            yield _failed(shown, path, "Map value must satisfy constraint: [Member must not be null]")
        elif value_shape.type_name != "string":
            yield from _problems(value_shape, inner, f"{path}.{key}.member")
        elif broken := [_constraint(each) for each in _problems(value_shape, inner, f"{path}.{key}")]:
            yield _failed(shown, path, f"Map value must satisfy constraint: [{', '.join(broken)}]")


def _string(shape: Shape, value: str, path: str) -> Iterator[str]:
    try:
        units = len(value.encode("utf-16-le")) // 2  # as Java counts
    except UnicodeEncodeError:  # half of a surrogate pair is no text
        raise _inconvertible(value, str, path) from None
    yield from _bounds(shape, units, "length", value, path)
    choices: list[str] = shape.metadata.get("enum", [])
    if choices and value not in choices:
        yield _failed(value, path, f"Member must satisfy enum value set: [{', '.join(choices)}]")
    text = shape.metadata.get("pattern")
    if text and (compiled := _pattern(text)) and not compiled.fullmatch(value):
        yield _failed(value, path, f"Member must satisfy regular expression pattern: {text}")


def _bounds(shape: Shape, size: float, noun: str, value: JSONValue, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _failed(value, path, f"Member must have {noun} greater than or equal to {least}")
    if most is not None and size > most:
        yield _failed(value, path, f"Member must have {noun} less than or equal to {most}")


def _typed(value: JSONValue, wanted: type[_T] | tuple[type[_T], ...], path: str) -> _T:
    exact = not isinstance(value, bool) or wanted is bool
    if not isinstance(value, wanted) or not exact:
        raise _inconvertible(value, wanted, path)
    return value


def _inconvertible(value: JSONValue, wanted: object, path: str) -> ServiceError:
    return ServiceError(
        "SerializationException",
        f"{_json_type(value)} value cannot be converted to {_wanted_name(wanted)} at '{path}'",
    )


def _wanted_name(wanted: object) -> str:
    names = {dict: "Structure", list: "List", str: "String", int: "Integer", bool: "Boolean"}
    return names.get(wanted, "Float") if isinstance(wanted, type) else "Float"


def _json_type(value: JSONValue) -> str:
    names = {dict: "STRUCTURE", list: "LIST", str: "STRING_VALUE", bool: "BOOLEAN_VALUE"}
    return "NULL" if value is None else names.get(type(value), "NUMBER_VALUE")


def _join(path: str, name: str) -> str:
    lowered = name[0].lower() + name[1:]
    return f"{path}.{lowered}" if path else lowered


def _failed(value: JSONValue, path: str, constraint: str) -> str:
    if value is None:
        return f"Value null at '{path}' failed to satisfy constraint: {constraint}"
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: {constraint}"


def _constraint(problem: str) -> str:
    return problem.rpartition("failed to satisfy constraint: ")[2]


def _known(shape: Shape, value: JSONValue) -> JSONValue:
    """Copy a valid value without nulls and without what the model does not know."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = cast("StructureShape", shape).members
        return {n: _known(members[n], v) for n, v in value.items() if n in members and v is not None}
    if shape.type_name == "list" and isinstance(value, list):
        return [_known(shape.member, v) for v in value]  # type: ignore[attr-defined]
    return value
