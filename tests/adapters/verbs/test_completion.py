"""``completion``: the shell's script, and the words that it is answered with."""

from __future__ import annotations

import re

import pytest
from cli_bench import Bench


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
