"""Human forms of the documents: plain tables; fitted to a terminal, as wide as they are elsewhere."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from wpfsm.adapters.terminal.experiment_text import ask_lines
from wpfsm.adapters.terminal.moments import age, with_distance
from wpfsm.adapters.terminal.table import fit, short, table, wrap
from wpfsm.fsm.errors import FIX
from wpfsm.fsm.units import duration, usd

Document = Mapping[str, Any]


_PROSE = frozenset({"why", "best", "diff", "cost", "pool", "lost", "keep", "risk", "drive", ""})
"""Labels of the lines that are sentences. Evidence and commands are shown as they are."""


def loops_text(document: Document, width: int | None = None, *, none: str = "") -> str:
    """Every loop, newest first, and how to go on with one that nobody drives.

    Args:
        document: The loops.
        width: Columns of the terminal; None for no terminal.
        none: What is said when there are none.
    """
    rows = [("LOOP", "STATE", "OUTCOME", "JOBS", "CREATED (UTC)", "AGE", "WHY")]
    rows += [
        (
            loop["id"],
            loop["state"] + ("" if _is_driven(loop) else ", dead"),
            loop["outcome"] or "-",
            str(loop["jobs"]),
            loop["created_at"][:16].replace("T", " "),
            age(loop["created_at"]),
            short(loop["why"], 60),
        )
        for loop in document["loops"]
    ]
    if len(rows) == 1:
        return none or "no loops yet; wpfsm start FILE begins one"
    dead = [loop["id"] for loop in document["loops"] if not _is_driven(loop)]
    return "\n".join(
        [
            table(fit(rows, width, ("WHY",), ("CREATED (UTC)", "JOBS", "AGE"))),
            *(f"next  wpfsm resume {loop}  # its controller is dead" for loop in dead),
        ]
    )


def _is_driven(loop: Mapping[str, Any]) -> bool:
    """Whether a loop of the list needs nobody: it is closed, waits in a hand-off, or has a controller."""
    return bool(loop["state"] == "Closed" or loop["handoff"] or loop["alive"] is not False)


def loop_text(document: Document, width: int | None = None) -> str:
    """One loop: why it is where it is, its jobs, the best trial, the ledger, the pool, what to do next.

    Args:
        document: The loop.
        width: Columns of the terminal; None for no terminal.
    """
    loop, ledger = document["loop"], document["ledger"]
    best = document["best"]
    lines = [f"loop {loop['id']}: {loop['state']}" + (f", {loop['outcome']}" if loop["outcome"] else "")]
    lines += [f"{'why' if i == 0 else '':<6}{line}" for i, line in enumerate(_why(loop))]
    lines += _lane_lines(document, width)
    if document["jobs"]:
        rows = fit(
            _job_rows(document),
            width,
            ("CHANGED", "NOTE", "TRIAL"),
            ("IDLE", "STARTUP", "TRAINING", "CHANGED"),
        )
        lines += ["", table(rows), ""]
    lines += _phase_lines(document["phases"])
    if best:
        metric = best["metric"]
        lines.append(
            f"best  trial {best['trial']} ({best['label']}): {metric['name']} = {metric['value']:.6g}"
        )
    lines += [f"diff  {comparison['text']}" for comparison in document["comparisons"]]
    if ledger["jobs"]:
        lines.append(_ledger_line(ledger))
    lines.append(_pool_line(document))
    lines += [f"lost  {loss['why']}" for loss in document["pool"]["losses"]]
    if advice := document["pool"]["advice"]:
        lines.append(f"keep  {advice['why']}")
    lines += _risk_lines(document)
    lines += _controller_lines(document)
    lines = [wrap(line, width) if line[:6].strip() in _PROSE else line for line in lines]
    if handoff := document["handoff"]:
        lines += ["", *_handoff_lines(handoff), ""]
    lines += [f"next  {shlex.join(step['argv'])}  # {step['why']}" for step in document["next"]]
    return "\n".join(lines)


def _lane_lines(document: Document, width: int | None) -> list[str]:
    """A row for each lane while the group goes on: what it does, its pool, what it waits for."""
    lanes = document.get("lanes") or []
    if not lanes or document["loop"]["state"] == "Closed":
        return []
    rows = [("LANE", "STATE", "TRIAL", "JOB", "POOL", "WAITS FOR")]
    for lane in lanes:
        pool = lane["pool"]
        held = f"{pool['status'] or 'reported late'} ({pool['owner_job']})" if pool["held"] else "-"
        claimed = f"claims that of {lane['claims']}" if lane["claims"] else held
        state = f"{lane['state']}, {lane['outcome']}" if lane["outcome"] else lane["state"]
        waits = "an answer (hand-off)" if lane["handoff"] else lane["waits_for"] or "-"
        rows.append(
            (
                str(lane["lane"]),
                state,
                str(lane["trial"] or "-"),
                lane["job"] or "-",
                claimed,
                short(waits, 40),
            )
        )
    return ["", table(fit(rows, width, ("WAITS FOR", "POOL"), ("JOB",)))]


def _job_rows(document: Document) -> list[tuple[str, ...]]:
    metric = _metric_name(document)
    labels = {trial["number"]: trial["label"] for trial in document["trials"]}
    best = document["best"]
    rows: list[tuple[str, ...]] = [
        (
            "JOB",
            "TRIAL",
            "CHANGED",
            "START",
            "STATUS",
            metric or "METRIC",
            "STARTUP",
            "TRAINING",
            "IDLE",
            "COST",
            "NOTE",
        )
    ]
    for job in document["jobs"]:
        value = job["metrics"].get(metric) if metric else None
        is_best = bool(best) and best["job"] == job["name"]
        rows.append(
            (
                str(job["number"]),
                short(labels[job["trial"]], 28),
                short("; ".join(job["changes"]), 40) or "-",
                job["start"] or "-",
                job["status"],
                "-" if value is None else f"{value:.6g}{'*' * is_best}",
                duration(job["startup_seconds"]),
                duration(job["training_seconds"]),
                duration(job["retained_seconds"], estimated=job["estimated"]),
                usd(job["cost_usd"], estimated=job["estimated"]),
                short(_note(job, is_best=is_best), 60),
            )
        )
    return rows


def _note(job: Mapping[str, Any], *, is_best: bool) -> str:
    if not job["diagnosis"]:
        early = job["stopped_for"] == "early_stop" and job["status"] == "Stopped"
        return "stopped early" if early else "* best" if is_best else ""
    patch = f" -> {job['patch']['summary']}" if job["patch"] else ""
    return f"{job['diagnosis']['class']}{patch}"


def _phase_lines(phases: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where each phase stands; nothing for a loop with one strategy."""
    return [
        f"phase {phase['number']} {phase['type']}{_from(phase)}: {_came_to(phase)}"
        for phase in (phases if len(phases) > 1 else ())
    ]


def _from(phase: Mapping[str, Any]) -> str:
    return f" from trial {phase['base']}" if phase["base"] else ""


def _came_to(phase: Mapping[str, Any]) -> str:
    if not phase["trials"]:
        return str(phase["state"])
    text = f"{phase['trials']} trial(s), {phase['jobs']} job(s)"
    if phase["taken_over"]:
        text += f", {phase['taken_over']} taken over"
    return f"{text}, {usd(phase['cost_usd'])}" + ("" if phase["state"] == "over" else f", {phase['state']}")


def _risk_lines(document: Document) -> list[str]:
    """What an unattended loop costs at worst."""
    worst = document["ledger"]["worst_case"]
    if (
        document["pool"]["released"]
        or document["handoff"]
        or worst.get("killed_between_jobs_seconds") is None
    ):
        return []
    between, during = worst["killed_between_jobs_usd"], worst["killed_during_job_usd"]
    return [
        f"risk  if its controller died now: {usd(during)} at most during a job, {usd(between)} between jobs"
    ]


def _controller_lines(document: Document) -> list[str]:
    engine = document.get("engine")
    if engine and document["loop"]["state"] != "Closed" and not document["handoff"]:
        asleep = (
            f"sleeps until {with_distance(engine['sleeps_until'])} or the job's end"
            if engine["sleeps_until"]
            else "takes a turn"
        )
        late = f", late by {duration(engine['late_seconds'])}" if engine["late_seconds"] > 1 else ""
        return [f"drive engine: {asleep}; execution {engine['execution']}{late}"]
    controller = document["controller"]
    if not controller or document["loop"]["state"] == "Closed" or document["handoff"]:
        return []
    who = f"host {controller['host']}, pid {controller['pid']}, since {with_distance(controller['since'])}"
    if controller["alive"]:
        return [f"drive {who}"]
    return [f"drive nobody: the controller is dead ({who})" if controller["host"] else "drive nobody"]


def _metric_name(document: Document) -> str:
    return next((name for job in document["jobs"] for name in job["metrics"]), "")


def _ledger_line(ledger: Mapping[str, Any]) -> str:
    cold = ledger["cold"]
    text = f"cost  {usd(ledger['cost_usd'], estimated=not ledger['settled'])} in {duration(ledger['wall_seconds'])}"
    text += f"; the same jobs cold: {usd(cold['cost_usd'])} in {duration(cold['wall_seconds'])}"
    if ledger["price_per_hour"] is not None:
        text += f" (${ledger['price_per_hour']:g}/h, {ledger['price_source']}, {ledger['price_date']})"
    else:
        text += " (the price is unknown; pool.price_per_hour states it)"
    if ledger["trained_share"] is not None:
        text += f"; scripts ran in {ledger['trained_share']:.0%} of the billed seconds"
        if ledger["install_seconds"]:
            text += f", {duration(ledger['install_seconds'])} went to installing"
    return text if ledger["complete"] else text + "; some times are not known, so this is a part"


def _pool_line(document: Document) -> str:
    pool = document["pool"]
    if pool["released"]:
        return (
            "pool  released (read back from the service)" if pool["owner_job"] else "pool  none was created"
        )
    if pool["owner_job"] is None:
        return "pool  none yet"
    text = f"pool  {pool['status'] or 'not reported'}, owner {pool['owner_job']}"
    if pool["expires_at"]:
        text += f", until {with_distance(pool['expires_at'])}"
    if pool["burn_usd_per_hour"]:
        text += f", {usd(pool['burn_usd_per_hour'])}/h while idle"
    return text


def _handoff_lines(handoff: Mapping[str, Any]) -> Sequence[str]:
    if handoff.get("kind", "failure") != "failure":
        return [*ask_lines(handoff), *_hold_lines(handoff["pool"])]
    diagnosis, source = handoff["diagnosis"], handoff["source"]
    lines = [f"hand-off: {diagnosis['class']} ({diagnosis['confidence']:.0%}): {diagnosis['fix']}"]
    if place := handoff["location"] or _place(diagnosis["location"]):
        lines.append(f"  at    {place}")
    lines += [f"  | {line}" for line in diagnosis["evidence"]]
    lines += [f"  tried {tried}" for tried in handoff["tried"]]
    if source["path"]:
        lines.append(f"  edit  {source['path']}: {', '.join(source['files'])}")
    if source["patched"]:
        lines.append(
            f"  kept  the loop's own patches of {', '.join(source['patched'])} stay: wpfsm diff shows them"
        )
    return [*lines, *_hold_lines(handoff["pool"])]


def _hold_lines(pool: Mapping[str, Any]) -> Sequence[str]:
    """Until when the pool is held, what that costs at most, and what a minute of it costs."""
    if not pool["held_until"]:
        return []
    cost = f", for {usd(pool['usd_at_most'])} at most" if pool["usd_at_most"] is not None else ""
    if pool["burn_usd_per_hour"]:
        cost += f" ({usd(pool['burn_usd_per_hour'] / 60)} a minute)"
    if datetime.fromisoformat(pool["held_until"]) > datetime.now(UTC):
        return [
            f"  pool  held until {with_distance(pool['held_until'])}{cost}; then the service releases it by itself"
        ]
    return [f"  pool  was held until {with_distance(pool['held_until'])}{cost}; the next job starts cold"]


def _place(location: Mapping[str, Any] | None) -> str:
    return f"{location['file']}:{location['line']}" if location else ""


def _why(loop: Mapping[str, Any]) -> list[str]:
    """What happened and what to do, each thing beside its own fix where every one has one."""
    whys, fixes = loop["why"].splitlines(), (loop["fix"] or "").splitlines()
    told = [f"{FIX}{fix}" for fix in fixes if fix not in loop["why"]]
    if len(whys) == len(told):
        return [line for pair in zip(whys, told, strict=True) for line in pair]
    return [*whys, *told]
