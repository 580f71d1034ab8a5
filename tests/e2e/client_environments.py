"""Environments of real clients, each from the package index, outside the repository.

The big ones take minutes and hundreds of megabytes, so they are made only where WPFSM_CLIENTS is set (``make clients``).
It may name a folder that keeps them between two runs; ``1`` keeps nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

CLIENTS = os.environ.get("WPFSM_CLIENTS", "")
INSTALL_SECONDS, RUN_SECONDS = 1200, 600
big = pytest.mark.skipif(
    not CLIENTS, reason="hundreds of megabytes from the package index: make clients (WPFSM_CLIENTS=1)"
)
without_node = pytest.mark.skipif(shutil.which("npm") is None, reason="Node.js and npm are not installed")


def folder_of(name: str, fresh: Path) -> Path:
    """Return where an environment is kept: the folder that was named, or a fresh one."""
    return fresh / name if CLIENTS in {"", "1"} else Path(CLIENTS).absolute() / name


def python_environment(folder: Path, *requirements: Sequence[str]) -> Path:
    """Return the interpreter of a virtual environment with requirements, each an own call of pip."""
    python = folder / "bin" / "python"
    made = folder / "made"
    if not made.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        for each in requirements:
            subprocess.run(
                [python, "-m", "pip", "install", "--quiet", *each], check=True, timeout=INSTALL_SECONDS
            )
        made.touch()
    return python


def node_environment(folder: Path, *packages: str) -> Path:
    """Return a folder with Node packages."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "made").exists():
        (folder / "package.json").write_text("{}")
        subprocess.run(
            ["npm", "install", "--silent", "--no-fund", "--no-audit", *packages],
            cwd=folder,
            check=True,
            timeout=INSTALL_SECONDS,
        )
        (folder / "made").touch()
    return folder


def run(command: Sequence[str | Path], folder: Path, variables: dict[str, str]) -> str:
    """Run a client in a folder, with the variables that lead it to the emulator; return all that it printed."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout
