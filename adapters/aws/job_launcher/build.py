"""Installs what a requirements file asks beside the image's packages, once for each digest.

uv resolves and installs where its answer is pip's; else pip decides what is missing, for it counts what the image
brings, and uv installs exactly that. Without uv, pip installs.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Tuple

from .digest import NotCached
from .environments import PIP, make_environment, say
from .uv import find, resolve
from .uv import install as install_exactly

KEPT = 4
"""Environments that a pool keeps; the least recently used go first."""

Missing = Tuple[str, str, str]
"""A distribution that pip would install: its name, the address of its file, the file's sha256 (or nothing)."""

_TAIL = 200
_OF_THE_MACHINE = re.compile(r"Errno|No space left|Read-only file system|Permission denied|MemoryError")


class Failed(Exception):
    """The requirements cannot be installed, and pip has said why in the log."""


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends."""
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build(place: str, requirements: str, brought: list[str]) -> None:
    """Install the requirements beside their place, then rename: a job that is killed meanwhile leaves no half."""
    for half in glob.glob(os.path.join(os.path.dirname(place), "*.half")):
        shutil.rmtree(half, ignore_errors=True)  # the lock is ours, so whoever began it is gone
    half = place + ".half"
    try:
        python = make_environment(half, brought)
        install(python, half, requirements, brought)
        os.rename(half, place)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def install(python: str, half: str, requirements: str, brought: list[str]) -> None:
    """Install what is missing beside the image's packages."""
    uv = find(python, os.path.dirname(half))
    lines = resolve(uv, python, half, requirements, brought) if uv else None
    if uv and lines is not None and (not lines or install_exactly(uv, python, half, lines)):
        return
    # pip decides where uv cannot, and says in the log what is wrong with the requirements.
    report = os.path.join(half, "report.json")
    code, told = pip(python, ["install", "--dry-run", "--report", report, "-r", requirements])
    if code and "no such option" not in told:
        raise failure(told)
    missing = read_report(report) if not code else None
    if missing == []:
        return
    if uv and missing and install_exactly(uv, python, half, wheels(missing)):
        if len(wheels(missing)) == len(missing):
            return
        say("uv installed the wheels, pip builds the rest")
    code, told = pip(python, ["install", "-r", requirements])
    if code:
        raise failure(told)


def failure(told: str) -> Exception:
    """What a failed installation is: the requirements', or this machine's."""
    last = next((line for line in reversed(told.splitlines()) if "ERROR" in line), "pip failed")
    return NotCached(last) if _OF_THE_MACHINE.search(told) else Failed(last.replace("ERROR:", "").strip())


def pip(python: str, words: list[str]) -> tuple[int, str]:
    """Run pip in an environment; what it says goes to the log.

    Returns:
        Its exit code, and the end of what it said.
    """
    process = subprocess.Popen(
        [python, "-c", PIP, *words, "--no-input", "--disable-pip-version-check", "--progress-bar", "off"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        errors="replace",
    )
    told: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        print(line, end="", flush=True)
        told = [*told, line][-_TAIL:]
    return process.wait(), "".join(told)


def read_report(path: str) -> list[Missing]:
    """What pip would install."""
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    found = []
    for item in report["install"]:
        info = item["download_info"]
        hashes = info.get("archive_info", {}).get("hashes", {})
        found.append((item["metadata"]["name"], info["url"], hashes.get("sha256", "")))
    return found


def wheels(missing: list[Missing]) -> list[str]:
    """Those of a report that need no build, as lines of a requirements file."""
    found = [each for each in missing if each[1].endswith(".whl")]
    return [f"{name} @ {url}{'#sha256=' + sha256 if sha256 else ''}" for name, url, sha256 in found]


def forget_old(root: str) -> None:
    """Remove the environments that were not used for longest."""
    places = [
        place
        for place in glob.glob(os.path.join(root, "*"))
        if re.fullmatch(r"[0-9a-f]{16}", os.path.basename(place))
    ]
    for place in sorted(places, key=os.path.getmtime, reverse=True)[KEPT:]:
        shutil.rmtree(place, ignore_errors=True)
