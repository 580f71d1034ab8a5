"""What a diagnosis keeps: evidence, location, fingerprint, and its stored form."""

from __future__ import annotations

import pytest
from tracebacks import TRACEBACK

from wpfsm.fsm.failures.diagnosis import diagnose, explain
from wpfsm.fsm.failures.evidence import Evidence
from wpfsm.fsm.failures.model import Location

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


def test_a_power_in_a_formula_is_no_line_end():
    """`^M` is what bash shows of a carriage return, where it says that it found no program of that name."""
    assert explain("", "fits y = x^m on 3 rows\nloss 0.3").class_ == "unknown"
    assert explain("", "/bin/bash^M: bad interpreter: No such file or directory").class_ == "entrypoint"


def test_a_mere_hint_is_no_diagnosis():
    """A word in a warning, and nothing else, leaves the class unknown."""
    assert explain("", "UserWarning: the job may be killed when out of memory").class_ == "unknown"
