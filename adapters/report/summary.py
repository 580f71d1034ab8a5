"""What came of the loop, in the figures that matter, and what they rest on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.words import NONE, moment, number
from wpfsm.adapters.watchers.run_log import masked
from wpfsm.fsm.records import EXIT_CODES, Outcome, State
from wpfsm.fsm.records.handoff import Question
from wpfsm.fsm.units import duration, usd

GOOD = frozenset({Outcome.GOAL_MET, Outcome.COMPLETED})
Tone = Literal["", "good", "bad", "open"]


@dataclass(frozen=True)
class Header:
    """Which loop, and how it ended.

    Attributes:
        badge: The outcome, or the state while it is open.
        tone: How it is coloured.
        code: Its exit code in words; empty while it is open.
        where: Id, backend, region, account, beginning.
    """

    badge: str
    tone: Tone
    code: str
    where: str


def header(facts: Facts) -> Header:
    """Which loop, and how it ended."""
    loop = facts.loop
    closed = loop.state is State.CLOSED
    where = [loop.id, loop.backend, loop.region, loop.account, moment(loop.created_at)]
    return Header(
        badge=str(loop.outcome or loop.state).replace("_", " "),
        tone="good" if loop.outcome in GOOD else "bad" if loop.outcome else "open",
        code=f"exit code {EXIT_CODES[loop.outcome]}" if loop.outcome and closed else "",
        where=" · ".join(part for part in where if part),
    )


@dataclass(frozen=True)
class Tile:
    """One figure: its name, its value, and what is to be said about it.

    Attributes:
        name: What it is.
        value: The figure.
        more: About it.
        tone: How it is coloured.
        parts: What the whole consists of, as a bar: the colour's name and the share of each part, from 0 to 1.
    """

    name: str
    value: str
    more: str = ""
    tone: Tone = ""
    parts: Sequence[tuple[str, float]] = ()


def tiles(facts: Facts) -> list[Tile]:
    """The figures that matter."""
    ledger, jobs = facts.ledger, facts.jobs
    starts = [f"{sum(job.start == kind for job in jobs)} {kind}" for kind in ("cold", "warm")]
    failed = sum(job.diagnosis is not None for job in jobs)
    return [
        _best(facts),
        Tile("jobs", str(len(jobs)), ", ".join([*starts, *([f"{failed} failed"] if failed else [])])),
        Tile(
            "wall time",
            duration(ledger.wall_seconds) if jobs else NONE,
            _faster(ledger.speedup) if jobs else "",
        ),
        Tile("cost", usd(ledger.cost_usd, estimated=not ledger.final), _against_cold(facts)),
        _trained(facts),
        _pool(facts),
    ]


def _faster(speedup: float | None) -> str:
    if speedup is None:
        return "the same jobs cold: not known"
    return "as fast as cold" if abs(speedup - 1) < 0.05 else f"{speedup:.1f}x as fast as cold"


def _best(facts: Facts) -> Tile:
    best = facts.best
    if best is None or best.metric is None:
        missing = f"no trial has reported {facts.metric}" if facts.metric else "no metric asked for"
        return Tile("best", NONE, missing)
    return Tile("best", number(best.metric), f"{facts.metric}, trial {best.number}: {best.label}")


def _against_cold(facts: Facts) -> str:
    ledger = facts.ledger
    if ledger.price_per_hour is None:
        return "price not known"
    if ledger.saved_usd is None or not facts.jobs:
        return ""
    if abs(ledger.saved_usd) < 0.00005:
        return "as much as cold"
    word = "less" if ledger.saved_usd > 0 else "more"
    return f"{usd(abs(ledger.saved_usd))} {word} than cold"


def _trained(facts: Facts) -> Tile:
    """Of the seconds that are billed, those in which scripts ran, and what the others went into."""
    ledger = facts.ledger
    billed, idle = ledger.billable_seconds or 0.0, ledger.retained_seconds or 0.0
    paid = billed + idle
    if paid <= 0:
        return Tile("trained", NONE, "nothing was billed" if not facts.jobs else "no billed second is known")
    if ledger.trained_share is None:
        parts = {"training": billed / paid, "idle": idle / paid}
        about = f"of the billed seconds, installation included; idle {idle / paid:.0%}"
        return Tile("trained", f"≤ {billed / paid:.0%}", about, parts=list(parts.items()))
    install = (ledger.install_seconds or 0.0) * facts.instances / paid
    upload = (ledger.upload_seconds or 0.0) * facts.instances / paid
    parts = {"training": ledger.trained_share, "install": install, "upload": upload, "idle": idle / paid}
    rest = [f"{name} {share:.0%}" for name, share in list(parts.items())[1:] if share >= 0.005]
    about = "of the billed seconds" + (f"; {', '.join(rest)}" if rest else "")
    return Tile("trained", f"{ledger.trained_share:.0%}", about, parts=list(parts.items()))


def _pool(facts: Facts) -> Tile:
    owed = facts.owed()
    if facts.loop.receipt is not None and not owed:
        if not facts.jobs:
            return Tile("pool", "none", "never created")
        return Tile("pool", "released", "read back from the service", "good")
    if not owed:
        return Tile("pool", "none", "none is owed")
    closing = facts.loop.state in (State.RELEASING, State.CLOSED)
    return Tile(
        "pool", "not confirmed" if closing else "held", f"owed: {', '.join(owed)}", "bad" if closing else ""
    )


def cost_note(facts: Facts) -> str:
    """What the comparison rests on."""
    ledger = facts.ledger
    if not facts.jobs:
        return ""
    cold = ledger.cold
    origin = (
        "the median of this loop's cold starts"
        if cold.measured
        else "an assumption: no cold start was measured"
    )
    text = f"Cold: the same jobs, each warm start replaced by {duration(cold.start_seconds)}, {origin}, and no idle pool."
    if ledger.price_per_hour is not None:
        text += (
            f" ${ledger.price_per_hour:g} an hour and instance ({ledger.price_source}, {ledger.price_date})."
        )
    text += (
        " Starting up is billed."
        if ledger.bill_provisioning
        else " Starting up is not billed; an idle pool is."
    )
    if ledger.trained_share is not None:
        text += f" Scripts ran in {ledger.trained_share:.0%} of the billed seconds."
    if not ledger.final:
        text += " Some figures are estimates (~) until the service settles them."
    if not ledger.complete:
        text += " Some times are not known, so this is a part."
    return text


@dataclass(frozen=True)
class Waiting:
    """What an open hand-off waits for: in words, and the commands that go on."""

    what: str
    text: str
    commands: Sequence[str]


def waiting(facts: Facts) -> Waiting | None:
    """An open hand-off: what to do now."""
    packet = facts.loop.handoff
    if packet is None:
        return None
    until = facts.loop.hold_until
    held = ""
    if until:
        over = until <= facts.now
        held = f"The pool {'was' if over else 'is'} held until {moment(until)}{', the next job starts cold' * over}. "
    if isinstance(packet, Question):
        return Waiting(
            what="a proposal" if packet.kind == "ask" else "a limit to be raised",
            text=f"{held}{packet.why}",
            commands=[" ".join(words) for words in (packet.resume, packet.give_up)],
        )
    loop = facts.loop.id
    return Waiting(
        what="a patch",
        text=f"{held}Edit the source, then:",
        commands=[f"wpfsm resume {loop}", f"wpfsm resume {loop} --abandon   # give up, release the pool"],
    )


def loop_file(facts: Facts) -> str:
    """The effective loop file; an address of a notification loses all but its host."""
    shown = dict(facts.loop.loop_file)
    if isinstance(notify := shown.get("notify"), Mapping) and isinstance(
        urls := notify.get("urls"), Sequence
    ):
        shown["notify"] = {
            **notify,
            "urls": [f"{urlsplit(str(u)).scheme}://{urlsplit(str(u)).hostname or ''}/…" for u in urls],
        }
    return json.dumps(masked(shown), indent=2, ensure_ascii=False)
