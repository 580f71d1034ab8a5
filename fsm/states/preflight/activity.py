"""Preflight: everything that can be known before a job is created, and the lock.

Checks first, all of them; only when none refuses is the source uploaded and the request of job 1 rendered.
The lock is taken from that request, the pool key from the lock, and the first trial is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from wpfsm.fsm.context import Context, release
from wpfsm.fsm.errors import Held, MissingExtra, Refused, UsageError, with_fix
from wpfsm.fsm.ports import Request
from wpfsm.fsm.records import Change, Outcome, Trial
from wpfsm.fsm.request.compose import compose, free_members
from wpfsm.fsm.request.lock import LockedFields
from wpfsm.fsm.request.rules import contradictions, objections
from wpfsm.fsm.states.preflight.checks import Finding, Survey, outcome_of, refusal, survey
from wpfsm.fsm.states.preflight.join import join
from wpfsm.fsm.states.preflight.source import examine_source
from wpfsm.fsm.steps.next_trial import ask_next_trial, rows_of
from wpfsm.fsm.steps.render_request import base_request, render_ahead
from wpfsm.fsm.strategies.verdict import base_trial


def run(ctx: Context) -> Change:
    """Admit the loop, or refuse it with every finding."""
    if ctx.loop.lane > 1:
        return join(ctx)
    found = survey(ctx.gateway, ctx.file, ours=lambda name: name.startswith(f"{ctx.loop.id}-"))
    _note(ctx, found)
    if found.refused:
        return _refuse(found.findings)
    if over := ctx.over_limit():
        return release(Outcome.LIMIT, over)
    if not ctx.file.job.request:
        ctx.ports.renderer.prepare()  # what is refused above is answered before the SDK loads
    try:
        trials = list(ctx.store.trials())
        if ended := _draw_first(ctx, trials):
            return ended
        if absent := tuple(_check_sources(ctx)):
            return _refuse((*found.findings, *absent))
        read = tuple(_check_source(ctx))
        if any(finding.level == "refuse" for finding in read):
            return _refuse((*found.findings, *read))
        request = _first_request(ctx, _first_to_run(ctx, trials))
        if ctx.ports.renders_ahead:
            render_ahead(ctx)
        lock = LockedFields.of(request, ctx.file.pool.session_tag_keys)
        rendered = _check_rendered(ctx, request, lock)
        if any(finding.level == "refuse" for finding in rendered):
            return _refuse((*found.findings, *read, *rendered))
        key = lock.pool_key(ctx.loop.account, ctx.loop.region)
        if ctx.file.keeps_pool:
            _take_pool(ctx, key)
        else:
            ctx.ports.leases.refuse_held(key, ctx.loop.id)
    except (MissingExtra, Refused, Held) as error:
        outcome = Outcome.HELD if isinstance(error, Held) else Outcome.REFUSED
        return release(outcome, with_fix(error.message, error.fix))
    findings = (*found.findings, *read, *rendered)
    return Change(
        kind="admitted",
        why="; ".join(["checks passed", *(f.text for f in findings)]),
        data={"lock": lock.to_json(), "pool_key": key, "findings": [f.to_json() for f in findings]},
        loop={"lock": lock, "pool_key": key},
        trials=tuple(trials),
        together=True,
    )


def _draw_first(ctx: Context, trials: list[Trial]) -> Change | None:
    """Add what is drawn up to the first trial that needs a job; the end, where none does.

    An open loop that continues another one draws nothing: it asks, and runs no job to do so.
    """
    while not any(t.state in ("pending", "running") for t in trials):
        rows = rows_of(trials)
        if met := ctx.strategy.goal_met(rows):
            return release(Outcome.GOAL_MET, f"{met}; no job was needed")
        drawn = ask_next_trial(ctx, trials)
        if drawn is None and not trials:
            return release(Outcome.REFUSED, "the strategy asks for no trial")
        if drawn is None and ctx.file.asks and ctx.strategy.summary(rows).ended is None:
            return None
        if drawn is None:
            return release(Outcome.COMPLETED, f"{ctx.strategy.summary(rows).text}; no job was needed")
        trials.append(drawn)
    return None


def _first_to_run(ctx: Context, trials: Sequence[Trial]) -> Trial:
    """The trial of job 1, from whose request the lock is taken; while none is drawn, what a proposal starts from."""
    drawn = next((t for t in trials if t.state in ("pending", "running")), None)
    keep = ctx.file.asks.keep if ctx.file.asks else "better"
    return drawn or base_trial(trials, keep) or trials[-1]


def _take_pool(ctx: Context, key: str) -> None:
    """Hold the pool key; with ``--queue`` once whoever has it lets it go.

    Raises:
        Held: Another loop has it, and this one does not wait.
    """
    while True:
        try:
            ctx.ports.leases.take(key, ctx.loop.group, lanes=bool(ctx.loop.lane))
            return
        except Held as held:
            if not ctx.ports.queue:
                raise
            ctx.wait(ctx.pace.least, f"the pool to be free: {held.message}")


def _note(ctx: Context, found: Survey) -> None:
    """Account and price, recorded before anything depends on them."""
    loop = {
        "account": found.identity.account if found.identity else ctx.loop.account,
        "price": found.price,
    }
    ctx.record(
        "checked",
        f"{len(found.findings)} finding(s)",
        loop=loop,
        data={"findings": [f.to_json() for f in found.findings]},
    )


def _refuse(findings: tuple[Finding, ...]) -> Change:
    """Every finding at once, those that refuse first, each with its fix."""
    ordered = sorted(findings, key=lambda finding: finding.level != "refuse")
    refused = [finding for finding in ordered if finding.level == "refuse"]
    change = release(outcome_of(refused), "\n".join(map(str, ordered)))
    return replace(change, data={**change.data, "findings": [f.to_json() for f in ordered]})


def _check_sources(ctx: Context) -> Iterator[Finding]:
    """The folders and scripts of the trials to come: a slip in the last recipe must not show after the others."""
    checked: set[tuple[str, str]] = set()
    for proposal in ctx.strategy.preview():
        source = proposal.source or ctx.file.job.source or ""
        entry = proposal.entry or ctx.file.job.entry or ""
        if not (proposal.source or proposal.entry) or (source, entry) in checked:
            continue
        checked.add((source, entry))
        try:
            digest = ctx.sources.snapshot(source)
        except UsageError as error:
            yield Finding("refuse", "request", f"{proposal.label}: {error.message}", error.fix)
            continue
        if entry not in ctx.sources.files(digest):
            yield Finding(
                "refuse",
                "request",
                f"{proposal.label}: there is no {entry} in {source}",
                "correct its source or entry in the loop file",
            )


def _check_source(ctx: Context) -> list[Finding]:
    """What the source shows to be wrong; its requirements are asked of the user's package index."""
    digest = ctx.loop.source_digest
    if not digest:
        return []
    ctx.progress.waiting("the source and its requirements are read", None)
    return examine_source(ctx.file, ctx.sources.files(digest), ctx.sources.path(digest), ctx.ports.resolver)


def _first_request(ctx: Context, trial: Trial) -> Request:
    """The whole request of job 1; the lock is taken from it, and not from settings."""
    base = base_request(ctx, trial)
    members = free_members(
        ctx.file,
        base,
        loop_id=ctx.loop.group,
        number=1,
        trial=trial,
        params={**ctx.file.job.hyperparameters, **trial.params},
        keep_alive=ctx.keep_alive,
    )
    return compose(base, members)


def _check_rendered(ctx: Context, request: Request, lock: LockedFields) -> tuple[Finding, ...]:
    """What only the rendered request shows: the service's bounds on all of it, and what it adds to the lock."""
    own = bool(ctx.file.job.request)
    refused, remarks = contradictions(ctx.file, lock)
    return (
        *map(refusal, [*objections(request, ctx.gateway.violations, own=own), *refused]),
        *(Finding("warn", "request", remark, "it is part of the lock from job 1 on") for remark in remarks),
    )
