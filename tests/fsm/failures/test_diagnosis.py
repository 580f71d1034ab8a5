"""What a diagnosis keeps: evidence, location, fingerprint, and its stored form."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.failures.diagnosis import Evidence, Location, diagnose, explain
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.failures.shown import MOST_EVIDENCE

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
SOURCE = {
    "src/train.py": "import x\n\n\nmain()\n",
    "src/lib/steps.py": 'def step(batch):\n    return batch["labels"]\n',
    "src/other/steps.py": "",
    "src/module.py": "",
}


def test_the_location_is_the_deepest_frame_of_the_users_own_source():
    """Library frames below it are passed over, and the container's path becomes the local one."""
    diagnosis = diagnose(Evidence(log=TRACEBACK.splitlines(), source_files=SOURCE))

    assert diagnosis.location == Location("src/lib/steps.py", 2, "step")


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


@pytest.mark.parametrize("quote", ['"', '\\"'])
def test_a_traceback_within_failure_reason_is_located(quote):
    """The training toolkit writes it behind ErrorMessage, each line behind a space, its quotes escaped or not."""
    reason = (
        "AlgorithmError: ExecuteUserScriptError:\nExitCode 1\n"
        'ErrorMessage "File "train.py", line 88, in <module>\n main()\n File "train.py", line 40, in main\n'
        " y = batch['labels']\n KeyError: 'labels'\"\nCommand \"/opt/conda/bin/python3.10 train.py\", exit code: 1"
    )

    diagnosis = explain(reason.replace('"', quote), "")

    assert (diagnosis.class_, diagnosis.confidence) == ("script_error", 0.6)
    assert diagnosis.location == Location("train.py", 40, "main")


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


@pytest.mark.parametrize(
    "prefix", ["", "2026-01-02T03:04:05Z ", "2026-01-02T03:04:05+00:00 a-001/algo-1-1741079462 "]
)
def test_what_stands_at_the_start_of_a_line_is_found_behind_a_prefix(prefix):
    """A line as `aws logs tail` prints it means what it means in the job's own log."""
    assert explain("", f"{prefix}epoch 1\n{prefix}Killed\n").class_ == "host_oom"


def test_a_power_in_a_formula_is_no_line_end():
    """`^M` is what bash shows of a carriage return, where it says that it found no program of that name."""
    assert explain("", "fits y = x^m on 3 rows\nloss 0.3").class_ == "unknown"
    assert explain("", "/bin/bash^M: bad interpreter: No such file or directory").class_ == "entrypoint"


def test_evidence_is_short_and_without_secrets():
    """At most 40 lines, the traceback among them, no password in them."""
    noise = [f"HF_TOKEN=hf_{'a' * 30} DB=postgres://u:hunter2@h/db step {n}" for n in range(500)]

    diagnosis = explain("AlgorithmError: password=hunter2", "\n".join(noise + TRACEBACK.splitlines()))

    text = "\n".join(diagnosis.evidence)
    assert len(diagnosis.evidence) <= MOST_EVIDENCE
    assert "KeyError: 'labels'" in text
    assert "hunter2" not in text
    assert "hf_aaa" not in text


def test_progress_bars_and_colours_are_cleaned():
    """Only the last state of a progress bar counts, and colours are no part of a message."""
    log = "10%|#  \r50%|##\r\x1b[31mKeyError: 'x'\x1b[0m"

    diagnosis = explain("", log)

    assert diagnosis.class_ == "script_error"
    assert "KeyError: 'x'" in diagnosis.evidence


def test_the_bulk_of_a_repeated_line_is_not_searched_and_its_ends_are():
    """Progress reports by the thousand cost nothing; what stands between and after them is found where it is."""
    steps = [f"step {n} of the epoch" for n in range(3000)]

    diagnosis = explain("", "\n".join([*steps[:1500], "No space left on device", *steps[1500:]]))

    assert diagnosis.class_ == "disk_full"
    assert "No space left on device" in diagnosis.evidence


def test_a_mere_hint_is_no_diagnosis():
    """A word in a warning, and nothing else, leaves the class unknown."""
    assert explain("", "UserWarning: the job may be killed when out of memory").class_ == "unknown"


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


def test_it_survives_storage():
    """What is stored as JSON comes back equal."""
    diagnosis = diagnose(Evidence(log=TRACEBACK.splitlines(), source_files=SOURCE))

    stored = json.loads(json.dumps(diagnosis.to_json()))

    assert Diagnosis.from_json(stored) == diagnosis
    assert list(stored)[:7] == ["family", "class", "confidence", "evidence", "location", "fingerprint", "fix"]


@given(reason=st.text(max_size=300), log=st.lists(st.text(max_size=80), max_size=30))
def test_any_text_gets_a_diagnosis(reason, log):
    """No text, however strange, makes the diagnosis fail, and what it gives can be stored."""
    diagnosis = diagnose(Evidence(failure_reason=reason, log=log))

    assert 0 < diagnosis.confidence < 1
    assert len(diagnosis.evidence) <= MOST_EVIDENCE
    assert Diagnosis.from_json(diagnosis.to_json()) == diagnosis


def test_a_launchers_frames_do_not_say_where_memory_ran_out():
    """A script that was killed without a word is patched by its batch: only the launcher has a traceback then."""
    log = [
        "start",
        "Traceback (most recent call last):",
        '  File "/opt/ml/input/data/sm_drivers/common/utils.py", line 193, in execute_commands',
        "    raise subprocess.CalledProcessError(exitcode, commands)",
        "subprocess.CalledProcessError: Command '['python3', 'train.py']' died with <Signals.SIGKILL: 9>.",
    ]
    diagnosis = diagnose(Evidence(failure_reason="AlgorithmError: exit code: 247", log=log))

    assert diagnosis.class_ == "host_oom"
    assert diagnosis.location is None
    assert not diagnosis.stuck
