"""``skill``: the skill is shipped, shown, and installed where agents look."""

from __future__ import annotations

import tomllib
from pathlib import Path

from cli_bench import Bench

SKILL_FILE = "skills/sagemaker-warm-pool-researcher/SKILL.md"


ROOT = Path(__file__).resolve().parents[3]


def test_the_skill_is_installed_where_agents_look(alone: Bench):
    """Both folders in the home directory, or the one that --dir names; a second time changes nothing."""
    shown = alone.run("skill", "show").out
    assert shown.startswith("---\nname: sagemaker-warm-pool-researcher\n")
    for _ in range(2):
        assert alone.run("skill", "install").code == 0
    for home in (".claude", ".agents"):
        file = alone.folder / home / "skills" / "sagemaker-warm-pool-researcher" / "SKILL.md"
        assert file.read_text() == shown
    ran = alone.run("skill", "install", "--dir", "here", "-o", "json")
    assert ran.json["files"] == ["here/sagemaker-warm-pool-researcher/SKILL.md"]
    assert (alone.folder / ran.json["files"][0]).exists()


def test_the_skill_is_shipped():
    """The wheel carries the skill where the program looks for it."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert any(Path(SKILL_FILE).match(pattern) for pattern in data.get("wpfsm", []))
    assert (ROOT / SKILL_FILE).exists()
