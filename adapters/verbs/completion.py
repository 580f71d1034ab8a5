"""`wpfsm completion`: the shell completion script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.terminal.output import Options, emit
from wpfsm.fsm.errors import UsageError

if TYPE_CHECKING:
    import click


def completion(given: Options, group: click.Command, shell: str) -> int:
    """The script that makes a shell complete verbs and options."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f"no completion for {shell}", fix="bash, zsh or fish")
    source = kind(group, {}, "wpfsm", "_WPFSM_COMPLETE").source()
    emit(given, {"schema": SCHEMA, "shell": shell, "source": source}, source)
    return 0
