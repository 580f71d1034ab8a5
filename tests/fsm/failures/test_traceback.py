"""Tracebacks in a log: whose they are, which one ended the job, and where it points."""

from __future__ import annotations

import pytest

from wpfsm.fsm.failures.diagnosis import Evidence, Location, diagnose, explain

TRACEBACK = """\
Traceback (most recent call last):
  File "/opt/ml/input/data/code/train.py", line 4, in <module>
    main()
  File "/opt/ml/input/data/code/lib/steps.py", line 2, in step
    return batch["labels"]
  File "/opt/conda/lib/python3.11/site-packages/torch/nn/modules/module.py", line 1553, in __getitem__
    raise KeyError(key)
KeyError: 'labels'
"""


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
