"""The JSON Schema of the loop file, with a sentence for each key: for editors, and for the reference in the docs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.units import DURATION_PATTERN, short_duration

Schema = dict[str, Any]


def loop_file_schema() -> Schema:
    """The JSON Schema (2020-12) of the loop file."""
    schema: Schema = LoopFile.model_json_schema()
    by_name = {model.__name__: model for model in models(LoopFile)}
    for name, definition in schema["$defs"].items():
        definition["description"] = summary(by_name[name])
        for member in definition.get("properties", {}).values():
            if is_duration(member) and isinstance(member.get("default"), int | float):
                member["default"] = short_duration(member["default"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def is_duration(member: Schema) -> bool:
    """Whether a member's schema is that of a duration."""
    return bool(member.get("pattern") == DURATION_PATTERN)


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and every model that its fields lead to, each once."""
    seen: list[type[BaseModel]] = []
    waiting = [model]
    while waiting:
        model = waiting.pop(0)
        if model not in seen:
            seen.append(model)
            waiting += [
                inner for field in model.model_fields.values() for inner in _models_in(field.annotation)
            ]
    yield from seen


def summary(model: type[BaseModel]) -> str:
    """The first paragraph of a model's docstring, on one line."""
    return " ".join((inspect.getdoc(model) or "").split("\n\n")[0].split())


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]
