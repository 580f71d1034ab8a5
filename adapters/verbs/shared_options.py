"""The options and arguments that several verbs have, each in one place, so that they read alike everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from wpfsm.adapters.verbs.group import loop_ids

F = TypeVar("F", bound=Callable[..., Any])

one_loop = click.argument("loop", shell_complete=loop_ids)
any_loop = click.argument("loop", required=False, shell_complete=loop_ids)
loop_file = click.argument("file", type=click.Path(path_type=Path))

overriding = click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Replace a key of the loop file."
)
other_backend = click.option(
    "--backend", type=click.Choice(["local", "aws"]), help="Replace the loop file's backend."
)
detachable = click.option("--detach", is_flag=True, help="Drive it in the background; exit 11.")
strictly = click.option("--strict", is_flag=True, help="Refuse where a check of the source would warn.")


def where_to_look(verb: F) -> F:
    """``--backend`` and ``--region``, for a verb that looks into an account and not at a loop."""
    verb = click.option("--region", help="Where to look.")(verb)
    return click.option("--backend", type=click.Choice(["local", "aws"]), help="Where to look.")(verb)
