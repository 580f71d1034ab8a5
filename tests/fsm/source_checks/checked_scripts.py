"""Scripts as the checks of a source are asked about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wpfsm.fsm.ports import Resolution
from wpfsm.fsm.records import JSON
from wpfsm.fsm.source_checks.examine import SourceUnderTest, examine
from wpfsm.fsm.source_checks.finding import SourceFinding
from wpfsm.fsm.source_checks.image_modules import KnownImage, image_of

PLAIN = image_of("python:3.11-slim", local=False)


PYTORCH = image_of(
    "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.5.1-gpu-py311", local=False
)


def found(
    train: str,
    *,
    image: KnownImage = PLAIN,
    requirements: str | None = None,
    values: Mapping[str, Sequence[JSON]] | None = None,
    regex: str | None = None,
    resolved: Sequence[str] | None = None,
    problem: str = "",
    distribution: str = "",
    ignore: Sequence[str] = (),
    **more: str,
) -> list[SourceFinding]:
    """What the checks find in an entry script and what stands beside it."""
    files = {"train.py": train, **{f"{name}.py": text for name, text in more.items()}}
    if requirements is not None:
        files["requirements.txt"] = requirements
    asked = SourceUnderTest(
        files,
        "train.py",
        "requirements.txt" if requirements is not None else "",
        image,
        values=values or {},
        metric=("eval_loss", regex) if regex else None,
        resolution=Resolution(frozenset(resolved) if resolved else None, problem, distribution),
    )
    return list(examine(asked, ignore))
