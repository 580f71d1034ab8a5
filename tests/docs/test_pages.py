"""The other pages: generated ones are fresh, and what they state is what the code does."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from wpfsm.adapters.aws.permissions import CONDITIONED, KEEP_ALIVE, NEEDED
from wpfsm.adapters.documents.loop_file_schema import loop_file_schema
from wpfsm.fsm.costs.forecast import Assumptions, forecast
from wpfsm.fsm.loopfile.load import parse
from wpfsm.fsm.machine import diagram
from wpfsm.fsm.records import EXIT_CODES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def generator() -> ModuleType:
    """The script that writes the generated pages."""
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["loop-file.md", "cli.md", "machine.md", "failures.md"])
def test_a_generated_page_is_fresh(name: str):
    """What the page says is what the code says; `python docs/generate.py` makes it so."""
    assert (DOCS / name).read_text(encoding="utf-8") == generator().pages()[name]


def test_every_key_of_the_loop_file_has_a_sentence():
    """The schema explains each key that a user can write."""
    schema = loop_file_schema()
    bare = [
        f"{name}.{key}"
        for name, definition in schema["$defs"].items()
        for key, member in definition.get("properties", {}).items()
        if not member.get("description") and key not in ("type", "name", "set", "values", "recipes")
    ]
    assert bare == []


def between(page: str, mark: str) -> str:
    """The part of a page between two marks."""
    found = re.search(
        rf"<!-- {mark} -->(.*?)<!-- /{mark} -->", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL
    )
    assert found is not None
    return found[1]


def test_the_policy_allows_what_a_loop_does():
    """Every action that Preflight simulates is in the policy, and both that take a keep-alive are capped."""
    policy = json.loads(re.sub(r"```\w*", "", between("aws.md", "policy")))
    allowed: dict[str, object] = {}
    for statement in policy["Statement"]:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            allowed[action] = statement.get("Condition")
    assert set(NEEDED) <= allowed.keys()
    assert "iam:PassRole" in allowed
    for action in CONDITIONED:
        assert allowed[action] == {"NumericLessThanEqualsIfExists": {KEEP_ALIVE: 3600}}


def test_the_policy_names_no_action_without_saying_why():
    """The table below the policy has a row for each service that it grants."""
    page = (DOCS / "aws.md").read_text(encoding="utf-8")
    rows = "\n".join(line for line in page.splitlines() if line.startswith("| `"))
    for action in NEEDED:
        assert action in rows or action.partition(":")[2] in rows


def test_the_forecast_of_the_costs_page():
    """The table of the page is what the forecast says for the loop file of the page."""
    part = between("costs.md", "forecast")
    loop = re.search(r"```yaml seven\.yaml\n(.*?)```", part, re.DOTALL)
    assert loop is not None
    file = parse(loop[1])
    said = file.forecast
    shown: dict[bool, list[str]] = {}
    for bill_provisioning in (False, True):
        assumed = Assumptions(said.cold_start, said.warm_start, said.train, said.gap, bill_provisioning)
        made = forecast(7, assumed, file.pool.price_per_hour, keep_alive=600)
        assert (round(made.cold.wall_seconds / 60), round(made.warm.wall_seconds / 60)) == (58, 28)
        assert made.cold.cost_usd is not None
        assert made.warm.cost_usd is not None
        shown[bill_provisioning] = [f"${made.cold.cost_usd:.2f}", f"${made.warm.cost_usd:.2f}"]
    assert shown == {False: ["$0.65", "$1.07"], True: ["$2.29", "$1.31"]}
    for figure in ("58 min", "28 min", *shown[False], *shown[True]):
        assert figure in part


def test_the_exit_codes_of_the_page_are_those_of_the_code():
    """Every code that an outcome has is in the table."""
    page = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    listed = {
        int(code) for row in re.findall(r"^\| ([\d, ]+) \|", page, re.MULTILINE) for code in row.split(",")
    }
    assert set(EXIT_CODES.values()) <= listed


def test_the_readme_draws_the_machine():
    """The diagram of the README is the machine's own."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"```mermaid\n{diagram()}```" in readme


def links(page: Path) -> list[str]:
    """The relative links of a page."""
    found = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    return [link for link in found if "://" not in link]


@pytest.mark.parametrize(
    "page", sorted([*DOCS.rglob("*.md"), ROOT / "README.md"]), ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path):
    """A relative link names a file that is there."""
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


def test_the_generator_runs_by_itself(tmp_path: Path):
    """`python docs/generate.py` needs nothing but the package."""
    copy = tmp_path / "generate.py"
    copy.write_text((DOCS / "generate.py").read_text())
    subprocess.run([sys.executable, str(copy)], check=True, cwd=tmp_path)
    assert (tmp_path / "loop-file.md").read_text() == (DOCS / "loop-file.md").read_text()
