"""The package list in pyproject.toml is the tree."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_package_of_the_tree_is_listed():
    """A package that is missing from the list would be missing from the wheel."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    tree = {
        "wpfsm." + str(init.parent.relative_to(ROOT)).replace("/", ".")
        for top in ("fsm", "state", "adapters")
        for init in (ROOT / top).rglob("__init__.py")
    }
    assert set(setuptools["packages"]) == tree | {"wpfsm"}
    assert setuptools["package-dir"] == {"wpfsm": "."} | {
        name: name.removeprefix("wpfsm.").replace(".", "/") for name in tree
    }


def test_the_root_is_not_a_package():
    """An __init__.py in the root would make a second copy of every module."""
    assert not (ROOT / "__init__.py").exists()
