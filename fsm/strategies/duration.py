"""The type of a duration in a loop file: written ``90s``, ``10m``, ``1h``, held in seconds."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from wpfsm.fsm.units import DURATION_PATTERN, parse_duration, short_duration

Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(short_duration, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN, "examples": ["90s", "10m", "1h"]}),
]
