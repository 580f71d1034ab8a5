"""Environments made by hand: ``venv`` takes seconds, and not every image has it."""

from __future__ import annotations

import os
import shutil
import sys

PIP = (
    "import sys, runpy; sys.path[:1] = []; sys.argv[0] = 'pip'; runpy.run_module('pip', run_name='__main__')"
)
"""Runs pip with ``-c``: as a module it would import from the working directory first, which holds the user's files."""

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
_SHARED = "import site; site.addsitedir({!r})\n"


def say(text: str) -> None:
    """One line in the log."""
    print("wpfsm: " + text, flush=True)


def make_environment(folder: str, shown: list[str]) -> str:
    """A virtual environment that sees some folders of packages behind its own.

    ``--system-site-packages`` would show the base interpreter's packages, which are not the image's where the image's
    Python is a virtual environment itself.

    Returns:
        Its interpreter.
    """
    base = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    commands, packages = os.path.join(folder, "bin"), packages_of(folder)
    os.makedirs(commands, exist_ok=True)
    os.makedirs(packages, exist_ok=True)
    for name in ("python", "python3", f"python{MINOR}"):
        os.symlink(base, os.path.join(commands, name))
    with open(os.path.join(packages, "image.pth"), "w", encoding="utf-8") as file:
        file.writelines(_SHARED.format(path) for path in shown)
    with open(os.path.join(folder, "pyvenv.cfg"), "w", encoding="utf-8") as file:
        version = ".".join(map(str, sys.version_info[:3]))
        file.write(
            f"home = {os.path.dirname(base)}\ninclude-system-site-packages = false\nversion = {version}\n"
        )
    of_the_image = os.path.join(sys.prefix, "pip.conf")
    if os.path.isfile(of_the_image):
        shutil.copyfile(of_the_image, os.path.join(folder, "pip.conf"))
    return os.path.join(commands, "python3")


def packages_of(folder: str) -> str:
    """Where an environment's own packages are."""
    return os.path.join(folder, "lib", f"python{MINOR}", "site-packages")


def add_commands(folder: str, kept: str, image: str) -> None:
    """Give an environment the commands of the kept packages and of the image; Python's run in this environment's.

    A program of the image's needs nothing: its folder is on PATH, behind this one.
    """
    commands = os.path.join(folder, "bin")
    python = os.path.join(commands, "python3")
    for name in ("pip", "pip3"):
        write_command(os.path.join(commands, name), f'#!/bin/sh\nexec "{python}" -m pip "$@"\n')
    for other in (kept, image):
        for name in os.listdir(other) if os.path.isdir(other) else ():
            source, target = os.path.join(other, name), os.path.join(commands, name)
            if not os.path.lexists(target) and os.path.isfile(source) and not name.startswith("python"):
                add_command(source, target, python, link=other == kept)


def add_command(source: str, target: str, python: str, *, link: bool) -> None:
    """One command: wrapped where Python runs it, a link (if asked for) where it is a program."""
    with open(source, "rb") as file:
        head = file.read(300)
    first = head.partition(b"\n")[0]
    if (head.startswith(b"#!") and b"python" in first) or b"'''exec'" in head:
        write_command(target, f'#!/bin/sh\nexec "{python}" "{source}" "$@"\n')
    elif b"$(dirname" in head and b"python" in head:
        shutil.copy(source, target)  # it looks for the Python beside itself
    elif link:
        os.symlink(source, target)


def write_command(path: str, text: str) -> None:
    """A file that can be run."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)
