"""``plan``: what a loop file would do, and whether it can. No writes."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wpfsm.adapters.aws.first_request import first_request, lock_of
from wpfsm.adapters.aws.targets import history_of
from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.documents.rows import section
from wpfsm.adapters.host.source_files import look_through
from wpfsm.adapters.terminal.output import Options, emit, hint, listed
from wpfsm.adapters.terminal.table import table
from wpfsm.fsm.costs.forecast import (
    Assumptions,
    Leak,
    LoopForecast,
    assumptions_from,
    forecast,
    worst_case_leak,
)
from wpfsm.fsm.costs.job_cost import JobCost, gaps_between
from wpfsm.fsm.errors import NotFound, StoreError, with_fix
from wpfsm.fsm.loopfile.files import missing_files
from wpfsm.fsm.loopfile.load import load
from wpfsm.fsm.loopfile.model import LoopFile, own_price
from wpfsm.fsm.pool.keep_alive import ENOUGH_GAPS, default_keep_alive, recommend
from wpfsm.fsm.records import EXIT_CODES, JSON, Price, State
from wpfsm.fsm.states.preflight.checks import (
    Finding,
    check_extras,
    check_metric,
    check_request,
    outcome_of,
)
from wpfsm.fsm.strategies import Goal, Point, Strategy
from wpfsm.fsm.strategies.registry import build, missing_extra, start_of
from wpfsm.fsm.strategies.repeats import WithRepeats
from wpfsm.fsm.units import duration, usd
from wpfsm.state.database import open_existing
from wpfsm.state.paths import siblings
from wpfsm.state.prices import known_price

if TYPE_CHECKING:
    from wpfsm.adapters.aws.clients import Target
    from wpfsm.fsm.states.preflight.checks import Survey


def plan(
    given: Options,
    path: Path,
    overrides: tuple[str, ...],
    backend: str | None,
    *,
    offline: bool,
    strict: bool = False,
) -> int:
    """Trials, lock, headroom, forecast warm against cold, worst-case leak in dollars."""
    from wpfsm.fsm.loopfile.model import with_keep_alive

    more = [*([f"backend={backend}"] if backend else []), *(["checks.strict=true"] if strict else [])]
    file = load(path, (*overrides, *more))
    file = with_keep_alive(file, default_keep_alive("person" if sys.stdin.isatty() else "program"))
    metric = file.metric
    goal = Goal(metric.name, metric.goal) if metric else None
    strategy = build(file.strategy, goal, file.job.hyperparameters)
    found = None if offline else _survey(given, file)
    price = _price(given, file, found)
    own = first_request(file, path, strategy)
    findings = [
        *(found.findings if found else _without_account(file)),
        *own.findings,
        *_missing(file, path),
        *_left_out(file, path),
        *_source(file, path, offline=offline),
    ]
    document = _document(given, file, strategy, found, price, findings)
    document["lock"] = lock_of(file, own.lock)
    emit(given, document, _text(document, file))
    refused = [finding for finding in findings if finding.level == "refuse"]
    return EXIT_CODES[outcome_of(refused)] if refused else 0


def _survey(given: Options, file: LoopFile) -> Survey | None:
    from wpfsm.adapters.aws.account import Account
    from wpfsm.fsm.states.preflight.checks import survey

    target = _target(given, file)
    if target is None:
        hint("the embedded emulator is not running; it has room for every instance type")
        return None
    return survey(Account(target), file, ours=lambda _: False)


def _target(given: Options, file: LoopFile) -> Target | None:
    """Where the loop would run; None for an embedded emulator that is yet to be started."""
    from wpfsm.adapters.aws.clients import Target

    endpoint = given.endpoint_url or os.environ.get("AWS_ENDPOINT_URL", "")
    if file.backend == "aws" or endpoint:
        return Target(file.region, endpoint, local=file.backend == "local")
    from wpfsm.adapters.emulator.launch import find

    emulator = find(siblings(given.database, "emulator"))
    return Target(file.region, emulator.url, local=True, token=emulator.token) if emulator else None


def _without_account(file: LoopFile) -> list[Finding]:
    """What can be found without asking the service: the extras, and the bounds of its model."""
    from wpfsm.adapters.aws.model_validation import violations

    return [*check_extras(file), *check_metric(file), *check_request(file, violations)]


def _left_out(file: LoopFile, path: Path) -> list[Finding]:
    """What of the source would not be uploaded, although it looks as if it belonged to it."""
    if not file.job.source or not (path.parent / file.job.source).is_dir():
        return []
    found = look_through((path.parent / file.job.source).resolve(), path.parent)
    fix = "nothing is needed if no job reads it; .wpfsmignore in the folder decides otherwise (!NAME)"
    return (
        [Finding("warn", "request", f"job.source leaves out {listed(found.left_out)}", fix)]
        if found.left_out
        else []
    )


def _missing(file: LoopFile, path: Path) -> list[Finding]:
    """Files that the loop file names and that are still to be written: a plan needs none of them, a start does."""
    if file.job.request:
        return []
    fix = "write it before wpfsm start, which refuses the loop file without it"
    return [Finding("warn", "request", f"{p.key}: {p.text}", fix) for p in missing_files(file, path.parent)]


def _source(file: LoopFile, path: Path, *, offline: bool) -> list[Finding]:
    """What the source shows to be wrong, where it is written already."""
    from wpfsm.adapters.host.resolver import PipResolver
    from wpfsm.adapters.host.sources import text_files
    from wpfsm.fsm.states.preflight.source import examine_source

    folder = path.parent / (file.job.source or "")
    if file.job.request or not (folder / (file.job.entry or "")).is_file():
        return []
    return examine_source(file, text_files(folder), str(folder), None if offline else PipResolver())


def _price(given: Options, file: LoopFile, found: Survey | None) -> Price | None:
    """The loop file's price, the account's, one that was read before, the built-in table's: the first there is."""
    if file.pool.price_per_hour is not None:
        return own_price(file, time.time())
    if found is not None and found.price is not None:
        return found.price
    if file.backend == "aws":
        with contextlib.suppress(NotFound, StoreError):
            connection = open_existing(given.database)
            if kept := known_price(connection, given.database, file.region, file.pool.instance_type):
                return kept
    from wpfsm.adapters.aws.prices import built_in_table

    return built_in_table().price(file.region, file.pool.instance_type)


def _document(
    given: Options,
    file: LoopFile,
    strategy: Strategy,
    found: Survey | None,
    price: Price | None,
    findings: Sequence[Finding],
) -> dict[str, JSON]:
    often = file.strategy.repeats if isinstance(file.strategy, WithRepeats) else 1
    most_jobs = file.limits.max_jobs or 10**9
    jobs = min((strategy.total() or strategy.at_most()) * often, most_jobs)
    expected = min((strategy.total() or strategy.expected()) * often, most_jobs)
    rate, count = (price.usd_per_hour if price else None), file.pool.instance_count
    keep_alive = float(file.pool.keep_alive or 0) if file.keeps_pool else 0.0
    assumed, gaps, measured = _assumptions(given, file)
    ahead = forecast(expected, assumed, rate, count, keep_alive=keep_alive, lanes=file.lanes)
    most = forecast(jobs, assumed, rate, count, keep_alive=keep_alive, lanes=file.lanes)
    leak = worst_case_leak(keep_alive, file.job.max_runtime, rate, count * file.lanes)
    preview = () if missing_extra(file.strategy) else strategy.preview()
    return {
        "schema": SCHEMA,
        "name": file.name,
        "backend": file.backend,
        "region": file.region,
        "jobs": jobs,
        "jobs_expected": expected,
        "jobs_known": strategy.total() is not None,
        "lanes": file.lanes,
        "phases": _phases(file),
        "trials": [_proposal(n, p) for n, p in enumerate(preview, start=1)],
        "lock": None,
        "keep_alive_seconds": keep_alive,
        "advice": _advice(file, assumed, gaps, rate)
        if len(gaps) >= ENOUGH_GAPS and file.keeps_pool
        else None,
        "quota": _quota(found),
        "findings": [finding.to_json() for finding in findings],
        "price": asdict(price) if price else None,
        "assumptions": {**asdict(assumed), "measured": measured},
        "forecast": _forecast(ahead),
        "forecast_at_most": _forecast(most),
        "forecast_notes": list(ahead.notes),
        "worst_case": _leak(leak),
    }


def _advice(file: LoopFile, assumed: Assumptions, gaps: Sequence[float], rate: float | None) -> JSON:
    """The keep-alive that the gaps of the last loop of this name recommend."""
    advice = recommend(
        gaps,
        assumed.cold_start,
        warm_start_seconds=assumed.warm_start,
        bill_provisioning=assumed.bill_provisioning,
        price_per_hour=rate,
        instance_count=file.pool.instance_count,
        allow_long=file.pool.allow_long_keep_alive,
    )
    return {"keep_alive_seconds": advice.keep_alive_seconds, "hold": advice.hold, "why": advice.why}


def _forecast(ahead: LoopForecast) -> JSON:
    plain: JSON = ahead.to_json()  # type: ignore[assignment]
    return plain


def _proposal(number: int, proposal: Point) -> JSON:
    return {
        "number": number,
        "label": proposal.label,
        "params": dict(proposal.params),
        "smoke": proposal.smoke,
        "phase": proposal.phase,
    }


def _phases(file: LoopFile) -> JSON:
    """Each strategy of the loop file by itself: how many trials, and what it starts from."""
    metric = file.metric
    goal = Goal(metric.name, metric.goal) if metric else None
    found: list[JSON] = []
    for number, config in enumerate(file.phases, start=1):
        strategy = build(config, goal, file.job.hyperparameters)
        found.append(
            {
                "number": number,
                "type": config.type,
                "from": start_of(file.strategy, number - 1),
                "on_miss": getattr(config, "on_miss", "end"),
                "trials": strategy.total() or strategy.at_most(),
                "trials_expected": strategy.total() or strategy.expected(),
                "trials_known": strategy.total() is not None,
            }
        )
    return found


def _quota(found: Survey | None) -> JSON:
    if found is None:
        return None
    rooms = {"training": found.training, "warm_pool": found.warm_pool}
    return {
        name: None
        if room is None
        else {
            "name": room.quota.name if room.quota else None,
            "value": room.quota.value if room.quota else None,
            "source": room.quota.source if room.quota else None,
            "held": room.held,
            "free": room.free,
            "needed": room.needed,
            "verdict": room.verdict,
        }
        for name, room in rooms.items()
    }


def _leak(leak: Leak) -> JSON:
    return {
        "killed_between_jobs_seconds": leak.killed_between_jobs_seconds,
        "killed_between_jobs_usd": leak.killed_between_jobs_usd,
        "killed_during_job_seconds": leak.killed_during_job_seconds,
        "killed_during_job_usd": leak.killed_during_job_usd,
    }


def _assumptions(given: Options, file: LoopFile) -> tuple[Assumptions, Sequence[float], bool]:
    """The file's assumptions, replaced by what the last loop like it has measured, and that one's gaps.

    Like it is a closed loop of its name, backend, region and instance type that ran a job: an emulator's starts say
    nothing of the service's.
    """
    stated = file.forecast
    base = Assumptions(
        stated.cold_start, stated.warm_start, stated.train, stated.gap, stated.bill_provisioning
    )
    with contextlib.suppress(NotFound, StoreError):
        history = history_of(given)
        for header in history.loops():
            if (header.name, header.backend, header.state) != (file.name, file.backend, State.CLOSED):
                continue
            loop = history.find(header.id)
            same = loop.region == file.region
            same &= section(loop, "pool").get("instance_type") == file.pool.instance_type
            if same and (jobs := [j for j in history.jobs(loop.id) if j.arn]):
                costs = [JobCost.of(j, file.pool.instance_count) for j in jobs]
                return assumptions_from(costs, base), gaps_between(costs), True
    return base, (), False


def _text(document: dict[str, Any], file: LoopFile) -> str:
    ahead, leak = document["forecast"], document["worst_case"]
    rows = [("", "WALL", "COST")]
    rows += _sides(ahead)
    if document["jobs_expected"] < document["jobs"]:
        rows += _sides(document["forecast_at_most"], f", {document['jobs']} job(s)")
    jobs = _count(document["jobs_expected"], document["jobs"], "job", known=document["jobs_known"])
    where = f"{file.pool.instance_count} x {file.pool.instance_type}, {file.backend}, {file.region}"
    lanes = f", {file.lanes} lanes side by side" if file.lanes > 1 else ""
    between, during = usd(leak["killed_between_jobs_usd"]), usd(leak["killed_during_job_usd"])
    lines = [
        f"plan {file.name}: {jobs} on {where}{lanes}",
        *_trial_lines(document),
        "",
        table(rows),
        *(f"  {note}" for note in document["forecast_notes"]),
        *_grounds(document),
        f"worst case if the controller dies: {between} between two jobs, {during} during one",
    ]
    if advice := document["advice"]:
        lines.append(f"keep-alive: {advice['why']}")
    lines += [with_fix(f"{each['level']}: {each['text']}", each["fix"]) for each in document["findings"]]
    return "\n".join(lines)


def _sides(ahead: dict[str, Any], more: str = "") -> list[tuple[str, str, str]]:
    """The rows of one forecast."""
    return [
        (f"{side}{more}", duration(ahead[side]["wall_seconds"]), usd(ahead[side]["cost_usd"]))
        for side in ("warm", "cold")
    ]


def _count(expected: int, most: int, what: str, *, known: bool) -> str:
    """``1 job(s) expected, at most 3`` where failures decide, ``at most`` alone where results do."""
    if expected < most:
        return f"{expected} {what}(s) expected, at most {most}"
    return f"{most} {what}(s){'' if known else ' at most'}"


def _trial_lines(document: dict[str, Any]) -> list[str]:
    """The trials that are known beforehand; below its phase where there are several."""
    phases = document["phases"]
    lines: list[str] = []
    for phase in phases:
        if len(phases) > 1:
            trials = _count(phase["trials_expected"], phase["trials"], "trial", known=phase["trials_known"])
            start = f", from the {phase['from']} trial before" if phase["from"] else ""
            lines.append(f"  phase {phase['number']}  {phase['type']}: {trials}{start}")
        mine = [trial for trial in document["trials"] if trial["phase"] == phase["number"]]
        indent = "  " * (1 + (len(phases) > 1))
        lines += [f"{indent}trial {trial['number']}  {trial['label']}" for trial in mine]
    if len(phases) > 1:
        lines.append("  a point that ran before with the same values on the same source is not run again")
    return lines


def _grounds(document: dict[str, Any]) -> list[str]:
    """What the forecast rests on, what is locked, and the room for it."""
    assumed, price = document["assumptions"], document["price"]
    times = (
        f"{duration(assumed['cold_start'])} cold start, {duration(assumed['warm_start'])} warm, "
        f"{duration(assumed['train'])} of training, {duration(assumed['gap'])} between jobs"
    )
    source = "measured by the last such loop" if assumed["measured"] else "assumed (forecast)"
    locked = [f"{name} {value}" for name, value in document["lock"].items() if value not in (None, [], False)]
    rooms = [room for room in (document["quota"] or {}).values() if room and room["name"]]
    return [
        f"times: {times}; {source}",
        "price: unknown"
        if price is None
        else f"price: ${price['usd_per_hour']:g}/h an instance ({price['source']}, {price['as_of']})",
        f"lock: {', '.join(locked)}; keep-alive {duration(document['keep_alive_seconds'])}, free",
        *(
            f"quota: {room['name']} = {room['value']:g} ({room['source']}): {room['held']} held, "
            f"{room['free']:g} free, {room['needed']} needed"
            for room in rooms
        ),
    ]
