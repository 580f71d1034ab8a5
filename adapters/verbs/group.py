"""What every verb of the command line shares: its options, its errors, its help, its place in the list."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from wpfsm.adapters.terminal.output import Options
    from wpfsm.fsm.errors import WpfsmError

ORDER = (
    "init",
    "plan",
    "rehearse",
    "start",
    "resume",
    "inspect",
    "wait",
    "next",
    "logs",
    "stop",
    "report",
    "fetch",
    "export",
    "explain",
    "diff",
    "metric",
    "detect",
    "release",
    "gc",
    "pools",
    "forget",
    "doctor",
    "deploy",
    "turn",
    "emulator",
    "schema",
    "skill",
    "completion",
)
"""The verbs as one meets them: a loop from its file to its end, then what is about more than one."""


SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Verb(click.Command):
    """A verb that has its settings itself: click keeps a command's help option from its first context on."""

    def __init__(self, name: str | None, **attributes: Any) -> None:
        super().__init__(name, **{"context_settings": SETTINGS, **attributes})


class Verbs(click.Group):
    """The group of verbs; errors become one message, one fix and the exit code of the table."""

    command_class = Verb
    group_class = type

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """In the order of use."""
        return sorted(self.commands, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run; bad usage is exit code 2, with an object on stdout where one was asked for."""
        from wpfsm.adapters.terminal.streams import OutputLost, flush_output, outlive_output

        try:
            # Of click itself: the exit code of --help and the like; a verb exits by itself.
            code = super().main(*args, **{**kwargs, "standalone_mode": False}) or 0
            flush_output()
            sys.exit(code)
        except OutputLost as error:
            if error.exit_code:
                print(f"error: {error}", file=sys.stderr)
            sys.exit(error.exit_code)
        except click.ClickException as error:
            error.show()
            if _asks_for_json(sys.argv):
                from wpfsm.adapters.documents.loop import error_document
                from wpfsm.adapters.terminal.output import print_json
                from wpfsm.fsm.errors import UsageError

                print_json(error_document(UsageError(error.format_message(), fix="wpfsm --help")))
            sys.exit(error.exit_code)
        except click.Abort:
            sys.exit(130)
        finally:
            outlive_output()


def _asks_for_json(argv: Sequence[str]) -> bool:
    """Whether ``-o json`` is among words that may not parse."""
    joined = " ".join(argv)
    return any(f"{option}json" in joined for option in ("-o ", "-o", "--output ", "--output="))


def say(given: Options, error: WpfsmError) -> None:
    """An error: a message and a fix for people, an object for programs."""
    from wpfsm.adapters.terminal.output import hint, print_json

    if given.output != "human":
        from wpfsm.adapters.documents.loop import error_document

        print_json(error_document(error))
        return
    from wpfsm.fsm.errors import with_fix

    hint(with_fix(f"error: {error}", error.fix))


def shared(function: Callable[..., int]) -> Callable[..., None]:
    """Give a verb the shared options, and turn its errors into message, fix and exit code."""

    @click.option(
        "-o",
        "--output",
        type=click.Choice(["human", "json", "jsonl"]),
        default="human",
        show_default=True,
        help="Form of what goes to stdout.",
    )
    @click.option(
        "--db",
        metavar="PATH",
        help="The SQLite file, or dynamodb://REGION/TABLE [default: $WPFSM_DB, else the state directory].",
    )
    @click.option(
        "--endpoint-url", metavar="URL", help="An endpoint that stands for AWS [default: $AWS_ENDPOINT_URL]."
    )
    @click.option("--debug", is_flag=True, help="Show tracebacks.")
    @wraps(function)
    def verb(output: str, db: str | None, endpoint_url: str | None, debug: bool, **arguments: object) -> None:
        from wpfsm.adapters.terminal.commands import carry
        from wpfsm.adapters.terminal.output import options
        from wpfsm.adapters.terminal.streams import OutputLost, flush_output, lost_output
        from wpfsm.fsm.errors import WpfsmError

        given = options(output, db, endpoint_url, debug=debug)
        carry(db, endpoint_url)
        try:
            code = function(given, **arguments)
        except WpfsmError as error:
            if debug:
                raise
            say(given, error)
            code = error.exit_code
        except (click.ClickException, click.Abort, click.exceptions.Exit, OutputLost):
            raise
        except Exception as error:
            if debug:
                raise
            found = _found_out(given, error)
            say(given, found)
            code = found.exit_code
        flush_output()
        if lost := lost_output():
            print(f"warning: {lost}", file=sys.stderr)
        sys.exit(code)

    return verb


def _found_out(given: Options, error: Exception) -> WpfsmError:
    """What an error means that nobody expected: a damaged database, or a mistake of ours."""
    import sqlite3

    from wpfsm.fsm.errors import WpfsmError

    if isinstance(error, sqlite3.Error):
        from wpfsm.state.database import explain

        return explain(error, given.database)
    if os.path.exists(given.database):  # noqa: PTH110 - a path that is none is no error here
        from wpfsm.state.damage import damage

        if found := damage(given.database):
            return found
    return WpfsmError(
        f"unexpected {type(error).__name__}: {error}",
        fix="run it again with --debug, and report the traceback",
    )


def examples(*commands: str) -> str:
    """The end of a verb's help: commands to copy."""
    return "\b\nExamples:\n" + "\n".join(f"  {command}" for command in commands)


def loop_ids(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The ids that a shell completes, newest first; none where the database cannot be read."""
    from wpfsm.adapters.aws.targets import history_of
    from wpfsm.adapters.terminal.output import options
    from wpfsm.fsm.errors import WpfsmError

    try:
        headers = history_of(options("human", context.params.get("db"), None)).loops()
    except WpfsmError:
        return []
    return [header.id for header in headers if header.id.startswith(incomplete)]
