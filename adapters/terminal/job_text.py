"""One job as text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from wpfsm.adapters.terminal.loop_text import Document
from wpfsm.fsm.records import JSON
from wpfsm.fsm.units import duration, usd


def job_text(document: Document) -> str:
    """One job for people."""
    job = document["job"]
    detail = job["secondary_status"]
    status = f"{job['status']} ({detail})" if detail and detail != job["status"] else job["status"]
    lines = [
        f"job {job['number']} of loop {document['loop']['id']}: {job['name']}",
        f"status    {status}" + (f", stopped for {job['stopped_for']}" if job["stopped_for"] else ""),
        f"params    {json.dumps(job['params'])}",
        *([f"changed   {'; '.join(job['changes'])}"] if job["changes"] else []),
        f"start     {job['start'] or 'not decided'}, in {duration(job['startup_seconds'])}"
        + (f", on the pool of {job['reuse_of']}" if job["reuse_of"] else ""),
        f"training  {duration(job['training_seconds'])}, billed {duration(job['billable_seconds'])}"
        + (f"; of it {duration(job['install_seconds'])} of installing" if job["install_seconds"] else ""),
        f"idle pool {duration(job['retained_seconds'], estimated=job['estimated'])}",
        f"cost      {usd(job['cost_usd'], estimated=job['estimated'])}",
        f"source    {job['source_digest'] or 'the request brings its own'}",
    ]
    for name, value in job["metrics"].items():
        lines.append(f"metric    {name} = {'none' if value is None else f'{value:.6g}'}")
    lines += [_curve(name, curve) for name, curve in document["curves"].items()]
    if job["failure_reason"]:
        lines.append(f"reason    {job['failure_reason']}")
    lines += diagnosis_lines(job["diagnosis"]) if job["diagnosis"] else []
    if job["patch"]:
        lines.append(f"patch     {job['patch']['summary']}")
    lines += _section("diff to the job before", (document["diff"] or "").splitlines())
    lines += _section("request", json.dumps(document["request"], indent=2).splitlines())
    lines += _section("transitions", [_transition(t) for t in document["transitions"]])
    lines += _section("writes", [_write(intent) for intent in document["intents"]])
    lines += _section(f"log ({document['log']['path']})", document["log"]["tail"])
    return "\n".join([*lines, "", _receipt(document["obligation"], job)])


MOST_VALUES = 8
"""Values of a curve that a line shows."""


def _curve(name: str, curve: Mapping[str, Any]) -> str:
    """A curve in one line: how often it was reported, and values from its whole length."""
    values = [point["value"] for point in curve["points"]]
    step = max(1, math.ceil((len(values) - 1) / (MOST_VALUES - 1)))
    shown = [*values[:-1:step], values[-1]]
    text = " ".join("nan" if value is None else f"{value:.4g}" for value in shown)
    return f"curve     {name}, {curve['reports']} reports: {text}"


def diagnosis_lines(diagnosis: Mapping[str, JSON]) -> list[str]:
    """A diagnosis for people: what, how sure, where, the fix, and the lines that say so."""
    confidence, location, evidence = diagnosis["confidence"], diagnosis["location"], diagnosis["evidence"]
    lines = [f"diagnosis {diagnosis['class']} (family {diagnosis['family']}, {confidence:.0%} sure)"]
    if isinstance(location, Mapping):
        lines.append(f"at        {location['file']}:{location['line']}, in {location['function']}")
    lines.append(f"fix       {diagnosis['fix']}")
    lines.append(f"known as  {diagnosis['fingerprint']}")
    if isinstance(evidence, Sequence):
        lines += [f"  | {line}" for line in evidence]
    return lines


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def _transition(transition: Mapping[str, JSON]) -> str:
    start, end = transition["start"], transition["end"]
    lasted = duration(end - start) if isinstance(start, float) and isinstance(end, float) else duration(None)
    return f"{transition['status']!s:<12} {lasted:>8}  {transition['message']}"


def _write(intent: Mapping[str, JSON]) -> str:
    return f"{intent['kind']} {intent['argument']}: {intent['status']} {intent['answer'] or ''}".rstrip()


def _receipt(obligation: Mapping[str, JSON] | None, job: Mapping[str, JSON]) -> str:
    if obligation is None:
        return "receipt   it left nothing to release"
    if obligation["status"] == "owed":
        return "receipt   none yet: its pool, if it left one, is not confirmed released"
    return f"receipt   {obligation['evidence']}, read at {obligation['discharged_at']} (pool {job['pool_status'] or 'none'})"
