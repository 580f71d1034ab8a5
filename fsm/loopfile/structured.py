"""Hyperparameters that are lists or mappings: taken as JSON text where the script reads JSON, for it takes text only.

Anywhere else a list is refused: who writes ``lr: [1e-4, 5e-5]`` there wants several jobs, not one with a list.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_READS_JSON = re.compile(r"\b(?:json|orjson|literal_eval|yaml|eval)\b")


def with_json_text(loop_file: object, folder: Path) -> object:
    """The loop file, not validated yet, with the lists and mappings that its script's parser reads as JSON as text.

    Args:
        loop_file: Builtins, as they were written.
        folder: Where the loop file is; the script is looked for below it.
    """
    if not isinstance(loop_file, Mapping) or not isinstance(job := loop_file.get("job"), Mapping):
        return loop_file
    given = job.get("hyperparameters")
    if not isinstance(given, Mapping) or not any(isinstance(value, list | dict) for value in given.values()):
        return loop_file
    decoded = set(_decoded(folder / str(job.get("source")) / str(job.get("entry"))))
    written = {
        name: json.dumps(value)
        if isinstance(value, list | dict) and name.replace("-", "_") in decoded
        else value
        for name, value in given.items()
    }
    return {**loop_file, "job": {**job, "hyperparameters": written}}


def _decoded(script: Path) -> Iterator[str]:
    """The options that a script's parser decodes as JSON, or the like, by name with underscores."""
    try:
        tree = ast.parse(script.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            kind = next((keyword.value for keyword in node.keywords if keyword.arg == "type"), None)
            if kind is not None and _READS_JSON.search(ast.unparse(kind)):
                for name in node.args:
                    if isinstance(name, ast.Constant) and isinstance(name.value, str):
                        yield name.value.lstrip("-").replace("-", "_")
