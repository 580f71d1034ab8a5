"""Reads the source and asks an index about its requirements; what is found warns, or with ``checks.strict`` refuses."""

from __future__ import annotations

from collections.abc import Mapping

from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.ports import Resolution, Resolver
from wpfsm.fsm.source_checks.checkpoint_writes import given_texts, need_of
from wpfsm.fsm.source_checks.examine import SourceUnderTest, examine
from wpfsm.fsm.source_checks.finding import SourceFinding
from wpfsm.fsm.source_checks.image_modules import image_of
from wpfsm.fsm.source_checks.trial_values import values_given
from wpfsm.fsm.states.preflight.checks import Finding, Level
from wpfsm.fsm.steps.render_request import REQUIREMENTS

RESOLVER_SECONDS = 20.0
"""How long an index may be asked; the whole check stays below half a minute."""


def examine_source(
    file: LoopFile, files: Mapping[str, str], folder: str, resolver: Resolver | None
) -> list[Finding]:
    """Every finding about the loop file's own source.

    Args:
        file: The loop file.
        files: The source's text files by relative name.
        folder: Where they are.
        resolver: Asked about the requirements; None asks nobody.
    """
    if file.job.request or not file.job.entry:
        return []
    image = image_of(file.job.image, local=file.backend == "local", python=file.job.python)
    requirements = file.job.requirements or (REQUIREMENTS if REQUIREMENTS in files else "")
    resolution = Resolution(None)
    if resolver and image.python and requirements in files and "requirements" not in file.checks.ignore:
        resolution = resolver.resolve(
            folder, requirements, image.python, file.job.environment, RESOLVER_SECONDS
        )
    asked = SourceUnderTest(
        files,
        file.job.entry,
        requirements,
        image,
        values=values_given(file),
        metric=(file.metric.name, file.metric.regex) if file.metric else None,
        needs_checkpoint=need_of(file),
        given=given_texts(file),
        resolution=resolution,
    )
    return [_finding(one, strict=file.checks.strict) for one in examine(asked, file.checks.ignore)]


def _finding(one: SourceFinding, *, strict: bool) -> Finding:
    level: Level = "note" if not one.known else "refuse" if strict else "warn"
    silence = f"checks.ignore: [{one.check}] silences this check"
    return Finding(level, "source", str(one), f"{one.fix}; {silence}" if one.fix else silence)
