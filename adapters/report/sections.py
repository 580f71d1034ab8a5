"""The page's text: what came of the loop, its jobs, its failures, its receipt. Every word is escaped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from wpfsm.adapters.report.facts import Facts
from wpfsm.adapters.report.html import Child, Markup, el, join
from wpfsm.adapters.watchers.run_log import masked
from wpfsm.fsm.records import EXIT_CODES, Job, Outcome, Question, State
from wpfsm.fsm.units import duration, usd

GOOD = frozenset({Outcome.GOAL_MET, Outcome.COMPLETED})
NONE = "-"
"""What is not known, or does not apply."""


def header(facts: Facts) -> Markup:
    """Which loop, how it ended, and why."""
    loop = facts.loop
    tone = "good" if loop.outcome in GOOD else "bad" if loop.outcome else "open"
    badge = str(loop.outcome or loop.state).replace("_", " ")
    code = f"exit code {EXIT_CODES[loop.outcome]}" if loop.outcome and loop.state is State.CLOSED else ""
    facts_line = [
        loop.id,
        loop.backend,
        loop.region,
        *([loop.account] if loop.account else []),
        stamp(loop.created_at),
    ]
    return el(
        "header",
        el("div", el("h1", loop.name), el("span", badge, class_=f"badge {tone}", title=code), class_="title"),
        el("p", loop.why, class_="why") if loop.why else None,
        el("p", " · ".join(facts_line), class_="muted"),
        None
        if loop.state is State.CLOSED
        else el("p", f"Still open: as of {stamp(facts.now)}.", class_="note"),
    )


def tiles(facts: Facts) -> Markup:
    """The six figures that matter."""
    ledger = facts.ledger
    jobs = facts.jobs
    starts = [f"{sum(j.start == kind for j in jobs)} {kind}" for kind in ("cold", "warm")]
    failed = sum(job.diagnosis is not None for job in jobs)
    return el(
        "div",
        _tile("best", *_best(facts)),
        _tile("jobs", str(len(jobs)), ", ".join([*starts, *([f"{failed} failed"] if failed else [])])),
        _tile(
            "wall time",
            duration(ledger.wall_seconds) if jobs else NONE,
            _faster(ledger.speedup) if jobs else "",
        ),
        _tile("cost", usd(ledger.cost_usd, estimated=not ledger.final), _against_cold(facts)),
        _tile("pool", *_pool(facts)),
        class_="tiles",
    )


def _tile(name: str, value: Child, more: Child, tone: str = "") -> Markup:
    return el(
        "div",
        el("div", name, class_="name"),
        el("div", value, class_="value"),
        el("div", more, class_="more"),
        class_=f"tile {tone}".strip(),
    )


def _faster(speedup: float | None) -> str:
    if speedup is None:
        return "the same jobs cold: not known"
    return "as fast as cold" if abs(speedup - 1) < 0.05 else f"{speedup:.1f}x as fast as cold"


def _best(facts: Facts) -> tuple[str, str]:
    if facts.best is None or facts.best.metric is None:
        return NONE, "no metric asked for" if not facts.metric else f"no trial has reported {facts.metric}"
    return f"{facts.best.metric:.6g}", f"{facts.metric}, trial {facts.best.number}: {facts.best.label}"


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


def _pool(facts: Facts) -> tuple[str, str, str]:
    owed = facts.owed()
    if facts.loop.receipt is not None and not owed:
        return (
            ("released", "read back from the service", "good")
            if facts.jobs
            else ("none", "never created", "")
        )
    if owed:
        closing = facts.loop.state in (State.RELEASING, State.CLOSED)
        return "not confirmed" if closing else "held", f"owed: {', '.join(owed)}", "bad" if closing else ""
    return "none", "none is owed", ""


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


def jobs_table(facts: Facts) -> Markup:
    """Every job, and what changed from the one before."""
    names = [
        "job",
        "changed",
        "start",
        "status",
        *([facts.metric] if facts.metric else []),
        "startup",
        "install",
        "training",
        "idle",
        "cost",
        "source",
    ]
    numeric = {facts.metric, "startup", "install", "training", "idle", "cost"}
    head = el("tr", [el("th", name, class_="num" if name in numeric else None) for name in names])
    return el(
        "div",
        el(
            "table",
            el("thead", head),
            el("tbody", [_job_row(facts, job) for job in facts.jobs]),
            class_="jobs",
        ),
        class_="scroll",
    )


def _job_row(facts: Facts, job: Job) -> Markup:
    line, value = facts.line(job), facts.value(job)
    per_instance = (line.retained_seconds or 0.0) / facts.instances if line else None
    changed = ", ".join(facts.changed(job)) or "nothing"
    trial = facts.trial(job)
    kind = f"trial {job.trial}" + (", smoke run" if trial and trial.smoke else "")
    cells: list[Child] = [
        el("td", el("b", job.number), el("div", kind, class_="muted small"), title=job.name),
        el("td", changed, class_="changed"),
        el("td", el("span", job.start, class_=f"pill {job.start}") if job.start else NONE),
        el("td", _status(job)),
    ]
    if facts.metric:
        star = "★ " if facts.is_best(job) else ""
        cells.append(el("td", NONE if value is None else f"{star}{value:.6g}", class_="num"))
    cells += [
        el("td", _span(job.startup_seconds), class_="num"),
        el("td", _span(job.install_seconds), class_="num"),
        el("td", _span(line.training_seconds if line else None), class_="num"),
        el("td", _span(per_instance), class_="num"),
        el("td", usd(line.cost_usd, estimated=line.estimated) if line else NONE, class_="num"),
        el("td", el("code", job.source_digest[:8]) if job.source_digest else NONE),
    ]
    tone = "best" if facts.is_best(job) else "failed" if job.diagnosis is not None else None
    return el("tr", cells, class_=tone)


def _status(job: Job) -> Child:
    text: list[Child] = [job.status]
    if job.diagnosis is not None:
        link = el("a", job.diagnosis.class_, href=f"#failure-{job.number}")
        text.append(el("div", link, class_="small"))
    elif job.stopped_for:
        text.append(el("div", job.stopped_for.replace("_", " "), class_="muted small"))
    return text


def handoff(facts: Facts) -> Markup | None:
    """An open hand-off: what to do now."""
    packet = facts.loop.handoff
    if packet is None:
        return None
    until = facts.loop.hold_until
    held = ""
    if until:
        over = until <= facts.now
        held = f"The pool {'was' if over else 'is'} held until {stamp(until)}{', the next job starts cold' * over}. "
    if isinstance(packet, Question):
        lines = [" ".join(words) for words in (packet.resume, packet.give_up)]
        asked = "a proposal" if packet.kind == "ask" else "a limit to be raised"
        return el(
            "div",
            el("p", el("b", f"This loop waits for {asked}. "), held, packet.why),
            el("pre", "\n".join(lines)),
            class_="callout",
        )
    return el(
        "div",
        el("p", el("b", "This loop waits for a patch. "), held, "Edit the source, then:"),
        el(
            "pre",
            f"wpfsm resume {facts.loop.id}\nwpfsm resume {facts.loop.id} --abandon   # give up, release the pool",
        ),
        class_="callout",
    )


def receipt(facts: Facts) -> Markup:
    """The proof that nothing is billing any more, or what is missing from it."""
    given, owed = facts.loop.receipt, facts.owed()
    if not given or owed:
        what = f"Not yet released: {', '.join(owed)}. " if owed else "No receipt yet. "
        return el(
            "p", what, el("code", f"wpfsm release {facts.loop.id}"), class_="callout" if owed else "muted"
        )
    if not facts.obligations:
        return el("p", "No job was created, so there was nothing to release.", class_="muted")
    rows = [
        el(
            "tr",
            el("td", el("code", o.job_name)),
            el("td", o.evidence),
            el("td", stamp(o.discharged_at)),
        )
        for o in facts.obligations
    ]
    where = " · ".join(part for part in (given.account, given.region) if part)
    return join(
        [
            el("p", f"Every pool was released and read back by {stamp(given.at)}. {where}", class_="good"),
            el(
                "div",
                el(
                    "table",
                    el("thead", el("tr", [el("th", n) for n in ("job", "what was read", "when")])),
                    el("tbody", rows),
                ),
                class_="scroll short",
            ),
        ]
    )


def history(facts: Facts) -> Markup:
    """Every event, folded."""
    rows = [
        el(
            "tr",
            el("td", e.seq, class_="num"),
            el("td", stamp(e.at)),
            el("td", el("code", e.kind)),
            el("td", f"{e.source} → {e.target}" if e.source != e.target else e.target),
            el("td", e.why),
        )
        for e in facts.events
    ]
    head = el("tr", [el("th", name) for name in ("seq", "at", "event", "state", "why")])
    table = el("div", el("table", el("thead", head), el("tbody", rows)), class_="scroll")
    return el(
        "details", el("summary", el("b", "History"), el("span", f"{len(rows)} events", class_="muted")), table
    )


def loop_file(facts: Facts) -> Markup:
    """The effective loop file, folded; an address of a notification loses all but its host."""
    shown = dict(facts.loop.loop_file)
    if isinstance(notify := shown.get("notify"), Mapping) and isinstance(
        urls := notify.get("urls"), Sequence
    ):
        shown["notify"] = {
            **notify,
            "urls": [f"{urlsplit(str(u)).scheme}://{urlsplit(str(u)).hostname or ''}/…" for u in urls],
        }
    text = json.dumps(masked(shown), indent=2, ensure_ascii=False)
    return el(
        "details",
        el("summary", el("b", "Loop file"), el("span", "as it took effect", class_="muted")),
        el("pre", text),
    )


def stamp(at: float | None) -> str:
    """A moment in UTC, for people."""
    return NONE if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _span(value: float | None) -> str:
    return NONE if value is None else duration(value)
