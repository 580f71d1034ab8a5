"""Starts and wakes the engine's executions: one a loop at a time, each a generation of it."""

from __future__ import annotations

import contextlib
import json
import time

from botocore.exceptions import BotoCoreError, ClientError

from wpfsm.adapters.engine.place import SWEPT, Place
from wpfsm.fsm.errors import Refused, StoreError
from wpfsm.fsm.records import JSON
from wpfsm.state.shared import wake
from wpfsm.state.shared.items import LOOP
from wpfsm.state.shared.table import Item, Update, Value

GRACE_SECONDS = 300.0
"""How late a loop's next look may be before its execution is taken for dead."""


def begin(place: Place, loop_id: str, after: int) -> int:
    """Start the generation after ``after``; returns it, or the one that somebody else has started meanwhile.

    Raises:
        Refused: No engine was deployed with the table.
        StoreError: The engine did not take it; the sweep starts it later.
    """
    if not place.function:
        raise Refused(
            f"{place.table.name} has no engine: nothing would drive {loop_id}",
            fix=f"wpfsm deploy, or wpfsm turn {loop_id} again and again",
        )
    generation = after + 1
    due: dict[str, Value | None] = {"generation": generation, "due": time.time() + GRACE_SECONDS}
    item = place.table.update(Update(loop_id, LOOP, due, {"generation": after}))
    if item is None:
        now = place.table.get(loop_id, LOOP)
        return int(now["generation"]) if now else after
    try:
        place.functions.invoke(
            FunctionName=place.function,
            InvocationType="Event",
            DurableExecutionName=f"{loop_id}-g{generation}",
            Payload=json.dumps({"loop": loop_id, "generation": generation}).encode(),
        )
    except (ClientError, BotoCoreError) as error:
        # Late from now on: the next sweep takes it, and until then a stop or a resume does not wait for anybody.
        late = time.time() - GRACE_SECONDS
        place.table.update(Update(loop_id, LOOP, {"due": late, "look_at": late}, {"epoch": item["epoch"]}))
        raise StoreError(
            f"the engine did not take {loop_id}: {error}",
            fix="the sweep starts it within 20 minutes; wpfsm doctor says what is wrong",
        ) from error
    return generation


def knock(place: Place, loop_id: str) -> bool:
    """Wake the loop's execution for a look now; False when it does not sleep, and looks soon anyway."""
    callback = wake.knock(place.table, loop_id)
    if not callback:
        return False
    with contextlib.suppress(ClientError, BotoCoreError):
        # A callback that is over: its execution is awake already, and its timer is the net in any case.
        place.functions.send_durable_execution_callback_success(CallbackId=callback)
        return True
    return False


def sweep(place: Place, now: float) -> list[str]:
    """Give every loop that is late a new generation; returns their ids.

    An engine does not guarantee the end of what it runs: it gives up after some failures, and can be stopped.
    A loop that it does not take keeps no other one waiting; the next sweep tries again.
    """
    begun: list[str] = []
    refused: list[str] = []
    for listed in place.table.indexed("unfinished", "yes"):
        if float(listed["due"]) + GRACE_SECONDS > now:
            break  # in the order of ``due``
        item = place.table.get(str(listed["pk"]), LOOP)
        if item is not None and is_late(item, now):
            try:
                begin(place, str(item["pk"]), int(item["generation"]))
                begun.append(str(item["pk"]))
            except StoreError as error:
                refused.append(f"{item['pk']} ({error})")
    values: dict[str, Value | None] = {
        "at": now,
        "begun": len(begun),
        "last": ", ".join(begun)[:1000],
        "refused": ", ".join(refused)[:1000],
    }
    place.table.update(Update(SWEPT, SWEPT, values))
    return begun


def is_late(item: Item, now: float) -> bool:
    """Whether a loop that an engine drives should have been looked at, and was not."""
    driven = int(item["generation"]) > 0 and bool(item.get("unfinished")) and not item.get("handoff")
    return driven and float(item["due"]) + GRACE_SECONDS <= now


def job_event(place: Place, detail: JSON) -> bool:
    """A training job changed its status: knock at its loop. Events repeat and may be missing; a knock is cheap."""
    name = detail.get("TrainingJobName") if isinstance(detail, dict) else None
    loop_id = str(name or "").rpartition("-")[0]
    if not loop_id or place.table.get(loop_id, LOOP) is None:
        return False
    return knock(place, loop_id)
