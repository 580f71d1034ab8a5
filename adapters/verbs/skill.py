"""``schema``, ``completion`` and ``skill``: what wpfsm says about itself, for editors, shells and agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.terminal.output import Options, emit, hint
from wpfsm.fsm.errors import UsageError

SKILL = "sagemaker-warm-pool-researcher"


HOMES: Mapping[str, str] = {
    "claude": ".claude/skills",
    "agents": ".agents/skills",
    "codex": ".codex/skills",
    "gemini": ".gemini/skills",
    "kiro": ".kiro/skills",
}
"""Where each kind of agent looks for skills, below the user's home; ``agents`` is the folder that several share."""
ALWAYS = ("claude", "agents")
"""Written for even where nothing says that such an agent is there."""


def skill_folder() -> Path:
    """The agent skill, as it is shipped."""
    # Beside the modules in a wheel; in a checkout those are links into it.
    for module in (Path(__file__).resolve(), Path(__file__)):
        folder = module.parents[2] / "skills" / SKILL
        if (folder / "SKILL.md").exists():
            return folder
    raise UsageError("this installation lacks the skill", fix="pip install --force-reinstall wpfsm")


def skill_files() -> dict[str, str]:
    """What is installed: the skill and its references, by name. The evaluations stay with the source."""
    folder = skill_folder()
    names = [folder / "SKILL.md", *sorted((folder / "references").glob("*.md"))]
    return {file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in names}


def skill_show(given: Options) -> int:
    """Print the skill."""
    text = skill_files()["SKILL.md"]
    emit(given, {"schema": SCHEMA, "skill": SKILL, "text": text}, text.rstrip("\n"))
    return 0


def skill_install(given: Options, folder: Path | None, agents: Sequence[str] = ()) -> int:
    """Put the skill where agents look for skills; replaces an older version of itself."""
    homes = [folder] if folder else skill_homes(agents)
    files = []
    for home in homes:
        for name, text in skill_files().items():
            file = home / SKILL / name
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            except OSError as error:
                raise UsageError(f"{file}: {error.strerror}", fix="name another place with --dir") from error
            if name == "SKILL.md":
                files.append(file)
    hint("new sessions of your agent find it; this one may have to be told")
    emit(
        given,
        {"schema": SCHEMA, "skill": SKILL, "files": [str(f) for f in files]},
        "\n".join(map(str, files)),
    )
    return 0


def skill_homes(agents: Sequence[str] = ()) -> list[Path]:
    """Where agents look: those that are named, else Claude Code's, the shared one, and each whose folder is there."""
    home = Path.home()
    wanted = agents or [
        name for name, place in HOMES.items() if name in ALWAYS or (home / place).parent.is_dir()
    ]
    return [home / HOMES[name] for name in wanted]
