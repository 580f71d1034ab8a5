"""Tracebacks in a log: whose they are, which one ended the job, and where it points."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracebacks import TRACEBACK

from wpfsm.fsm.failures.diagnosis import diagnose, explain
from wpfsm.fsm.failures.evidence import Evidence
from wpfsm.fsm.failures.model import Location
from wpfsm.fsm.failures.traceback import LONGEST_LINE, Frame, clean, locate, parse, root


def test_without_the_source_the_container_prefix_is_taken_off():
    """``explain`` has no source: the file is named relative to the code directory."""
    assert explain("", TRACEBACK).location == Location("lib/steps.py", 2, "step")


def test_the_printed_code_line_chooses_between_files_of_one_name():
    """Two files end in the same path; the one that holds the printed line at that number is meant."""
    log = ['  File "/somewhere/steps.py", line 1, in f', "    broken()", "ValueError: x"]
    files = {"a/steps.py": "fine()\n", "b/steps.py": "broken()\n"}

    diagnosis = diagnose(Evidence(log=log, source_files=files))

    assert diagnosis.location == Location("b/steps.py", 1, "f")


def test_a_rich_traceback_is_read():
    """Typer and others draw tracebacks as boxes."""
    log = [
        "╭───── Traceback (most recent call last) ─────╮",
        "│ /opt/ml/code/train.py:12 in main            │",
        "│ ❱ 12 │   fit()                              │",
        "╰─────────────────────────────────────────────╯",
        "ValueError: bad value",
    ]

    assert explain("", "\n".join(log)).location == Location("train.py", 12, "main")


@pytest.mark.parametrize(
    "prefix", ["[rank0]: ", "[1,mpirank:0,algo-1]<stderr>:", "algo-1-ab12c  | ", "2026-01-02T03:04:05.678Z ",
     "2026-01-02T03:04:05.678000+00:00 digits-lr-001/algo-1-1741079462 "],
)  # fmt: skip
def test_prefixes_of_ranks_hosts_and_times_are_seen_through(prefix):
    """Whatever puts its mark before each line, the traceback is found."""
    log = "\n".join(prefix + line for line in TRACEBACK.splitlines())

    diagnosis = explain("", log)

    assert diagnosis.class_ == "script_error"
    assert diagnosis.location == Location("lib/steps.py", 2, "step")


def test_the_dump_of_a_crash_is_located():
    """Python's fault handler prints the innermost frame first, and in another form than a traceback."""
    log = [
        "Fatal Python error: Segmentation fault", "",
        "Current thread 0x00007f4c2b5ff740 (most recent call first):",
        '  File "/opt/conda/lib/python3.11/site-packages/torch/nn/functional.py", line 9 in linear',
        '  File "/opt/ml/code/train.py", line 33 in step',
        '  File "/opt/ml/code/train.py", line 50 in <module>',
        "", "Extension modules: numpy.core._multiarray_umath",
    ]  # fmt: skip

    diagnosis = explain("AlgorithmError: , exit code: 139", "\n".join(log))

    assert diagnosis.class_ == "crash"
    assert diagnosis.location == Location("train.py", 33, "step")


def test_progress_bars_and_colours_are_cleaned():
    """Only the last state of a progress bar counts, and colours are no part of a message."""
    log = "10%|#  \r50%|##\r\x1b[31mKeyError: 'x'\x1b[0m"

    diagnosis = explain("", log)

    assert diagnosis.class_ == "script_error"
    assert "KeyError: 'x'" in diagnosis.evidence


def test_an_exception_ignored_at_shutdown_is_not_the_end():
    """Python prints tracebacks of destructors after the one that mattered."""
    log = (
        TRACEBACK + "Exception ignored in: <function X.__del__ at 0x7f>\nTraceback (most recent call last):\n"
    )
    log += '  File "/opt/ml/code/x.py", line 1, in __del__\nTypeError: late'

    assert explain("", log).location == Location("lib/steps.py", 2, "step")


def test_the_cause_of_a_chain_is_shown():
    """In ``raise B from A`` the location is A's."""
    log = TRACEBACK + "\nThe above exception was the direct cause of the following exception:\n\n"
    log += 'Traceback (most recent call last):\n  File "/opt/ml/code/train.py", line 99, in outer\n    f()\nRuntimeError: step failed'

    assert explain("", log).location == Location("lib/steps.py", 2, "step")


def printed(kind: str, message: str, file: str = "/opt/ml/code/train.py", line: int = 3) -> list[str]:
    """A traceback of one frame, as Python prints it."""
    head = ["Traceback (most recent call last):", f'  File "{file}", line {line}, in step', "    work()"]
    return [*head, f"{kind}: {message}"]


def test_an_exception_is_read_with_its_frames_and_its_lines():
    """Type, message, frames with the printed code, and which lines of the log belong to it."""
    (raised,) = parse(["epoch 1", *printed("KeyError", "'label'"), "", "bye"])

    assert (raised.type, raised.message, raised.headline) == ("KeyError", "'label'", "KeyError: 'label'")
    assert raised.frames == (Frame("/opt/ml/code/train.py", 3, "step", "work()"),)
    assert (raised.start, raised.end) == (1, 5)
    assert raised.in_user_code


def test_a_message_of_several_lines_ends_at_a_blank_one():
    """What follows the exception belongs to its message up to a blank line."""
    (raised,) = parse([*printed("ValueError", "bad shape"), "expected (3, 4)", "", "epoch 2"])

    assert raised.message == "bad shape\nexpected (3, 4)"


@pytest.mark.parametrize(
    "file", ["/usr/lib/python3.11/runpy.py", "/opt/conda/lib/site-packages/torch/a.py", "<frozen importlib>"]
)
def test_an_installed_file_is_a_library(file):
    """Packages, the standard library and what has no file are not the user's code."""
    (raised,) = parse(printed("ValueError", "x", file))

    assert not raised.in_user_code


def test_the_ranks_of_one_log_are_told_apart():
    """Lines of two ranks that alternate are two whole tracebacks; the one that only lost the other is not the root."""
    one, other = printed("ConnectionResetError", "[Errno 104]"), printed("KeyError", "'a'")
    mixed = [f"[rank{n}]: {line}" for both in zip(one, other, strict=True) for n, line in enumerate(both)]

    found = parse(mixed)

    assert [(raised.stream, raised.type, len(raised.frames)) for raised in found] == [
        ("[rank0]:", "ConnectionResetError", 1),
        ("[rank1]:", "KeyError", 1),
    ]
    assert found[0].is_consequence
    ended = root(found)
    assert ended is not None
    assert ended.type == "KeyError"


@pytest.mark.parametrize(
    ("joint", "decides"),
    [
        ("The above exception was the direct cause of the following exception:", "KeyError"),
        ("During handling of the above exception, another exception occurred:", "RuntimeError"),
    ],
)
def test_a_chain_is_ended_by_its_cause_or_by_what_was_raised_last(joint, decides):
    """``raise from`` names the cause; an exception raised while another is handled is a failure of its own."""
    ended = root(parse([*printed("KeyError", "'a'"), "", joint, "", *printed("RuntimeError", "step failed")]))

    assert ended is not None
    assert ended.type == decides


def test_a_launchers_wrapper_is_never_the_root():
    """It only says that something else failed; where it is all there is, nothing ended the job."""
    wrapped = printed("subprocess.CalledProcessError", "Command 'x' returned non-zero exit status 1")
    ended = root(parse([*printed("KeyError", "'a'"), "", *wrapped]))

    assert ended is not None
    assert ended.type == "KeyError"
    assert root(parse(wrapped)) is None


def test_a_file_without_the_source_is_named_by_its_end():
    """The container's folder is taken off; without any frame there is no place."""
    frames = [Frame("/opt/ml/code/a/b.py", 7, "f"), Frame("/x/site-packages/c.py", 9, "g")]

    assert locate(frames, {}) == Location("a/b.py", 7, "f")
    assert locate(frames[1:], {}) == Location("/x/site-packages/c.py", 9, "g"), (
        "a library's is better than none"
    )
    assert locate([], {}) is None


@given(st.text(max_size=3 * LONGEST_LINE))
def test_a_cleaned_line_is_bounded_and_ends_in_no_space(line):
    """Whatever a job prints, a pattern has a bounded line to search."""
    cleaned = clean(line)

    assert len(cleaned) <= LONGEST_LINE + 3
    assert cleaned == cleaned.rstrip()
    assert "\r" not in cleaned


noise = st.lists(
    st.text(alphabet=' abEFix():."/|[]0123,', max_size=40) | st.sampled_from(printed("KeyError", "'a'"))
)


@given(noise)
def test_any_lines_can_be_read(lines):
    """No order of frames, heads and noise is an error; what is found lies within the lines, by its end."""
    found = parse(lines)

    assert all(0 <= raised.start < raised.end <= len(lines) for raised in found)
    assert [raised.end for raised in found] == sorted(raised.end for raised in found)
    assert root(found) in (None, *found)
