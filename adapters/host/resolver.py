"""Asks the user's package index, through pip's own resolver, whether requirements can be installed. Installs nothing.

Only wheels are considered, so that no code of a package runs on this machine. What only a source distribution
satisfies is therefore not known, and not said to be wrong.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from wpfsm.fsm.ports import Resolution

_UNKNOWN = Resolution(None)
_GLIBC = ("2_34", "2_31", "2_28", "2_27", "2_26", "2_24", "2_17", "2_12", "2_5")
_PLATFORMS = (
    *(f"manylinux_{glibc}_x86_64" for glibc in _GLIBC),
    "manylinux2014_x86_64",
    "manylinux2010_x86_64",
    "manylinux1_x86_64",
    "linux_x86_64",
)
_UNREACHABLE = re.compile(
    r"Retrying|connection|HTTP error|SSLError|ProxyError|HTTP (?:4|5)\d\d|timed? ?out|No index", re.IGNORECASE
)
_NONE = re.compile(
    r"No matching distribution found for (?P<requirement>[^\n]+?)(?: \(from [^\n]*\))?\s*$", re.MULTILINE
)
_CONFLICT = re.compile(r"^(?:ERROR: )?(?P<first>Cannot install .+ because .+)$", re.MULTILINE)
_CAUSE = re.compile(r"The conflict is caused by:\n(?P<lines>(?: {4}.+\n)+)")
_WHEELS = re.compile(r"\(from versions: (?P<versions>\d[^)]*)\)")
_LISTING_SECONDS = 6.0

Ask: TypeAlias = Callable[[list[str]], "tuple[int | None, str]"]


class PipResolver:
    """Implements :class:`wpfsm.fsm.ports.Resolver`.

    Args:
        variables: The environment of pip; the user's own.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = dict(os.environ if variables is None else variables)

    def resolve(
        self, folder: str, requirements: str, python: str, environment: Mapping[str, str], seconds: float
    ) -> Resolution:
        """Resolve a requirements file for a Python on Linux; see the port."""
        own = {name: value for name, value in environment.items() if name.startswith("PIP_")}
        variables = {**self._variables, **own}
        variables.pop("PIP_CACHE_DIR", None) if "PIP_CACHE_DIR" in own else None
        deadline = time.monotonic() + seconds
        with tempfile.TemporaryDirectory(prefix="wpfsm-") as scratch:
            report = Path(scratch, "report.json")
            words = [
                "install",
                "--dry-run",
                "--ignore-installed",
                "--report",
                str(report),
                "-r",
                requirements,
                "--target",
                str(Path(scratch, "target")),
                "--progress-bar",
                "off",
                *_for_python(python),
            ]
            code, said = _pip(words, folder, variables, seconds - _LISTING_SECONDS)
            if code == 0:
                return Resolution(_names(report))
        if code is None or _UNREACHABLE.search(said):
            return _UNKNOWN
        if conflict := _CONFLICT.search(said):
            cause = _CAUSE.search(said)
            lines = [line.strip() for line in cause["lines"].splitlines()] if cause else []
            return Resolution(None, "; ".join([conflict["first"].rstrip("."), *lines]), _first_name(lines))
        if missing := _NONE.search(said):
            with_wheel = _WHEELS.search(said)
            versions = [v.strip() for v in with_wheel["versions"].split(",")] if with_wheel else []
            asked = missing["requirement"].strip()
            return _without_wheel(
                asked,
                versions,
                python,
                lambda words: _pip(
                    words, folder, variables, min(_LISTING_SECONDS / 2, deadline - time.monotonic())
                ),
            )
        return _UNKNOWN


def _without_wheel(asked: str, wheels: Sequence[str], python: str, pip: Ask) -> Resolution:
    """What it means that no wheel satisfies a requirement: perhaps a source distribution does.

    Args:
        asked: The requirement.
        wheels: Versions that have a wheel for this Python.
        python: Such as ``3.10``.
        pip: Runs pip with some words.
    """
    try:
        requirement = Requirement(asked)
    except InvalidRequirement:
        return _UNKNOWN
    name = canonicalize_name(requirement.name)
    listing = ["index", "versions", requirement.name, "--json", "--pre", "--python-version", python]
    code, said = pip(listing)
    if code is None or (code and _UNREACHABLE.search(said)):
        return _UNKNOWN
    if code:
        return Resolution(None, f"this machine's package index has no {requirement.name}", name)
    versions: list[str] = _json(said).get("versions", [])
    if not versions:
        return _UNKNOWN
    if not any(requirement.specifier.contains(version, prereleases=True) for version in versions):
        return Resolution(
            None, f"no release of {asked} is for Python {python}; the newest that is: {versions[0]}", name
        )
    # A source distribution of pure Python installs anywhere; one of compiled code needs what few images have.
    code, said = pip([*listing, "--only-binary", ":all:", "--platform", "any", "--abi", "none"])
    if code is None or not wheels or _json(said).get("versions"):
        return _UNKNOWN
    return Resolution(
        None,
        f"{asked} has no wheel for Python {python} and would be built from source in the job; {requirement.name} "
        f"{wheels[0]} to {wheels[-1]} have one",
        name,
    )


def _for_python(python: str) -> list[str]:
    """Options with which pip resolves for another interpreter than its own."""
    platforms = [word for platform in _PLATFORMS for word in ("--platform", platform)]
    return ["--only-binary", ":all:", "--python-version", python, "--implementation", "cp", *platforms]


def _pip(
    words: list[str], folder: str, variables: Mapping[str, str], seconds: float
) -> tuple[int | None, str]:
    """Run pip; its exit code (None when it did not end in time or is not there), and all that it said."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "pip",
        *words,
        "--no-input",
        "--disable-pip-version-check",
        "--retries",
        "1",
        "--timeout",
        "8",
        "--no-color",
    ]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=max(1.0, seconds),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None, ""
    return (None, "") if "No module named pip" in done.stdout else (done.returncode, done.stdout)


def _names(report: Path) -> frozenset[str]:
    told = json.loads(report.read_text(encoding="utf-8"))
    return frozenset(canonicalize_name(item["metadata"]["name"]) for item in told["install"])


def _json(said: str) -> dict[str, list[str]]:
    """The JSON object among pip's lines."""
    for line in said.splitlines():
        if line.startswith("{"):
            try:
                told: dict[str, list[str]] = json.loads(line)
            except ValueError:
                continue
            return told
    return {}


def _first_name(lines: list[str]) -> str:
    """The distribution that the first line of a conflict names."""
    for line in lines:
        if match := re.search(r"user requested (?:\(constraint\) )?(?P<name>[A-Za-z0-9][\w.-]*)", line):
            return canonicalize_name(match["name"].rstrip("."))
    return ""
