"""Commands on their way out carry what the run was given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wpfsm.adapters.terminal import commands


@pytest.fixture(autouse=True)
def given() -> Iterator[None]:
    """A run with a database and an endpoint of its own."""
    commands.carry("/d/x.db", "http://127.0.0.1:5000")
    yield
    commands.carry(None, None)


BOTH = "--db /d/x.db --endpoint-url http://127.0.0.1:5000"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("still releasing; wpfsm wait lr-1a2b3c goes on", f"still releasing; wpfsm wait lr-1a2b3c {BOTH} goes on"),
        ("wpfsm wait a-1 waits, wpfsm stop a-1 ends it", f"wpfsm wait a-1 {BOTH} waits, wpfsm stop a-1 {BOTH} ends it"),
        ("wpfsm wait a-1, or wpfsm stop a-1", f"wpfsm wait a-1 {BOTH}, or wpfsm stop a-1 {BOTH}"),
        ("`wpfsm gc --apply` finds them", f"`wpfsm gc --apply {BOTH}` finds them"),
        ("wpfsm inspect lists the loops", f"wpfsm inspect {BOTH} lists the loops"),
        ("wpfsm start FILE begins one", f"wpfsm start FILE {BOTH} begins one"),
        ("edit it, then wpfsm plan dir/loop.yaml", f"edit it, then wpfsm plan dir/loop.yaml {BOTH}"),
        ("wpfsm wait a-1 --timeout 9m  # until", f"wpfsm wait a-1 --timeout 9m {BOTH}  # until"),
        ("wpfsm start l.yaml --set limits.max_cost=5", f"wpfsm start l.yaml --set limits.max_cost=5 {BOTH}"),
        ("wpfsm diff a-1 > loop.diff", f"wpfsm diff a-1 {BOTH} > loop.diff"),
    ],
)  # fmt: skip
def test_a_sentence_has_the_options_at_the_end_of_its_command(said: str, shown: str) -> None:
    """So that it can be copied, and what stands behind it is still read as the sentence."""
    assert commands.in_text(said) == shown
    assert commands.in_text(shown) == shown


@pytest.mark.parametrize("said", [
    "stopped by `wpfsm stop`, without a live controller", "released by `wpfsm release --job a-1-001`",
    "WPFSM_DB", "wpfsm schema prints it", "/opt/wpfsm start", "wpfsm startled",
])  # fmt: skip
def test_what_is_no_command_to_run_stays(said: str) -> None:
    """What is told of the past, other verbs, and words that only look like one."""
    assert commands.in_text(said) == said


def test_a_document_has_them_in_argv_and_in_sentences_and_not_in_what_a_job_printed() -> None:
    """Evidence is shown as it is, though it may name a command."""
    document = commands.in_document({
        "next": [{"argv": ["wpfsm", "resume", "a-1"], "why": "or wpfsm release a-1"}],
        "handoff": {"resume": ["wpfsm", "resume", "a-1"], "diagnosis": {"evidence": ["run wpfsm gc --apply"]}},
        "lines": ["wpfsm stop a-1"],
    })  # fmt: skip
    argv = ["wpfsm", "resume", "a-1", *BOTH.split()]
    assert document == {
        "next": [{"argv": argv, "why": f"or wpfsm release a-1 {BOTH}"}],
        "handoff": {"resume": argv, "diagnosis": {"evidence": ["run wpfsm gc --apply"]}},
        "lines": ["wpfsm stop a-1"],
    }


def test_without_options_nothing_is_carried() -> None:
    """What came by the environment is there for the next command too."""
    commands.carry(None, None)
    assert commands.in_text("wpfsm gc --apply") == "wpfsm gc --apply"
    assert commands.in_argv(["wpfsm", "gc"]) == ["wpfsm", "gc"]
