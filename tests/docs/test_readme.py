"""What the README and the pages tell a reader to type is what the program takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from documented_commands import commands, take

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN = sorted({command for page in PAGES for command in commands(page)})


def test_the_readme_shows_commands():
    """The search for them is not blind."""
    assert {"start", "inspect", "resume", "report", "init", "doctor", "plan"} <= {
        command.split()[1] for command in commands(ROOT / "README.md")
    }


@pytest.mark.parametrize("command", SHOWN)
def test_every_command_shown_is_one_that_the_program_takes(command: str):
    """A verb or an option that the program lost would mislead every reader."""
    take(command)
