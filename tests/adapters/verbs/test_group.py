"""The program's list of verbs, and how it says that it was called wrongly."""

from __future__ import annotations

import re

from cli_bench import Bench

from wpfsm.adapters.verbs.group import ORDER
from wpfsm.cli import cli


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
