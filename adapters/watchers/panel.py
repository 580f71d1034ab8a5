"""The panel of the live view: rows and what moves between them, drawn. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from wpfsm.adapters.terminal.visible import visible
from wpfsm.adapters.watchers.snapshot import PoolActivity, Snapshot
from wpfsm.fsm.failures.redact import redact
from wpfsm.fsm.records import Loop, State
from wpfsm.fsm.units import duration, usd

TAIL = 5
VALUES = 40
_BARS = "▁▂▃▄▅▆▇█"
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
_HEAT: dict[PoolActivity, str] = {
    "none": "dim",
    "starting": "yellow",
    "busy": "green",
    "idle": "cyan",
    "gone": "red",
}
STATE_STYLE: dict[State, str] = {
    State.RUNNING: "green",
    State.DIAGNOSING: "magenta",
    State.RELEASING: "yellow",
    State.CLOSED: "bold",
}


@dataclass
class Moving:
    """What no row holds: it comes from the controller as it happens."""

    job: str = ""
    values: deque[float] = field(default_factory=lambda: deque(maxlen=VALUES))
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))
    waiting: str = ""
    waiting_since: float = 0.0
    waiting_until: float | None = None

    def follow(self, job: str) -> None:
        """Start afresh when another job runs."""
        if job != self.job:
            self.job = job
            self.values.clear()
            self.tail.clear()


ROOM = 4
"""Columns that stay free at the right: a terminal echoes ^C behind the frame, and must not begin a line with it."""


def panel(
    loop: Loop, look: Snapshot, moving: Moving, total: int | None, now: float, width: int | None = None
) -> RenderableType:
    """The panel as of ``now``, in a terminal of so many columns."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim", no_wrap=True, min_width=6)
    grid.add_column(overflow="ellipsis", no_wrap=True, ratio=1)
    for name, text in _fields(loop, look, moving, total, now):
        grid.add_row(name, text)
    parts: list[RenderableType] = [grid]
    if moving.tail:
        parts.append(
            Rule(
                Text(f"log of {moving.job}" if moving.job else "log", style="dim"), style="dim", align="left"
            )
        )
        parts += [Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in moving.tail]
    style = STATE_STYLE.get(loop.state, "blue")
    title = Text.assemble((loop.id, "bold"), " · ", (str(loop.state), style))
    return Panel(
        Group(*parts),
        title=title,
        title_align="left",
        subtitle=Text(span(now - loop.created_at), style="dim"),
        subtitle_align="right",
        border_style=style,
        width=max(20, width - ROOM) if width else None,
    )


def _fields(
    loop: Loop, look: Snapshot, moving: Moving, total: int | None, now: float
) -> list[tuple[str, Text]]:
    rows = [("trial", _trial(look, total, now)), ("job", _job(look, now)), ("pool", _pool(look, now))]
    rows.append(("cost", _cost(look)))
    if look.metric:
        rows.append(("metric", _metric(look, moving)))
    rows.append(("now", _waiting(loop, moving, now)))
    return rows


def _trial(look: Snapshot, total: int | None, now: float) -> Text:
    if look.trial is None:
        return Text(f"{total} to come" if total else "none yet", style="dim")
    of = f" of {total}" if total else ""
    smoke = " (smoke run)" if look.trial.smoke else ""
    text = Text.assemble((f"{look.trial.number}{of}", "bold"), f"  {clean(look.trial.label)}{smoke}")
    if left := look.left(total, now):
        text.append(f"  about {span(left)} left", style="dim")
    return text


def _job(look: Snapshot, now: float) -> Text:
    job = look.job
    if job is None:
        return Text("none yet", style="dim")
    status = (
        job.status if job.secondary_status in ("", job.status) else f"{job.status} · {job.secondary_status}"
    )
    text = Text.assemble(
        (str(job.number), "bold"), f"  {job.name}  ", (status, "red" if job.status == "Failed" else "")
    )
    if job.ended_at is None and job.created_at is not None:
        text.append(f"  {span(now - job.created_at)}", style="dim")
    if look.failed:
        text.append(f"  {look.failed} failed so far", style="red")
    return text


def _pool(look: Snapshot, now: float) -> Text:
    pool = look.pool
    text = Text(pool.text, style=_HEAT[pool.heat])
    if pool.expires_at is not None:
        left = pool.expires_at - now
        # Late by minutes is normal: the service ends a pool in its own time.
        countdown = (
            f"{span(left)} until the service releases it" if left > 0 else "its keep-alive has run out"
        )
        text.append(f", {countdown}", style="yellow" if left < 60 else "")
    if pool.usd_per_hour is not None and pool.heat in ("idle", "busy"):
        text.append(f"  {usd(pool.usd_per_hour)}/h", style="dim")
    return text


def _cost(look: Snapshot) -> Text:
    text = Text(f"{usd(look.cost_usd, estimated=look.estimated)} so far")
    if look.worst_usd is None:
        text.append("  price not known: set pool.price_per_hour", style="dim")
    elif look.worst_usd:
        text.append(f"  at worst {usd(look.worst_usd)} more if this controller died now", style="dim")
    return text


def _metric(look: Snapshot, moving: Moving) -> Text:
    text = Text(f"{look.metric} ")
    values = list(moving.values)
    if values:
        text.append(f"{values[-1]:.6g}", style="bold")
        if len(values) > 1:
            text.append(f"  {sparkline(values)}", style="cyan")
    else:
        text.append("no value yet", style="dim")
    if len(look.previous) > 1:
        text.append(f"  by trial {sparkline(look.previous[-VALUES:])}", style="dim")
    if look.best and look.best.metric is not None:
        text.append(
            f"  best {look.best.metric:.6g} (trial {look.best.number}: {clean(look.best.label)})",
            style="green",
        )
    return text


def _waiting(loop: Loop, moving: Moving, now: float) -> Text:
    if not moving.waiting:
        return Text(str(loop.state).lower(), style="dim")
    text = Text(f"waiting: {clean(moving.waiting)}")
    text.append(f"  {span(now - moving.waiting_since)}", style="dim")
    if moving.waiting_until is not None:
        text.append(f", at most {span(moving.waiting_until - now)} more", style="dim")
    return text


def span(value: float) -> str:
    """Whole seconds, so that a countdown does not flicker: ``7s``, ``9m12s``."""
    whole = max(0, int(value))
    return f"{whole}s" if whole < 60 else duration(whole)


def sparkline(values: Sequence[float]) -> str:
    """A bar a value, from the least to the greatest."""
    low, high = min(values), max(values)
    if high <= low:
        return _BARS[0] * len(values)
    return "".join(_BARS[round((value - low) / (high - low) * (len(_BARS) - 1))] for value in values)


def clean(text: str) -> str:
    """Text of a log as a terminal may show it: no control sequences, no secrets, the last state of a bar.

    What is left that could act or hide is written out.
    """
    last = text.rstrip("\r\n").rpartition("\r")[2]
    return visible(redact(_CONTROL.sub("", last)))
