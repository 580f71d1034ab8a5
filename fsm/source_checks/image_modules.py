"""What an image brings, as far as its name tells: a dated table of framework images, and the Python in a tag."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_TAG = (
    re.compile(r"[:-]py(?P<major>3)(?P<minor>\d{1,2})(?=[-.]|$)"),
    re.compile(r"(?:^|/)python:(?P<major>3)\.(?P<minor>\d{1,2})(?=[-.]|$)"),
)


@dataclass(frozen=True)
class KnownImage:
    """What is known of an image.

    Attributes:
        name: As a person calls it; empty when the image is not in the table.
        modules: Top-level modules that it brings beside the standard library; None when that is not known.
        python: Such as ``3.10``; None when its tag does not say.
        as_of: When the table was made.
    """

    name: str
    modules: frozenset[str] | None
    python: str | None
    as_of: str = ""


def image_of(uri: str | None, *, local: bool, python: str | None = None) -> KnownImage:
    """What is known of the image of a job.

    Args:
        uri: ``job.image``.
        local: The job runs in a fresh environment of this machine's Python.
        python: ``job.python``, which wins over the tag.
    """
    table = _table()
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    name = "wpfsm.local/python:plain" if local else uri or ""
    tag = next((f"{m['major']}.{m['minor']}" for pattern in _TAG if (m := pattern.search(name))), None)
    known = python or (here if local else tag)
    for row in table["images"]:
        if re.search(row["pattern"], name):
            return KnownImage(row["name"], frozenset(row["modules"]), known, table["as_of"])
    return KnownImage("", None, known, table["as_of"])


@cache
def _table() -> Any:
    return json.loads(files("wpfsm.fsm.source_checks").joinpath("images.json").read_text(encoding="utf-8"))
