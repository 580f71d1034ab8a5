"""Which of several messages is the cause: what did no harm weighs less."""

from __future__ import annotations

import pytest

from wpfsm.fsm.failures.diagnosis import diagnose, explain
from wpfsm.fsm.failures.evidence import Evidence


def test_a_warning_is_not_the_cause():
    """What a library warned about and survived does not decide."""
    log = "WARNING: CUDA out of memory, retrying with a smaller batch\nTraceback (most recent call last):\n"
    log += '  File "train.py", line 3, in <module>\n    x["a"]\nKeyError: \'a\''

    assert explain("", log).class_ == "script_error"


BUG = 'Traceback (most recent call last):\n  File "/opt/ml/code/train.py", line 3, in <module>\n    f()\n'


LATER = "\n".join(f"step {n} loss 0.3" for n in range(40))


@pytest.mark.parametrize(
    "said",
    [
        "W tensorflow/tsl/platform/dso_loader.cc:64] Could not load dynamic library 'libnvinfer.so.7'",
        "algo-1:57:57 [0] nccl_net_ofi_init:1288 NCCL WARN NET/OFI aws-ofi-nccl initialization failed",
        "apex not found: No module named 'apex'; using torch.optim.AdamW",
        "requests.exceptions.ReadTimeout: Read timed out. (tried again)",
        "x 1.29.0 requires y<4.8,>=3.1.2, but you have y 4.9 which is incompatible.",
    ],
)
def test_a_bug_of_the_code_explains_itself(said):
    """What was printed before a KeyError, outside of any traceback, did not lead to it."""
    assert explain("", f"{said}\n{BUG}KeyError: 'a'").class_ == "script_error"


def test_what_the_program_went_on_after_is_not_the_cause():
    """A batch that did not fit was skipped, forty lines later an exception ended the job."""
    said, end = "CUDA out of memory, skipping the batch", f"{BUG}ValueError: too few rows"

    assert explain("", f"{said}\n{LATER}\n{end}").class_ == "script_error"
    assert explain("", f"{said}\n{end}").class_ == "cuda_oom", "right before the end it may well be the cause"


def test_the_environment_explains_an_error_of_the_operating_system():
    """A full disk is reported by one part of the program, and another part misses the file much later."""
    log = f"tar: write error: No space left on device\n{LATER}\n{BUG}FileNotFoundError: [Errno 2] No such file: 'x'"

    assert explain("", log).class_ == "disk_full"


@pytest.mark.parametrize("ending", ["sagemaker-training-toolkit INFO     Reporting training SUCCESS", ""])
def test_a_log_of_success_has_no_failure_in_it(ending):
    """Alarming lines of a job that went well are no diagnosis, with the launcher's report or with warnings only."""
    noise = "I tensorflow/dso_loader.cc:53] Could not load dynamic library 'libcudart.so.11.0'"
    noise += "\nx 1.2 requires y<4, but you have y 5 which is incompatible." if ending else ""

    assert explain("", f"{noise}\nloss 0.3\n{ending}").class_ == "unknown"


def test_a_report_of_success_does_not_hide_what_the_service_says():
    """FailureReason, and a metric that is missing, weigh more than the launcher's last line."""
    log = "CUDA out of memory\nReporting training SUCCESS"

    assert explain("AlgorithmError: , exit code: 1", log).class_ == "cuda_oom"
    missing = Evidence(log=log.splitlines(), status="Completed", metric_missing=True)
    assert diagnose(missing).class_ == "cuda_oom"


def test_the_first_rank_that_fails_decides():
    """The other ranks' timeouts and lost connections are consequences."""
    log = "\n".join((
        "[rank1]: Traceback (most recent call last):",
        '[rank1]:   File "/opt/ml/code/train.py", line 9, in step',
        "[rank1]: KeyError: 'labels'",
        "[rank0]: Traceback (most recent call last):",
        '[rank0]:   File "/opt/ml/code/train.py", line 30, in sync',
        "[rank0]: torch.distributed.DistBackendError: Connection closed by remote peer",
    ))  # fmt: skip

    diagnosis = explain("", log)

    assert diagnosis.class_ == "script_error"
    assert diagnosis.location is not None
    assert (diagnosis.location.line, diagnosis.location.function) == (9, "step")
