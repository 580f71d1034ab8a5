"""How the launcher gets into a job: its files, and what it is told."""

from __future__ import annotations

import ast
from pathlib import Path

from wpfsm.adapters.aws import job_launcher
from wpfsm.adapters.aws.launcher import ENTRY, launcher_files, variables

FILES = dict(launcher_files())


def test_every_module_of_the_launcher_goes_along() -> None:
    """One that is missing would fail each job of the loop."""
    modules = {file.name for file in Path(job_launcher.__file__).parent.glob("*.py")}
    assert {Path(name).name for name in FILES if name != ENTRY} == modules
    assert b"job_launcher.main" in FILES[ENTRY]


def test_every_file_can_be_read_by_an_old_python() -> None:
    """It runs in the image's Python, perhaps a 3.8, and imports nothing that only this machine has."""
    for name, body in FILES.items():
        tree = ast.parse(body, name, feature_version=(3, 8))
        imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        imported += [
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        ]
        assert not [module for module in imported if module.startswith("wpfsm")], name


def test_the_launcher_is_told_what_to_run_and_where_to_keep_packages() -> None:
    """The pool's cache is the only folder that the next job sees."""
    told = variables("train.py", "requirements.txt", "train:1")
    assert (told["WPFSM_ENTRY"], told["WPFSM_REQUIREMENTS"], told["WPFSM_IMAGE"]) == (
        "train.py",
        "requirements.txt",
        "train:1",
    )
    assert told["WPFSM_PACKAGES_DIR"].startswith("/opt/ml/sagemaker/warmpoolcache/")
