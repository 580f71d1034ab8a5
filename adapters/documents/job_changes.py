"""What a job changed of the one before it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wpfsm.fsm.records import JSON, Job, as_mapping
from wpfsm.fsm.units import short_duration


def changes(before: Job | None, job: Job) -> tuple[str, ...]:
    """The free fields that differ, as ``lr 0.001 -> 0.01``; empty for the first job."""
    return () if before is None else tuple(_changes(before, job))


def _changes(before: Job, job: Job) -> Iterator[str]:
    yield from _mapping("", before.params, job.params)
    if before.source_digest != job.source_digest:
        yield f"source {before.source_digest[:8] or 'none'} -> {job.source_digest[:8] or 'none'}"
    yield from _mapping("env ", _environment(before), _environment(job))
    if before.max_runtime != job.max_runtime:
        yield f"max_runtime {short_duration(before.max_runtime)} -> {short_duration(job.max_runtime)}"
    image = _member(before, "AlgorithmSpecification").get("TrainingImage")
    if (now := _member(job, "AlgorithmSpecification").get("TrainingImage")) != image:
        yield f"image {image} -> {now}"


def _mapping(prefix: str, before: Mapping[str, JSON], after: Mapping[str, JSON]) -> Iterator[str]:
    for name in [*after, *(name for name in before if name not in after)]:
        if name not in before:
            yield f"{prefix}{name} = {_short(after[name])}"
        elif name not in after:
            yield f"{prefix}{name} dropped"
        elif before[name] != after[name]:
            yield f"{prefix}{name} {_short(before[name])} -> {_short(after[name])}"


def _member(job: Job, name: str) -> Mapping[str, JSON]:
    return as_mapping(job.request.get(name))


def _environment(job: Job) -> dict[str, JSON]:
    """The variables, without those by which wpfsm itself tells the job about its trial."""
    return {
        name: value for name, value in _member(job, "Environment").items() if not name.startswith("WPFSM_")
    }


def _short(value: JSON) -> str:
    written = f"{value:g}" if isinstance(value, float) else str(value)
    return written if len(written) <= 40 else written[:39] + "…"
