"""The tutorials as they stand: their files are written, their commands run, their output holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from wpfsm.adapters.emulator.launch import ensure, stop

ROOT = Path(__file__).resolve().parents[2]
COSTS = ROOT / "docs" / "costs.md"
PAGES = sorted(page for page in (ROOT / "docs" / "tutorials").glob("*.md") if page.name != "README.md")
OPTIONS = ["--cold-start", "0.2", "--warm-start", "0"]


@dataclass(frozen=True)
class Block:
    """One fenced block: ``python src/train.py`` is a file, ``bash`` commands, ``text`` their output."""

    kind: str
    file: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in order."""
    for kind, file, text in re.findall(
        r"^```(\w+) ?(\S*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        yield Block(kind, file, text)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One emulator for every page."""
    state = tmp_path_factory.mktemp("emulator")
    yield ensure(state, options=OPTIONS).url
    stop(state)


def run(command: str, folder: Path, endpoint: str) -> subprocess.CompletedProcess[str]:
    """A line of a page, as a reader's shell runs it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(folder), "WPFSM_DB": str(folder / "wpfsm.db"),
                   "AWS_ENDPOINT_URL": endpoint, "COLUMNS": "200"}  # fmt: skip
    return subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=300, check=False, stdin=subprocess.DEVNULL)  # fmt: skip


@pytest.mark.sdk
@pytest.mark.parametrize("page", [*PAGES, COSTS], ids=lambda page: page.stem)
def test_the_tutorial_holds(page: Path, tmp_path: Path, endpoint: str):
    """A reader who writes these files and runs these commands sees what the page says."""
    shown = ""
    for block in blocks(page):
        if block.file:
            place = tmp_path / block.file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(block.text)
        elif block.kind == "bash":
            shown = ""
            for line in block.text.splitlines():
                code = int(found[1]) if (found := re.search(r"# exits with (\d+)", line)) else 0
                done = run(line, tmp_path, endpoint)
                assert done.returncode == code, f"{line}\n{done.stdout}{done.stderr}"
                shown += done.stdout
        elif block.kind == "text":
            for line in block.text.splitlines():
                for part in re.split(r" {2,}", line.strip()):
                    assert part in shown or all(word in shown for word in part.split()), (
                        f"{part!r} not in\n{shown}"
                    )


def test_there_is_a_page_for_each_strategy():
    """A strategy without a tutorial is one that nobody finds."""
    from wpfsm.adapters.documents.loop_file_schema import loop_file_schema

    one, phases = loop_file_schema()["properties"]["strategy"]["oneOf"]
    kinds = one["discriminator"]["mapping"]
    assert phases["items"]["discriminator"]["mapping"].keys() == kinds.keys()
    assert {page.stem for page in PAGES} == {*kinds, "phases"}
    index = (ROOT / "docs" / "tutorials" / "README.md").read_text()
    assert all(f"({kind}.md)" in index for kind in kinds)
