"""Every verb explains itself: its help, an example, the forms of output, completion, the version."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib.metadata import version

import click
import pytest
from cli_bench import Bench

from wpfsm.cli import cli


def verbs(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every verb with the words that name it."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from verbs(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


VERBS = dict(verbs())


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_a_sentence_and_an_example(verb: str):
    """The help of a verb says what it does and ends with a command to copy."""
    command = VERBS[verb]
    assert command.help
    parent = cli.make_context("wpfsm", [], resilient_parsing=True)
    text = command.get_help(click.Context(command, parent=parent, info_name=verb))
    examples = re.findall(
        rf"^ *(?:\$ |eval \"\$\()?(wpfsm {verb}\b.*)", text.split("Usage:", 1)[1], re.MULTILINE
    )
    assert examples, f"the help of {verb} has no example"


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_answers_to_h_by_itself(verb: str):
    """Click keeps what a command's first context says of its help: that must not hang on who came first."""
    context = VERBS[verb].make_context(verb, [], resilient_parsing=True)
    assert set(VERBS[verb].get_help_option_names(context)) == {"-h", "--help"}


@pytest.mark.parametrize("verb", VERBS)
def test_every_example_parses(verb: str):
    """The words of an example are words that the verb takes."""
    command = VERBS[verb]
    for line in (command.epilog or "").splitlines():
        if not line.strip().startswith("wpfsm"):
            continue
        words = shlex.split(line.partition(" > ")[0].partition(" | ")[0])[1 + len(verb.split()) :]
        command.make_context(verb, words, resilient_parsing=False)


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"emulator"}))
def test_every_verb_takes_the_shared_options(verb: str):
    """-o, --db, --endpoint-url and --debug are the same everywhere."""
    options = {name for parameter in VERBS[verb].params for name in parameter.opts}
    assert {"-o", "--output", "--db", "--endpoint-url", "--debug"} <= options


def test_every_option_is_explained():
    """An option without a sentence of help is one that nobody can use."""
    bare = [
        f"{verb} {parameter.opts[0]}"
        for verb, command in VERBS.items()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert bare == []


def test_the_version(alone: Bench):
    """--version is the distribution's version, at the front and behind an option."""
    assert alone.run("--version").out == f"wpfsm {version('wpfsm')}\n"
