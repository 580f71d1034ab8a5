"""What the service's own model refuses in a request, found without sending it.

botocore checks required and unknown members, types and minima when a request is sent; maxima, enumerations and
patterns only the service checks. Both are too late for a loop whose source has been uploaded by then. The model is botocore's, so an
instance type that is newer than the installed botocore is refused too; the fix names the upgrade.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from wpfsm.fsm.errors import did_you_mean
from wpfsm.fsm.ports import Request, Violation
from wpfsm.fsm.records import JSON, as_mapping

if TYPE_CHECKING:
    from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

MANY = 6
"""An enumeration longer than this is not listed whole."""
_JAVA_CLASSES = {r"\p{Alnum}": "A-Za-z0-9", r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s"}
"""Java's character classes by ones of Python that take at least as much."""


def violations(request: Request, model: ServiceModel | None = None) -> list[Violation]:
    """Every member of a CreateTrainingJob request that is outside its bounds, in the order of the request.

    Args:
        request: As botocore takes it.
        model: The service's model where a client has loaded it: it takes 16 MB, so once is enough.
    """
    shape = (model or _own_model()).operation_model("CreateTrainingJob").input_shape
    return list(_structure(cast("StructureShape", shape), request, ""))


@functools.cache
def _own_model() -> ServiceModel:
    import botocore.session

    return botocore.session.get_session().get_service_model("sagemaker")


_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "structure": ((Mapping,), "an object"),
    "map": ((Mapping,), "an object"),
    "list": ((list, tuple), "a list"),
    "string": ((str,), "text"),
    "boolean": ((bool,), "true or false"),
    "integer": ((int,), "a whole number"),
    "long": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "double": ((int, float), "a number"),
}
"""What botocore takes for each kind of member, and the same in words."""


def _of_wrong_type(shape: Shape, value: JSON, path: str) -> Violation | None:
    types, words = _TYPES.get(shape.type_name, ((object,), ""))
    if isinstance(value, types) and (shape.type_name == "boolean" or not isinstance(value, bool)):
        return None
    shown = json.dumps(value, ensure_ascii=False)[:60]
    if shape.type_name == "string" and isinstance(value, int | float):
        return Violation(path, shown, f'is a number, and the service takes text: write "{shown}"')
    if value is None:
        return Violation(path, shown, f"is no value: leave the member out, or give {words}")
    return Violation(path, shown, f"is not {words}, which the service requires")


def _walk(shape: Shape, value: JSON, path: str) -> Iterator[Violation]:
    if wrong := _of_wrong_type(shape, value, path):
        yield wrong
        return
    match shape.type_name:
        case "structure":
            yield from _structure(cast("StructureShape", shape), as_mapping(value), path)
        case "list":
            items = value if isinstance(value, list | tuple) else []
            yield from _size(shape, len(items), "items", path)
            for number, item in enumerate(items, start=1):
                yield from _walk(cast("ListShape", shape).member, item, f"{path}[{number}]")
        case "map":
            members = as_mapping(value)
            yield from _size(shape, len(members), "entries", path)
            for key, inner in members.items():
                yield from _walk(cast("MapShape", shape).key, key, f"{path}.{key[:40]}")
                yield from _walk(cast("MapShape", shape).value, inner, f"{path}.{key[:40]}")
        case "string" if isinstance(value, str):
            yield from _string(shape, value, path)
        case "integer" | "long" | "float" | "double" if isinstance(value, int | float):
            yield from _size(shape, value, "", path)


def _structure(shape: StructureShape, value: Mapping[str, JSON], path: str) -> Iterator[Violation]:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if value.get(name) is None:
            yield Violation(f"{prefix}{name}", "nothing", "is given, and the service requires it")
    for name, inner in value.items():
        if name not in shape.members:
            yield _unknown(shape, name, f"{prefix}{name}")
        elif inner is not None or name not in shape.required_members:
            yield from _walk(shape.members[name], inner, f"{prefix}{name}")


def _unknown(shape: StructureShape, name: str, path: str) -> Violation:
    hint = did_you_mean(name, shape.members)
    return Violation(path, "the member", f"is none that the service knows here{hint and f'; {hint}'}")


def _string(shape: Shape, value: str, path: str) -> Iterator[Violation]:
    yield from _size(shape, len(value), "characters", path)
    choices: list[str] = shape.metadata.get("enum", [])
    if choices and value not in choices:
        yield Violation(path, repr(value), f"is none of {_listed(value, choices)}")
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        yield Violation(path, repr(value[:60]), f"does not match the service's pattern {pattern}")


def _listed(value: str, choices: list[str]) -> str:
    if len(choices) <= MANY:
        return ", ".join(choices)
    from difflib import get_close_matches

    near = get_close_matches(value, choices, n=3)
    hint = f"; near it are {', '.join(near)}" if near else ""
    return f"the {len(choices)} values that the service model of the installed botocore knows{hint}"


def _size(shape: Shape, size: float, unit: str, path: str) -> Iterator[Violation]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    said = f"{size:g} {unit}".strip()
    if least is not None and size < least:
        yield Violation(path, said, f"is below the service's minimum of {least}")
    if most is not None and size > most:
        yield Violation(path, said, f"is beyond the service's maximum of {most}")


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(pattern)
