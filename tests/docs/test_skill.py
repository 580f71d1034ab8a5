"""The agent skill: its form, and every command in it as written."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from documented_commands import take
from ruamel.yaml import YAML

from wpfsm.adapters.emulator.launch import ensure, stop
from wpfsm.adapters.verbs.skill import skill_files
from wpfsm.fsm.loopfile.load import parse

ROOT = Path(__file__).resolve().parents[2]
from cli_bench import Bench, Ran  # noqa: E402 - the bench of the command line's tests

FOLDER = ROOT / "skills" / "sagemaker-warm-pool-researcher"
SKILL = (FOLDER / "SKILL.md").read_text(encoding="utf-8")
BROKEN = "raise RuntimeError('the learning rate is not read yet')\n"
MENDED = """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
print(f"eval_loss={abs(parser.parse_args().lr - 0.01)}")
"""


def blocks(text: str = SKILL) -> list[str]:
    """The commands of the bash blocks, in order."""
    found = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    return [line for block in found for line in block.splitlines() if line.strip()]


def inline() -> list[str]:
    """The commands inside sentences."""
    return re.findall(r"`(wpfsm [^`]+)`", SKILL)


def test_the_skill_has_the_form_of_the_specification():
    """The fields, name and lengths that the open specification allows, and a body that is read whole."""
    _, front, body = SKILL.split("---\n", 2)
    head = YAML(typ="safe").load(front)
    assert set(head) <= {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}
    assert head["name"] == FOLDER.name
    assert head["description"].startswith("Use this when")
    assert len(head["description"]) <= 1024
    assert len(head["compatibility"]) <= 500
    assert len(body.splitlines()) < 120
    assert body.split("|", 1)[0].count("\n\n") <= 3, "the routing table comes first"


def test_the_reference_validator_accepts_the_skill():
    """`agentskills validate`, of the package that the specification names."""
    validator = pytest.importorskip("skills_ref.validator")
    assert validator.validate(FOLDER) == []


def test_what_the_skill_refers_to_is_there_and_is_installed():
    """A reference that is not installed is one that no agent can read."""
    named = set(re.findall(r"\]\((references/[a-z-]+\.md)\)", SKILL))
    assert named == {name for name in skill_files() if name.startswith("references/")}


def test_every_strategy_of_the_reference_is_one(tmp_path: Path):
    """Each line of the table, put into the loop file above it, is a loop file."""
    text = (FOLDER / "references" / "loop-file.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert example
    whole, _, strategy = example[1].partition("strategy: ")
    lines = re.findall(r"^\| `(\{type: .*?\})` \|", text, re.MULTILINE)
    assert len(lines) >= 7
    for line in lines:
        parse(f"{whole}strategy: {line}\n")
    parse(example[1])
    assert strategy


def test_install_writes_for_the_agents_that_are_asked_for(tmp_path: Path):
    """Claude Code's folder and the shared one without being asked, others where they are there or named."""
    (tmp_path / ".kiro").mkdir()
    asked = Bench(tmp_path)
    assert asked.run("skill", "install").code == 0
    found = {file.relative_to(tmp_path).parts[0] for file in tmp_path.rglob("SKILL.md")}
    assert found == {".claude", ".agents", ".kiro"}
    assert (tmp_path / ".claude" / "skills" / FOLDER.name / "references" / "exit-codes.md").exists()
    assert asked.run("skill", "install", "--for", "codex", "--for", "gemini").code == 0
    assert (tmp_path / ".codex" / "skills" / FOLDER.name / "SKILL.md").exists()
    assert (tmp_path / ".gemini" / "skills" / FOLDER.name / "SKILL.md").exists()


OPEN_LOOPS = (FOLDER / "references" / "open-loops.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", sorted({*blocks(), *blocks(OPEN_LOOPS), *inline()}))
def test_every_command_is_one_that_the_program_takes(command: str):
    """A verb or an option that the program lost would mislead every agent."""
    take(command)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A project as the skill finds it: a script that fails, and an emulator."""
    state = tmp_path / "emulator"
    url = ensure(state, options=["--cold-start", "0.2", "--warm-start", "0", "--stop-grace", "0.5"]).url
    made = Bench(tmp_path, url)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text(BROKEN)
    yield made
    made.end()
    stop(state)


@pytest.mark.sdk
def test_the_skill_as_an_agent_follows_it(bench: Bench):
    """Every command of the skill in order: from the request over a hand-off to the receipt."""
    expected = [0, 0, 0, 1, 11, 10, 0, 0, 0, 11, 0, 0, 0, 0]
    commands = blocks()
    assert len(commands) == len(expected), "the skill has changed: say here what its commands exit with"
    ran: list[Ran] = []
    for command, code in zip(commands, expected, strict=True):
        if command.startswith("wpfsm resume"):
            (bench.folder / "src" / "train.py").write_text(MENDED)
        ran.append(bench.run(*shlex.split(command)[1:], timeout=300))
        assert ran[-1].code == code, f"{command}: {ran[-1].out}{ran[-1].err}"
    handed, closed = ran[5].json, ran[11].json
    assert handed["handoff"]["location"].endswith("src/train.py:1")
    assert Path(handed["handoff"]["source"]["path"]) == bench.folder / "src"
    assert "the learning rate is not read yet" in ran[7].out
    assert closed["loop"]["state"] == "Closed"
    assert closed["pool"]["released"] is True
    assert closed["best"]["params"]["lr"] == 0.01


def test_the_plugin_manifest_leads_to_the_skill():
    """The fields that plugin hosts document: a name in kebab case, the package's version, a relative path."""
    manifest = json.loads((ROOT / ".claude-plugin" / "plugin.json").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", manifest["name"])
    assert manifest["version"] == project["version"]
    assert (ROOT / manifest["skills"] / FOLDER.name / "SKILL.md").exists()
