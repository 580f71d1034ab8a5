"""The commands that a page shows, and whether the program takes them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from wpfsm.cli import cli

_PLACEHOLDERS = {"N": "1", "PID": "1", "SEQ": "1", "shell": "bash"}


def commands(page: Path) -> Iterator[str]:
    """The commands of a page's blocks, then those inside its sentences."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"^```(?:bash|console|sh)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield from re.findall(r"^\s*(wpfsm [^|&>\n]+)", block, re.MULTILINE)
    for spoken in re.findall(r"`(wpfsm [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        yield re.split(r" \\?\| ", spoken)[0]  # a pipe, which a table spells with a backslash


def take(command: str) -> None:
    """Parse a command as the program would, and run nothing.

    Raises:
        KeyError: There is no such verb.
        click.UsageError: The verb has no such option, or wants another value.
    """
    words = [
        _PLACEHOLDERS.get(word, word).replace("=toolkit", "=.")
        for word in shlex.split(command, comments=True)
    ]
    assert words[0] == "wpfsm"
    group: click.Command = cli
    path = words[1:]
    while isinstance(group, click.Group) and path and not path[0].startswith("-"):
        group = group.commands[path.pop(0)]
    if path and not {"--help", "-h", "--version"} & set(path):
        group.make_context(group.name or "", path)
