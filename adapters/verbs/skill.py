"""``schema``, ``completion`` and ``skill``: what wpfsm says about itself, for editors, shells and agents."""

from __future__ import annotations

import importlib.resources
import json
from pathlib import Path
from typing import TYPE_CHECKING

from wpfsm.adapters.documents.loop import SCHEMA
from wpfsm.adapters.terminal.output import Options, emit, hint
from wpfsm.fsm.errors import UsageError
from wpfsm.fsm.records import JSON

if TYPE_CHECKING:
    import click

SKILL = "sagemaker-warm-pool-researcher"


def schema(given: Options, *, of_inspect: bool) -> int:
    """The JSON Schema of the loop file, or of what ``inspect -o json`` prints."""
    if of_inspect:
        document = output_schema()
    else:
        from wpfsm.adapters.documents.loop_file_schema import loop_file_schema

        document = loop_file_schema()
    emit(given, document, json.dumps(document, indent=2))
    return 0


def output_schema() -> dict[str, JSON]:
    """The JSON Schema (2020-12) of a loop's document, ``wpfsm/1``."""
    text = (
        importlib.resources.files("wpfsm.adapters").joinpath("loop_schema.json").read_text(encoding="utf-8")
    )
    document: dict[str, JSON] = json.loads(text)
    return document


def completion(given: Options, group: click.Command, shell: str) -> int:
    """The script that makes a shell complete verbs and options."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f"no completion for {shell}", fix="bash, zsh or fish")
    source = kind(group, {}, "wpfsm", "_WPFSM_COMPLETE").source()
    emit(given, {"schema": SCHEMA, "shell": shell, "source": source}, source)
    return 0


def skill_text() -> str:
    """The agent skill, as it is shipped."""
    import wpfsm.cli

    # Beside the modules in a wheel; in a checkout those are links into it.
    for module in (Path(wpfsm.cli.__file__), Path(wpfsm.cli.__file__).resolve()):
        file = module.parent / "skills" / SKILL / "SKILL.md"
        if file.exists():
            return file.read_text(encoding="utf-8")
    raise UsageError("this installation lacks the skill", fix="pip install --force-reinstall wpfsm")


def skill_show(given: Options) -> int:
    """Print the skill."""
    text = skill_text()
    emit(given, {"schema": SCHEMA, "skill": SKILL, "text": text}, text.rstrip("\n"))
    return 0


def skill_install(given: Options, folder: Path | None) -> int:
    """Put the skill where agents look for skills; replaces an older version of itself."""
    text = skill_text()
    homes = [folder] if folder else skill_homes()
    files = [home / SKILL / "SKILL.md" for home in homes]
    for file in files:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{file}: {error.strerror}", fix="name another place with --dir") from error
    hint("new sessions of your agent find it; this one may have to be told")
    emit(
        given,
        {"schema": SCHEMA, "skill": SKILL, "files": [str(f) for f in files]},
        "\n".join(map(str, files)),
    )
    return 0


def skill_homes() -> list[Path]:
    """Where agents look: Claude Code's folder, and the one that other agents share."""
    home = Path.home()
    return [home / ".claude" / "skills", home / ".agents" / "skills"]
