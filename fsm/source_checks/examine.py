"""All checks of a source, in the order in which a job would meet what they find."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from wpfsm.fsm.ports import Resolution
from wpfsm.fsm.records import JSON
from wpfsm.fsm.source_checks.checkpoint_writes import Need, lost_checkpoint
from wpfsm.fsm.source_checks.execution import Source
from wpfsm.fsm.source_checks.finding import SourceFinding
from wpfsm.fsm.source_checks.hyperparameters import refused_hyperparameters
from wpfsm.fsm.source_checks.image_modules import KnownImage
from wpfsm.fsm.source_checks.imports import missing_imports
from wpfsm.fsm.source_checks.metric_lines import unprinted_metric
from wpfsm.fsm.source_checks.requirement_lines import requirement_lines
from wpfsm.fsm.source_checks.requirements import uninstallable


@dataclass(frozen=True)
class SourceUnderTest:
    """What is asked of one source.

    Attributes:
        files: Its text files by relative name.
        entry: The script that is started.
        requirements: Name of its requirements file; empty for none.
        image: What is known of the image.
        values: Each hyperparameter with every value that trials give it.
        metric: Name and expression of the metric; None when the loop has none.
        needs_checkpoint: Why the loop counts on a checkpoint.
        given: Texts that the loop file hands to the script.
        resolution: What a package index said to the requirements.
    """

    files: Mapping[str, str]
    entry: str
    requirements: str
    image: KnownImage
    values: Mapping[str, Sequence[JSON]] = field(default_factory=dict)
    metric: tuple[str, str] | None = None
    needs_checkpoint: Need = ""
    given: Sequence[str] = ()
    resolution: Resolution = field(default_factory=lambda: Resolution(None))


def examine(asked: SourceUnderTest, ignore: Collection[str] = ()) -> Iterator[SourceFinding]:
    """Everything that the source shows to be wrong, but for the checks that are silenced."""
    source = Source(asked.files, asked.entry)
    lines = list(requirement_lines(asked.files, asked.requirements)) if asked.requirements else []
    if "imports" not in ignore:
        yield from missing_imports(source, lines, asked.image, asked.resolution.names)
    if "requirements" not in ignore:
        yield from uninstallable(lines, asked.resolution)
    if "hyperparameters" not in ignore:
        yield from refused_hyperparameters(source, asked.values)
    if "metric" not in ignore and asked.metric:
        yield from unprinted_metric(source, *asked.metric)
    if "checkpoint" not in ignore:
        yield from lost_checkpoint(source, asked.needs_checkpoint, asked.given)
