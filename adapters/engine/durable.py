"""The durable function: a turn is a step, and between two turns it sleeps until an event or the next look.

The engine is clock, retrier and single runner. It decides from what its steps returned and from nothing else, so
that a replay decides the same; a step runs again after a crash, and epoch and job names make that safe. No
``finally`` stands around a wait: a suspension passes through as an exception.
"""

from __future__ import annotations

import functools
import math
import os
from typing import Any

from aws_durable_execution_sdk_python import CallbackError, DurableContext, durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration

from wpfsm.adapters.engine import executions, place, turns
from wpfsm.state.shared import wake

MOST_TURNS = 500
"""An execution may have 3,000 operations, and a turn with its sleep is three: the next generation goes on in time."""
SHORT_SECONDS = 10
"""Below this a wait needs no event."""


@functools.cache
def _here() -> place.Place:
    return place.connect(os.environ["WPFSM_DB"])


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    """Drive one loop: ``{"loop": ID, "generation": N}``."""
    loop_id, generation = str(event["loop"]), int(event["generation"])
    for _ in range(MOST_TURNS):
        taken: dict[str, Any] = context.step(
            lambda _: turns.take(_here(), loop_id, generation=generation), name="turn"
        )
        if taken["over"]:
            return taken
        _wait(context, loop_id, taken)
    following = context.step(lambda _: executions.begin(_here(), loop_id, generation), name="go on")
    return {"loop": loop_id, "over": False, "continued_as": following}


def _wait(context: DurableContext, loop_id: str, taken: dict[str, Any]) -> None:
    seconds = max(1, math.ceil(taken["seconds"]))
    if seconds < SHORT_SECONDS:
        context.wait(Duration(seconds))
        return
    callback: Any = context.create_callback("wake", CallbackConfig(timeout=Duration(seconds)))
    asleep = context.step(
        lambda _: wake.arm(_here().table, loop_id, callback.callback_id, int(taken["knocks"])), name="arm"
    )
    if asleep:
        try:
            callback.result()
        except CallbackError:
            return  # nobody knocked, and it is time to look
