"""Every verb explains itself: its help, an example, the forms of output, completion, the version."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib.metadata import version

import click
import pytest
from cli_bench import Bench

from wpfsm.adapters.verbs.group import ORDER
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


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(alone: Bench, shell: str):
    """The script asks the program itself for the words."""
    assert "_WPFSM_COMPLETE" in alone.run("completion", shell).out


def test_completion_knows_the_verbs(alone: Bench):
    """What the script asks for is answered with verbs."""
    ran = alone.run(_WPFSM_COMPLETE="bash_complete", COMP_WORDS="wpfsm ins", COMP_CWORD="1")
    assert ran.out.strip() == "plain,inspect"


def test_completion_knows_the_loops(finished: Bench):
    """A verb that takes a loop completes its id."""
    for verb in ("inspect", "resume", "report"):
        ran = finished.run(_WPFSM_COMPLETE="bash_complete", COMP_WORDS=f"wpfsm {verb} swe", COMP_CWORD="2")
        assert re.fullmatch(r"plain,sweep-[0-9a-f]{10}", ran.out.strip()), ran.err


def test_completion_says_nothing_without_a_database(alone: Bench):
    """No loop is not an error at the Tab key."""
    ran = alone.run(_WPFSM_COMPLETE="bash_complete", COMP_WORDS="wpfsm inspect x", COMP_CWORD="2")
    assert (ran.out.strip(), ran.err) == ("", "")


def test_the_list_of_verbs_is_whole(alone: Bench):
    """Every verb has its place in the list, and its sentence fits a terminal of 80 columns."""
    shown = alone.run("--help", COLUMNS="80").out
    assert set(ORDER) == set(cli.commands)
    listed = shown.partition("Commands:")[2]
    assert "..." not in listed
    assert max(map(len, listed.splitlines())) <= 80
    assert re.findall(r"^  (\w+)  ", listed, re.MULTILINE) == list(ORDER)


def test_bad_usage_is_an_object_for_programs(alone: Bench):
    """A program that asked for JSON gets the error as JSON, with the same exit code."""
    ran = alone.run("inspect", "--job", "zero", "-o", "json")
    assert ran.code == 2
    assert ran.json["error"]["class"] == "UsageError"
    assert "zero" in ran.json["error"]["message"]
    assert alone.run("inspect", "--job", "zero").out == ""


def test_no_traceback_unless_asked(alone: Bench):
    """An unexpected error is one line; --debug shows where it came from."""
    alone.database.mkdir()
    for words, has_traceback in (([], False), (["--debug"], True)):
        ran = alone.run("inspect", *words)
        assert ran.code not in (0, None)
        assert ("Traceback" in ran.err) is has_traceback


def test_an_unexpected_error_is_an_object_for_programs(alone: Bench):
    """What nobody foresaw is said in the form that was asked for, too."""
    ran = alone.run("inspect", "--db", "x" * 300, "-o", "json")
    assert ran.code == 1
    assert "File name too long" in ran.json["error"]["message"]
    assert "--debug" in ran.json["error"]["fix"]
    assert ran.err == ""
