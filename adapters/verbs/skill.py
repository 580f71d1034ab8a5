"""``schema``, ``completion`` and ``skill``: what wpfsm says about itself, for editors, shells and agents."""

from __future__ import annotations

from pathlib import Path

from wpfsm.adapters.documents.rows import SCHEMA
from wpfsm.adapters.terminal.output import Options, emit, hint
from wpfsm.fsm.errors import UsageError

SKILL = "sagemaker-warm-pool-researcher"


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
