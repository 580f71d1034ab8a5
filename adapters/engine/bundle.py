"""The function's code as a zip: wpfsm and what it imports, without the SageMaker SDK, the same bytes each time."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.resources
import importlib.util
import io
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from wpfsm.fsm.errors import Refused, WpfsmError

MOST_BYTES = 250 * 1000 * 1000
"""What Lambda takes, unpacked."""
SDK = "aws-durable-execution-sdk-python"
SDK_VERSION = "3.0.0"
"""Exactly: it is a beta with three major versions in a year."""
_PLATFORM = (
    "--platform",
    "manylinux2014_aarch64",
    "--platform",
    "manylinux_2_28_aarch64",
    "--python-version",
    "3.13",
    "--implementation",
    "cp",
    "--only-binary=:all:",
)
_NEEDED = (
    "boto3",
    "packaging",
    "pathspec",
    "platformdirs",
    "pydantic",
    "python-statemachine",
    "regex",
    "ruamel.yaml",
)
EXTRAS = {"bayes": "optuna", "notify": "apprise"}
"""Extras whose package goes along where it is installed: the bundle of both has some 130 of Lambda's 250 MB."""
_LEFT_OUT = ("__pycache__", "tests", "emulator", "report", "detect")


def extras() -> tuple[str, ...]:
    """The extras that are installed here, and so in the bundle."""
    return tuple(extra for extra, package in EXTRAS.items() if importlib.util.find_spec(package))


def requirements() -> list[str]:
    """What the function imports, in the versions that are installed here."""
    packages = (*_NEEDED, *(EXTRAS[extra] for extra in extras()))
    return [*(f"{name}=={importlib.metadata.version(name)}" for name in packages), f"{SDK}=={SDK_VERSION}"]


def build() -> tuple[bytes, str]:
    """The zip and its digest.

    Raises:
        Refused: It is beyond what Lambda takes.
        WpfsmError: pip did not find a package for the function's platform.
    """
    with tempfile.TemporaryDirectory(prefix="wpfsm-bundle-") as folder:
        _install(Path(folder))
        ignore = shutil.ignore_patterns(*_LEFT_OUT, "*.pyc")
        for name in ("fsm", "state", "adapters"):
            package = Path(str(importlib.resources.files(f"wpfsm.{name}")))
            shutil.copytree(package, Path(folder, "wpfsm", name), ignore=ignore)
        return zipped(Path(folder))


def zipped(folder: Path) -> tuple[bytes, str]:
    """A folder as a zip whose bytes depend on its files alone."""
    packed, unpacked = io.BytesIO(), 0
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _files(folder):
            content = file.read_bytes()
            unpacked += len(content)
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    if unpacked > MOST_BYTES:
        raise Refused(
            f"the bundle has {unpacked / 1e6:.0f} MB unpacked, and Lambda takes {MOST_BYTES / 1e6:.0f}",
            fix="report this: a dependency has grown",
        )
    content = packed.getvalue()
    return content, hashlib.sha256(content).hexdigest()[:16]


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        # RECORD and direct_url name the folder that pip wrote to, which is another one each time.
        if (
            file.is_file()
            and "__pycache__" not in file.parts
            and file.name not in ("RECORD", "direct_url.json")
        ):
            yield file


def _install(folder: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-compile",
        "--target",
        str(folder),
        *_PLATFORM,
    ]
    done = subprocess.run([*words, *requirements()], capture_output=True, text=True, check=False)
    if done.returncode:
        raise WpfsmError(
            f"pip could not gather the function's packages: {done.stderr.strip()[-500:]}",
            fix="check the package index that pip uses",
        )
