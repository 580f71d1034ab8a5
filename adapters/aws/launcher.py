"""How the launcher (:mod:`wpfsm.adapters.aws.job_launcher`) gets into a job: its files, its name, what it is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from wpfsm.fsm.request.compose import CACHE

FOLDER = "_wpfsm"
ENTRY = f"{FOLDER}/launch.py"
"""Name of the entry script in the source, as the SDK's driver starts it."""
UPLOADED = "wpfsm: a file has arrived"
"""The line of the rendering process for each file that the SDK has uploaded."""

_ENTRY_TEXT = """\
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from job_launcher.main import main

main()
"""


def launcher_files() -> Iterator[tuple[str, bytes]]:
    """The files that go beside the source, by name."""
    yield ENTRY, _ENTRY_TEXT.encode()
    for file in sorted(Path(__file__).with_name("job_launcher").glob("*.py")):
        yield f"{FOLDER}/job_launcher/{file.name}", file.read_bytes()


def variables(entry: str, requirements: str, image: str) -> Mapping[str, str]:
    """What the launcher reads from the job's environment."""
    return {
        "WPFSM_ENTRY": entry,
        "WPFSM_REQUIREMENTS": requirements,
        "WPFSM_IMAGE": image,
        "WPFSM_PACKAGES_DIR": f"{CACHE}/wpfsm-packages",
    }
