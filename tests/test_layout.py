"""The rooms: which folders there are, and which way their imports run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from wpfsm.fsm.records import State

ROOT = Path(__file__).resolve().parent.parent
WORKING = {str(state).lower() for state in State if state is not State.CLOSED}


def modules() -> dict[str, Path]:
    """Every module of the product by its import name."""
    files = [
        ROOT / "cli.py",
        *(file for top in ("fsm", "state", "adapters") for file in (ROOT / top).rglob("*.py")),
    ]
    return {name_of(file): file for file in files}


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(("wpfsm", *(parts[:-1] if parts[-1] == "__init__" else parts)))


def imports(file: Path, known: dict[str, Path]) -> Iterator[str]:
    """What a module imports of the product, wherever in it; what only a type checker reads is left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in known else node.module


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    known = modules()
    return {name: set(imports(file, known)) - {name} for name, file in known.items()}


def test_the_folders_of_the_states_are_the_states() -> None:
    """Whoever opens fsm/states sees the state diagram."""
    folders = {
        folder.name for folder in (ROOT / "fsm" / "states").iterdir() if (folder / "__init__.py").exists()
    }
    assert folders == WORKING
    assert all((ROOT / "fsm" / "states" / state / "activity.py").exists() for state in WORKING)


def test_no_state_imports_another(graph: dict[str, set[str]]) -> None:
    """A state that knew another would be a transition that the machine does not check."""
    found = [
        f"{name} -> {used}"
        for name, uses in graph.items()
        for used in uses
        if (a := state_of(name)) and (b := state_of(used)) and a != b
    ]
    assert found == []


def state_of(name: str) -> str | None:
    parts = name.split(".")
    return parts[3] if parts[1:3] == ["fsm", "states"] and len(parts) > 3 else None


def test_no_import_goes_in_a_circle(graph: dict[str, set[str]]) -> None:
    """Not even through an import inside a function: it would hide an arrow that points upwards."""
    assert [circle for circle in circles(graph) if len(circle) > 1] == []


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected components (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for used in graph[name]:
            if used not in index:
                visit(used)
                low[name] = min(low[name], low[used])
            elif used in stack:
                low[name] = min(low[name], index[used])
        if low[name] == index[name]:
            at = stack.index(name)
            found.append(sorted(stack[at:]))
            del stack[at:]

    for name in graph:
        if name not in index:
            visit(name)
    return found


RULES = ("request", "loopfile", "strategies", "failures", "patches", "pool", "costs")


def test_a_rule_takes_no_context(graph: dict[str, set[str]]) -> None:
    """A rule is a function of values: it cannot call, write or wait."""
    found = [
        name for name, uses in graph.items() if name.split(".")[2:3] and name.split(".")[1] == "fsm"
        and name.split(".")[2] in RULES and "wpfsm.fsm.context" in uses
    ]  # fmt: skip
    assert found == []


@pytest.mark.parametrize(("folder", "most"), [("fsm", 22), ("adapters", 12), ("adapters/emulator", 13)])
def test_a_room_has_few_doors(folder: str, most: int) -> None:
    """What a folder shows at first sight fits in one glance."""
    entries = [entry for entry in (ROOT / folder).iterdir() if entry.name != "__pycache__"]
    assert len(entries) <= most


def test_modules_have_a_test_of_their_name() -> None:
    """Most modules' promises are found by the module's name."""
    tests = {file.stem for file in (ROOT / "tests").rglob("test_*.py")}
    named = [file for file in modules().values() if file.stem != "__init__"]
    covered = [file for file in named if f"test_{file.stem}" in tests]
    assert len(covered) / len(named) >= 0.6
