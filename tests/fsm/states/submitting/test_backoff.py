"""The keep-alive: renewed for as long as the controller knows that it will wait, and advised from the gaps."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from crash_world import LOOP_ID, Crash
from watched_world import Watched, loop_file

from wpfsm.adapters.emulator.engine.settings import Settings, Switches
from wpfsm.adapters.emulator.runner.base import Launch
from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm.context import Context
from wpfsm.fsm.loopfile.model import LoopFile, with_keep_alive
from wpfsm.fsm.pool.keep_alive import default_keep_alive
from wpfsm.fsm.states.submitting.backoff import extend_keep_alive
from wpfsm.state.codec import encode_field

FIRST = "story-001"


def backing_off(world: Watched, seconds: float) -> Callable[[], None]:
    """What Diagnosing leaves behind when a retry is to wait: a time before which nothing is submitted."""

    def wait() -> None:
        connection = world.connect()
        until = encode_field("wait_until", world.clock.now() + seconds)
        connection.execute("update loops set wait_until = ? where id = ?", (until, LOOP_ID))
        connection.commit()
        connection.close()

    return wait


def updates(world: Watched) -> list[int]:
    """The keep-alives that were asked for after a job's end, the releases left out."""
    asked = [int(intent.argument) for intent in intents(world) if intent.kind == "update"]
    return [seconds for seconds in asked if seconds]


def intents(world: Watched) -> list[Any]:
    with world.history() as history:
        return list(history.intents(LOOP_ID))


@pytest.mark.parametrize("counts_from", ["pool_start", "update"])
def test_pool_is_kept_through_a_long_backoff(counts_from: str) -> None:
    """A wait longer than the keep-alive renews it once, so that the retry starts warm, however it is counted."""
    settings = Settings(cold_start=120, warm_start=10, switches=Switches(keep_alive_counts_from=counts_from))
    world = Watched(loop_file(pool={"keep_alive": "5m"}), settings=settings)
    result = world.run({"after commit proceed": backing_off(world, 800)})
    assert result.exit_code == 0
    assert [job.start for job in world.jobs()] == ["cold", "warm"]
    (asked,) = updates(world)
    assert 800 <= asked <= 900
    assert any("the next job comes in " in event.why for event in world.events("update_intended"))


def test_short_backoff_renews_nothing() -> None:
    """A wait that the keep-alive covers costs no call."""
    world = Watched()
    world.run({"after commit proceed": backing_off(world, 300)})
    assert updates(world) == []
    assert [job.start for job in world.jobs()] == ["cold", "warm"]


def test_renewal_stops_at_the_documented_cap() -> None:
    """A wait beyond 60 minutes is not covered whole: the cap is asked for, once."""
    world = Watched()

    def die() -> None:
        raise Crash

    with contextlib.suppress(Crash):
        world.run({"after commit verified": die})
    with contextlib.closing(world.controller()) as owned:
        ctx = Context(owned.ports)
        for _ in range(3):
            extend_keep_alive(ctx, world.clock.now() + 5000)
    assert updates(world) == [3600]


def test_refused_renewal_is_not_repeated() -> None:
    """A pool that is gone refuses the update; it is asked once, and the cold start is explained."""
    world = Watched(loop_file(pool={"keep_alive": "5m"}))

    def wait_and_lose() -> None:
        backing_off(world, 800)()

    result = world.run({
        "after commit proceed": wait_and_lose,
        "before call service.set_keep_alive": lambda: world.release_outside(FIRST),
    })  # fmt: skip
    assert result.exit_code == 0
    assert len(updates(world)) == 1
    assert world.losses()[0]["cause"] == "released_outside"


def test_hand_off_holds_the_pool_for_the_announced_time() -> None:
    """A hand-off sets the keep-alive so that the pool lasts as long as was announced, and no longer."""
    world = Watched(
        loop_file(on_failure=[{"when": "any", "do": "handoff", "hold": "20m"}]),
        script=lambda _: Script(seconds=100, lines=["ValueError: no"], exit_code=1),
    )
    result = world.run()
    assert result.exit_code == 10
    hold = world.loop().hold_until
    ended = world.jobs()[0].ended_at
    assert hold is not None
    assert ended is not None
    assert updates(world) == [round(hold - ended)]
    assert 1200 <= hold - ended <= 1260


def test_defaults_follow_the_driver() -> None:
    """10 minutes when a program drives, 30 when a person does; a stated keep-alive stays."""
    file = LoopFile.model_validate({"version": 1, "name": "a", **loop_file(pool={"keep_alive": None})})
    assert with_keep_alive(file, default_keep_alive("program")).pool.keep_alive == 600
    assert with_keep_alive(file, default_keep_alive("person")).pool.keep_alive == 1800
    stated = LoopFile.model_validate({"version": 1, "name": "a", **loop_file(pool={"keep_alive": "7m"})})
    assert with_keep_alive(stated, 1800).pool.keep_alive == 420


def test_gaps_of_the_loop_advise_a_keep_alive() -> None:
    """After enough gaps the page recommends a keep-alive from them, with its arithmetic; two say nothing."""

    def script(_: Launch) -> Script:
        return Script(seconds=100, lines=["loss=0.5"])

    world = Watched(loop_file(6), script=script)
    pages: list[Any] = []
    world.run({"after commit submitted": lambda: pages.append(world.document()["pool"]["advice"])})
    assert pages == [None]
    advice = world.document()["pool"]["advice"]
    assert advice["hold"] is True
    assert advice["keep_alive_seconds"] == 60
    assert "95 % of 5 gaps are within" in advice["why"]
    assert f"keep  {advice['why']}" in world.inspect()
