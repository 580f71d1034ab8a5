"""Starts and wakes the engine's executions: one a loop at a time, each a generation of it; of a group one a lane.

A lane's execution is named by the lane and the generation, and is begun by whoever raises the generation: so a
start, a resume and a sweep that come together begin it once.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Collection

from botocore.exceptions import BotoCoreError, ClientError

from wpfsm.adapters.engine.place import SWEPT, Place
from wpfsm.fsm.errors import Refused, StoreError
from wpfsm.fsm.records import JSON, Loop, State
from wpfsm.state.shared import wake
from wpfsm.state.shared.items import LOOP, ROW, record_of
from wpfsm.state.shared.table import Item, Update, Value
from wpfsm.state.shared.working_set import lanes_of

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


def knock_lanes(place: Place, loop: Loop, *, besides: str = "", states: Collection[State] = ()) -> None:
    """Wake the execution of every open lane of a loop's group; of a loop without lanes, its own.

    Args:
        place: Where the rows are.
        loop: Any lane.
        besides: The lane that need not be woken.
        states: Only lanes in one of these; empty for all.
    """
    for item in lanes_of(place.table, loop.group) if loop.lane else [{"pk": loop.id, "unfinished": "yes"}]:
        if item["pk"] != besides and item.get("unfinished") and (not states or item["state"] in states):
            knock(place, str(item["pk"]))


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
        if item is not None and (is_late(item, now) or _was_left_out(place, item, now)):
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


def _was_left_out(place: Place, item: Item, now: float) -> bool:
    """Whether a lane was never begun, though its group goes on: who started it died between two lanes."""
    if int(item["generation"]) or item.get("listed") or float(item["due"]) + GRACE_SECONDS > now:
        return False
    first = place.table.get(record_of(Loop, item, place.blobs).group, LOOP)
    return first is not None and int(first["generation"]) > 0


def job_event(place: Place, detail: JSON) -> bool:
    """A training job changed its status: knock at its loop. Events repeat and may be missing; a knock is cheap."""
    name = detail.get("TrainingJobName") if isinstance(detail, dict) else None
    loop_id, _, number = str(name or "").rpartition("-")
    if not loop_id or place.table.get(loop_id, LOOP) is None:
        return False
    return knock(place, _lane_of(place, loop_id, number))


def _lane_of(place: Place, group: str, number: str) -> str:
    """The lane that runs a job, by the job's number; the loop itself where it has no lanes."""
    job = place.table.get(group, f"{ROW}JOB#{int(number):06}") if number.isdecimal() else None
    lane = int(job.get("lane", 0)) if job else 0
    return str(lanes_of(place.table, group)[lane - 1]["pk"]) if lane > 1 else group
