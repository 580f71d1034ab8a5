"""A script that would be right elsewhere is told so, and nobody is sent to a package index or to their data."""

from __future__ import annotations

from typing import Any

import pytest

from wpfsm.fsm.failures.diagnosis import Evidence, diagnose
from wpfsm.fsm.failures.model import Diagnosis


def diagnosis(last: str, **more: Any) -> Diagnosis:
    """Of a script that ends with this line."""
    log = [
        "Traceback (most recent call last):",
        '  File "/code/scripts/train.py", line 1, in <module>',
        "    go()",
        last,
    ]
    return diagnose(Evidence(failure_reason="AlgorithmError: , exit code: 1", log=log, **more))


@pytest.mark.parametrize(
    "last",
    [
        "FileNotFoundError: [Errno 2] No such file or directory: '/opt/ml/input/config/hyperparameters.json'",
        "FileNotFoundError: [Errno 2] No such file or directory: '/opt/ml/input/data/training'",
        "FileNotFoundError: [Errno 2] No such file or directory: '/opt/ml/model/model.pkl'",
        "PermissionError: [Errno 13] Permission denied: '/opt/ml'",
        "ValueError: There are no files in /opt/ml/input/data/train.",
    ],
)
def test_a_folder_of_the_container_is_not_on_the_local_backend(last: str) -> None:
    """The fix is the variable, which is right in both places; on the service the data is what is missing."""
    assert diagnosis(last, local=True).fix.startswith("/opt/ml is not the container's here")
    assert "container" not in diagnosis(last).fix


def test_a_module_of_the_source_is_in_no_package_index() -> None:
    """Its folder is not on the path, for the entry stands in another one."""
    told = diagnosis("ModuleNotFoundError: No module named 'models.net'", source_files={"models/net.py": ""})
    assert told.class_ == "missing_module"
    assert told.who == "you"
    assert "PYTHONPATH" in told.fix
    assert "distribution" not in told.fix


def test_the_source_folders_own_name_is_no_package() -> None:
    """A job has what is in the folder, without its name."""
    told = diagnosis(
        "ModuleNotFoundError: No module named 'src'", source_files={"net.py": ""}, source_folder="src"
    )
    assert "src is the source folder" in told.fix
    other = diagnosis(
        "ModuleNotFoundError: No module named 'evaluate'", source_files={"net.py": ""}, source_folder="src"
    )
    assert "evaluate" in other.fix
    assert other.who == "wpfsm"
