"""``detect``: is this request a candidate for a warm pool, and which loop would serve it? Offline."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.terminal.output import Options, emit, hint
from wpfsm.fsm.errors import UsageError

if TYPE_CHECKING:
    from wpfsm.fsm.records import JSON


def detect(given: Options, words: str, file: Path | None) -> int:
    """Print what the request asks for; with a file, draft the loop file for it."""
    from wpfsm.adapters.detect.detect import detect as recognise

    text = sys.stdin.read() if words == "-" else words
    detection = recognise(text)
    if file is not None:
        if detection.candidate is False:
            raise UsageError(f"there is no loop to draft: {detection.why}", fix="leave --write out")
        from wpfsm.adapters.detect.drafting import draft

        has_requirements = (file.parent / "src" / "requirements.txt").is_file()
        write_new(file, draft(detection, file.stem, requirements=has_requirements), force=False)
        hint(f"wrote {file}: fill in the lines marked TODO, then wpfsm plan {file}")
    found: dict[str, JSON] = detection.to_json()  # type: ignore[assignment]
    emit(given, {"schema": SCHEMA, **found}, _text(found))
    return 0


def refuse_existing(file: Path, fix: str = "name another file") -> None:
    """Raise ``UsageError`` when a file is there: what somebody wrote is not written over."""
    if file.exists():
        raise UsageError(f"{file} exists; it was left as it is", fix=fix)


def write_new(file: Path, text: str, *, force: bool) -> None:
    """Write a file that must not be there yet.

    Raises:
        UsageError: It is there, or its folder is not.
    """
    if not force:
        refuse_existing(file)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", fix="name a file in a folder that is there") from error


def _text(found: Mapping[str, JSON]) -> str:
    candidate = found["candidate"]
    verdict = "you decide" if candidate is None else "candidate" if candidate else "no candidate"
    lines = [
        f"{verdict}: {found['pattern']}, probability {found['confidence']}",
        f"why   {found['why']}",
    ]
    trials, target = found["trials"], found["target"]
    if isinstance(trials, Sequence):
        lines += [f"trial {_settings(trial)}" for trial in trials if isinstance(trial, Mapping)]
    if isinstance(target, Mapping):
        lines.append(f"until {target['metric']} {target['op']} {target['value']}")
    return "\n".join([*lines, "", str(found["message"])])


def _settings(trial: Mapping[str, JSON]) -> str:
    return ", ".join(
        f"{name} = {value:g}" if isinstance(value, float) else f"{name} = {value}"
        for name, value in trial.items()
    )
