"""`wpfsm schema`: the JSON Schemas of the loop file and of the output."""

from __future__ import annotations

import importlib.resources
import json

from wpfsm.adapters.terminal.output import Options, emit
from wpfsm.fsm.records import JSON


def schema(given: Options, *, of_inspect: bool) -> int:
    """The JSON Schema of the loop file, or of what ``inspect -o json`` prints."""
    if of_inspect:
        document = output_schema()
    else:
        from wpfsm.adapters.documents.loop_file_schema import loop_file_schema

        document = loop_file_schema()
    emit(given, document, json.dumps(document, indent=2))
    return 0


def output_schema() -> dict[str, JSON]:
    """The JSON Schema (2020-12) of a loop's document, ``wpfsm/1``."""
    text = (
        importlib.resources.files("wpfsm.adapters.documents")
        .joinpath("loop_schema.json")
        .read_text(encoding="utf-8")
    )
    document: dict[str, JSON] = json.loads(text)
    return document
