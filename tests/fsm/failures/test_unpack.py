"""Tracebacks in the forms in which collectors keep them."""

from __future__ import annotations

import json

import pytest

from wpfsm.fsm.failures.diagnosis import explain
from wpfsm.fsm.failures.unpack import unpacked

TRACE = 'Traceback (most recent call last):\n  File "/opt/ml/code/fit.py", line 17, in run\n    x = rows["y"]\nKeyError: \'y\''
LINES = TRACE.split("\n")


def quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


FORMS = {
    "json, exc_info": json.dumps({"level": "ERROR", "msg": "run failed", "exc_info": TRACE}),
    "json, nested": json.dumps({"severity": "error", "exception": {"stack_trace": TRACE}}),
    "json, as the message": json.dumps({"message": f"oops\n{TRACE}", "time": 1}),
    "json, one line a record": "\n".join(json.dumps({"log": f"{line}\n", "stream": "stderr"}) for line in LINES),
    "json, behind a prefix": "\n".join(f"algo-1-x | {json.dumps({'log': line})}" for line in LINES),
    "csv, with a header": "\n".join(["@timestamp,@message", *(f"2026-02-03 10:00:00.000,{quoted(line)}" for line in LINES)]),
    "csv, other columns": "\n".join(["timestamp,logStream,message", *(f"1767,a/algo-1,{quoted(line)}" for line in LINES)]),
    "csv, one field": f"timestamp,message\n1767000000000,{quoted(TRACE)}",
    "csv, cut": "\n".join(f"1767000000000,{quoted(line)}" for line in LINES),
    "escapes": "\n".join(f"#033[1m#033[38;5;9m{line}#033[0m#015" for line in LINES),
    "compose": "\n".join(f"trainer-1  | {line}" for line in LINES),
    "compose, old": "\n".join(f"\x1b[36mtmpab_algo-1-QX_1  |\x1b[0m {line}" for line in LINES),
    "containerd": "\n".join(f"2026-02-03T10:00:00.123456789Z stderr F {line}" for line in LINES),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_traceback_is_found_in_each_form(form):
    """Its place and its exception are those that the program printed."""
    diagnosis = explain("AlgorithmError: , exit code: 1", FORMS[form])

    assert diagnosis.class_ == "script_error"
    assert diagnosis.location is not None
    assert (diagnosis.location.file, diagnosis.location.line) == ("fit.py", 17)
    assert diagnosis.cause == "KeyError: 'y' (fit.py:17)"


@pytest.mark.parametrize(
    "line",
    [
        '{"level":"info","message":"CUDA out of memory was avoided"}',
        '{"loss": 0.5}',
        "{not json}",
        "[1, 2]",
        "1767000000000,x",
        "{" * 100_000 + "}",
        "",
    ],
)
def test_what_holds_no_output_of_a_failure_stays_as_it_is(line):
    """Records of progress, data and what only looks like a record."""
    assert unpacked([line]) == [line]


def test_an_exception_that_is_an_object_is_written_as_python_does():
    """Type and message."""
    record = json.dumps(
        {"level": "error", "message": "failed", "error": {"type": "ValueError", "message": "bad"}}
    )

    assert unpacked([record]) == ["failed", "ValueError: bad"]


def test_the_line_that_matters_comes_first_and_the_launchers_dump_not_at_all():
    """Of the environment and the shell's commands nothing is shown."""
    noise = [
        "+ python3 fit.py --lr 1",
        "SM_HPS={}",
        "export SM_CHANNEL_TRAIN=/opt/ml/input/data/train",
        '    "num_gpus": 1,',
        *LINES,
        "+ echo done",
    ]

    diagnosis = explain("AlgorithmError: , exit code: 1", "\n".join(noise))

    assert diagnosis.evidence[0] == "KeyError: 'y'"
    assert not [
        line for line in diagnosis.evidence if line.startswith(("+", "SM_", "export")) or "num_gpus" in line
    ]


def test_a_container_that_says_only_its_exit_code_shows_the_end_of_its_log():
    """The last line that looks like a reason comes first."""
    log = "loading\n[WARN] quota file unreadable, aborting\nbye"

    assert (
        explain("AlgorithmError: , exit code: 1", log).evidence[0] == "[WARN] quota file unreadable, aborting"
    )
