"""Whose words they are: the service's, a machine's, or those of the script that raised the exception."""

from __future__ import annotations

import pytest

from wpfsm.fsm.failures.diagnosis import explain
from wpfsm.fsm.failures.model import Diagnosis

FRAMES = 'Traceback (most recent call last):\n  File "/opt/ml/code/sim.py", line 21, in roll\n    world.advance()\n'
EXIT = "AlgorithmError: , exit code: 1"


def raised(exception: str, reason: str = EXIT) -> Diagnosis:
    """What a script that raises this is diagnosed with."""
    return explain(reason, f"epoch 1\n{FRAMES}{exception}\n")


@pytest.mark.parametrize(
    "exception",
    [
        "ValueError: no capacity left in bucket 4",
        "RuntimeError: Insufficient capacity of the knapsack",
        "MyCapacityError: insufficient capacity",
        "AssertionError: learning rate limit reached: 1e-9",
        "ValueError: too many requests in one session: 33",
        "ValueError: host failure is not one of the event types",
        "KeyError: 'node health check'",
        "ValueError: instance i-3 unreachable in the graph",
        "RuntimeError: unable to acquire 3 instances of the class",
        "ValueError: colour channel is missing",
        "IndexError: cell 9 is out of memory cells",
        "RuntimeError: maximum training time was reached in the schedule",
        "ValueError: cannot assume the role of the teacher",
    ],
)
def test_the_words_of_a_script_are_not_the_services(exception):
    """Neither retried nor released: the code is to be looked at, at its place."""
    diagnosis = raised(exception)

    assert (diagnosis.family, diagnosis.class_) == ("script", "script_error")
    assert diagnosis.fix == "Correct the code at sim.py:21."


def test_the_same_words_in_a_reason_that_quotes_them_are_the_scripts_too():
    """The launcher copies the exception into FailureReason."""
    said = "ValueError: no capacity left in bucket 4"

    diagnosis = raised(said, f'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "{said}"')

    assert diagnosis.class_ == "script_error"
    assert diagnosis.location is not None
    assert diagnosis.evidence[0] == said


@pytest.mark.parametrize(
    ("reason", "log", "class_"),
    [
        ("CapacityError: Unable to provision requested ML compute capacity.", "", "capacity"),
        (EXIT, f"{FRAMES}botocore.errorfactory.ThrottlingException: Rate exceeded", "throttling"),
        (
            EXIT,
            f"{FRAMES}requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url",
            "throttling",
        ),
        (EXIT, "Instance failure: the node became unavailable", "infra"),
        ("InternalServerError: We encountered an internal error.", "", "infra"),
    ],
)
def test_what_the_service_or_a_client_of_it_says_still_counts(reason, log, class_):
    """The exception's type speaks for a service, or there is none."""
    assert explain(reason, log).class_ == class_


@pytest.mark.parametrize(
    "call",
    [
        "(ValidationException) when calling the PutItem operation: One or more parameter values were invalid",
        "(ResourceLimitExceeded) when calling the CreateExperiment operation: The account-level service limit is 500",
        "(LimitExceededException) when calling the PutParameter operation: too large",
        "(ResourceNotFoundException) when calling the GetItem operation: Requested resource not found",
    ],
)
def test_the_scripts_own_calls_say_nothing_about_the_job(call):
    """A class that says that no job exists would be untrue: one ran."""
    diagnosis = raised(f"botocore.exceptions.ClientError: An error occurred {call}")

    assert diagnosis.class_ == "script_error"


@pytest.mark.parametrize("path", ["/opt/ml/model/../lock", "/root/.cache/x"])
def test_a_file_that_may_not_be_written_is_no_matter_of_roles(path):
    """Errno 13 comes from the file system; the fix names the path."""
    diagnosis = raised(f"PermissionError: [Errno 13] Permission denied: '{path}'")

    assert diagnosis.family == "script"
    assert path in diagnosis.fix
    assert "role" not in diagnosis.fix


def test_a_hub_that_refuses_is_no_matter_of_roles():
    """A role gives no access to a model of somebody else's hub."""
    diagnosis = raised(
        "huggingface_hub.errors.GatedRepoError: 403 Client Error. Cannot access gated repo for url https://huggingface.co/a/b"
    )

    assert diagnosis.class_ == "permissions"
    assert "HF_TOKEN" in diagnosis.fix
    assert "role" not in diagnosis.fix


def test_the_permission_that_is_missing_is_named():
    """Its name looks like a secret's, and is none."""
    reason = "AccessDenied: User: arn:aws:sts::1:assumed-role/R/S is not authorized to perform: secretsmanager:GetSecretValue"

    assert explain(reason, "").fix == "Give the role secretsmanager:GetSecretValue, or renew the credentials."


@pytest.mark.parametrize(
    "fault",
    [
        "NVRM: Xid (PCI:0000:10:1c): 94, pid=7",
        "RuntimeError: CUDA error: uncorrectable ECC error encountered",
    ],
)
def test_a_fault_of_the_hardware_is_told_from_other_trouble(fault):
    """The pool that stays warm is that very instance."""
    diagnosis = explain(EXIT, f"{fault}\n{FRAMES}RuntimeError: CUDA error: unspecified launch failure")

    assert diagnosis.class_ == "infra"
    assert diagnosis.details["hardware"]


@pytest.mark.parametrize(
    "installer",
    [
        "gluon-x 1.1 requires ray<3,>=2.1, which is not installed.",
        "a 1 requires b<2, but you have b 3 which is incompatible.",
    ],
)
def test_what_the_installer_complained_of_and_survived_is_not_the_cause(installer):
    """It installed, and the script failed for a reason of its own."""
    log = f"$ pip install -r requirements.txt\nERROR: pip's dependency resolver does not\n{installer}\nSuccessfully installed b-3\n{FRAMES}RuntimeError: shapes differ"

    assert explain(EXIT, log).class_ == "script_error"
