"""What surely runs of a source, and what may not be blamed because it may never run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.source_checks.execution import Import, Source


def imported(train: str, **files: str) -> list[str]:
    """The modules of others that surely are imported."""
    source = Source({"train.py": train, **{f"{name}.py": text for name, text in files.items()}}, "train.py")
    return [found.module for found in source.run.imports]


@pytest.mark.parametrize(
    "script",
    [
        "import a",
        "from a import b",
        "with open('x'):\n    import a",
        "def main():\n    import a\nmain()",
        "def main():\n    import a\nif __name__ == '__main__':\n    main()",
        "try:\n    import a\nexcept KeyError:\n    pass",
        "try:\n    pass\nfinally:\n    import a",
        "class A:\n    import a",
    ],
)
def test_what_stands_on_the_way_runs(script: str) -> None:
    """At the top, in what is called there, and in what catches no missing module."""
    assert imported(script) == ["a"]


@pytest.mark.parametrize(
    "script",
    [
        "if x:\n    import a",
        "try:\n    import a\nexcept ImportError:\n    a = None",
        "try:\n    import a\nexcept:\n    a = None",
        "def unused():\n    import a",
        "import contextlib\nwith contextlib.suppress(ImportError):\n    import a",
        "import sys\nsys.exit()\nraise SystemExit\nimport a",
        "f = lambda: load()\ndef load():\n    import a",
        "x and load()\ndef load():\n    import a",
    ],
)
def test_what_may_never_run_is_not_blamed(script: str) -> None:
    """Behind a condition, in a function that nobody surely calls, where the failure is caught, after the end."""
    assert "a" not in imported(script)


def test_a_call_is_followed_into_the_file_that_defines_it() -> None:
    """With the place where the import stands."""
    source = Source(
        {"train.py": "from lib.work import go\ngo()\n", "lib/work.py": "def go():\n    import a.b\n"},
        "train.py",
    )

    assert source.run.imports == [Import("a.b", "lib/work.py", 2)]
    assert source.run.files == ["train.py", "lib/work.py"]


def test_files_that_import_each_other_are_read_once() -> None:
    """A circle ends."""
    assert imported("import one", one="import two\nimport a", two="import one\nimport b") == ["b", "a"]


def test_a_script_in_a_folder_imports_what_stands_beside_it() -> None:
    """Beside it first, then at the top, a package by its folder; a name anywhere in the source is its own."""
    files = {"src/train.py": "", "src/lib.py": "", "lib.py": "", "pkg/__init__.py": "", "pkg/part.py": ""}
    source = Source(files, "src/train.py")

    assert source.files_of("lib") == ["src/lib.py"]
    assert source.files_of("pkg.part") == ["pkg/__init__.py", "pkg/part.py"]
    assert source.files_of("numpy") == []
    assert source.is_own("part.anything")
    assert not source.is_own("numpy")


def test_what_is_imported_conditionally_is_within_reach_all_the_same() -> None:
    """Who looks for what a source may print reads more than what surely runs."""
    source = Source({"train.py": "if x:\n    import late\n", "late.py": "", "other.py": ""}, "train.py")

    assert list(source.reachable) == ["train.py", "late.py"]
    assert source.run.files == ["train.py"]


@given(st.text(max_size=100))
def test_any_text_is_a_source(text: str) -> None:
    """What is no Python runs nothing that could be blamed."""
    source = Source({"train.py": text}, "train.py")

    assert set(source.run.files) <= set(source.trees)
    assert list(source.reachable) == [name for name in ("train.py",) if name in source.trees]
