"""Installs what a requirements file asks beside the image's packages, once for each digest.

pip decides what is missing, for it counts what the image brings; uv, which does not, installs exactly that from a
cache on the same file system, which takes links instead of copies. Without uv, pip installs.
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

from .digest import NotCached, installed
from .environments import PIP, make_environment, packages_of, say

KEPT = 4
"""Environments that a pool keeps; the least recently used go first."""
UV = "uv>=0.5,<1"
UV_SECONDS = 120
"""How long a job waits for uv's own wheel (20 MB), once for each pool."""

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
        install(python, half, requirements)
        os.rename(half, place)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def install(python: str, half: str, requirements: str) -> None:
    """Let pip decide what is missing beside the image's packages, and uv, where there is one, install that."""
    report = os.path.join(half, "report.json")
    code, told = pip(python, ["install", "--dry-run", "--report", report, "-r", requirements])
    if code and "no such option" not in told:
        raise failure(told)
    missing = read_report(report) if not code else None
    if missing == []:
        return
    if missing is not None and with_uv(python, half, missing):
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


def wheels(missing: list[Missing]) -> list[Missing]:
    """Those of a report that need no build."""
    return [each for each in missing if each[1].endswith(".whl")]


def with_uv(python: str, half: str, missing: list[Missing]) -> bool:
    """Install the wheels of pip's report with uv, from the addresses that pip found; False where that cannot be."""
    uv = find_uv(python, os.path.dirname(half))
    if uv is None:
        return False
    exact = os.path.join(half, "exact.txt")
    with open(exact, "w", encoding="utf-8") as file:
        file.writelines(
            "{} @ {}{}\n".format(name, url, "#sha256=" + sha256 if sha256 else "")
            for name, url, sha256 in wheels(missing)
        )
    words = [
        uv,
        "pip",
        "install",
        "--python",
        python,
        "--no-deps",
        "--no-config",
        "--quiet",
        "-r",
        exact,
    ]
    if subprocess.call(words, stdin=subprocess.DEVNULL, env={**os.environ, "UV_SYSTEM_CERTS": "true"}):
        say("uv could not install them, pip does")
        return False
    # Otherwise `pip freeze` would show addresses instead of versions.
    for address in glob.glob(os.path.join(glob.escape(packages_of(half)), "*.dist-info", "direct_url.json")):
        os.remove(address)
    # In pip's words, from which the versions of a failed job are read.
    print("Successfully installed", *sorted(installed([packages_of(half)])), flush=True)
    return True


def find_uv(python: str, root: str) -> str | None:
    """The image's uv, else one of the pool's own, fetched once; None where there is none to be had."""
    own = os.path.join(root, "uv-tool")
    there = shutil.which("uv") or shutil.which("uv", path=os.path.join(own, "bin"))
    if there or os.path.isdir(own):
        return there
    half = own + ".half"
    words = ["install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target", half, UV]
    try:
        done = subprocess.run(
            [python, "-c", PIP, *words, "--no-input", "--disable-pip-version-check"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=UV_SECONDS,
        )
        if done.returncode:
            say("there is no uv on the index; pip installs")
    except subprocess.TimeoutExpired:
        say("uv did not arrive in time; pip installs")
    # An empty folder says that it was tried: the pool's next job does not wait for it again.
    os.makedirs(half, exist_ok=True)
    os.rename(half, own)
    return shutil.which("uv", path=os.path.join(own, "bin"))


def forget_old(root: str) -> None:
    """Remove the environments that were not used for longest."""
    places = [
        place
        for place in glob.glob(os.path.join(root, "*"))
        if re.fullmatch(r"[0-9a-f]{16}", os.path.basename(place))
    ]
    for place in sorted(places, key=os.path.getmtime, reverse=True)[KEPT:]:
        shutil.rmtree(place, ignore_errors=True)
