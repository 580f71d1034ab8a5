"""The program with standard streams that are closed, broken or full, as a shell hands them over."""

from __future__ import annotations

import json
import subprocess

import pytest
from cli_bench import OK, WPFSM, Bench

CLOSED, BROKEN, FULL = ">&- 2>&- <&-", "| head -c 1 >/dev/null", ">/dev/full 2>/dev/full"
STATES = [">&-", "2>&-", "<&-", "2>/dev/full", CLOSED, BROKEN]


def shell(bench: Bench, words: str, streams: str) -> int:
    """Run the program as a shell does, with some of its streams in a bad state; its own exit code."""
    line = f"exec 3>code; {{ {WPFSM} {words}; echo $? >&3; }} {streams}"
    subprocess.run(
        ["bash", "-c", line], cwd=bench.folder, env=bench.environment, check=False, timeout=240,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return int((bench.folder / "code").read_text())


@pytest.mark.parametrize("streams", STATES)
@pytest.mark.parametrize("words", ["schema", "--version"])
def test_a_verb_that_prints_ends_well(alone: Bench, words: str, streams: str) -> None:
    """Nobody to read, and nobody to write to, is no error: exit code 0 and no traceback."""
    assert shell(alone, words, streams) == 0


@pytest.mark.parametrize("words", ["schema", "schema --inspect", "--help", "--version"])
def test_what_could_not_be_written_is_an_error_of_the_table(alone: Bench, words: str) -> None:
    """On a disk that is full nothing arrives: 75, for the same command may be run again."""
    assert shell(alone, words, FULL) == 75


@pytest.mark.parametrize("streams", [CLOSED, BROKEN, FULL])
def test_a_loop_outlives_its_streams(bench: Bench, streams: str) -> None:
    """A completed loop is exit code 0, released, whatever became of its streams meanwhile."""
    name = {CLOSED: "closed", BROKEN: "broken-pipe", FULL: "full"}[streams]
    file = bench.loop(name, OK, more="strategy: {type: sweep, method: grid, parameters: {lr: [1e-2]}}")
    assert shell(bench, f"start {file} -o jsonl", streams) == 0
    document = bench.document(name)
    assert (document["loop"]["outcome"], document["pool"]["released"]) == ("completed", True)


def test_a_database_is_never_opened_as_a_standard_stream(bench: Bench) -> None:
    """With stdout closed the first file that is opened would take its number, and a print would damage it."""
    file = bench.loop("numbers", OK, more="strategy: {type: sweep, method: grid, parameters: {lr: [1e-2]}}")
    assert shell(bench, f"start {file} -o json", ">&- <&-") == 0
    assert bench.run("doctor", "--backend", "local", "-o", "json").json["checks"][0]["verdict"] in (
        "ok",
        "warn",
    )
    assert json.loads(bench.run("inspect", "numbers", "-o", "json").out)["loop"]["state"] == "Closed"
