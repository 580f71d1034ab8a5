"""The table against failures of real users, and against what the tools of the trade print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wpfsm.fsm.failures.diagnosis import diagnose, explain
from wpfsm.fsm.failures.evidence import Evidence
from wpfsm.fsm.failures.model import Diagnosis, Family
from wpfsm.fsm.failures.taxonomy import CLASSES, TAXONOMY
from wpfsm.fsm.failures.traceback import split_stream

HERE = Path(__file__).parent


def rows(name: str) -> list[dict]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


REAL = rows("real_failures.jsonl")
OWN = rows("failures.jsonl")


def family_agrees(label: str, family: Family) -> bool:
    """The corpus has no label for throttling and files it under ``other``; the taxonomy tells it apart."""
    return label == family or (label == "other" and family is Family.THROTTLING)


def diagnosis_of(row: dict) -> Diagnosis:
    code, message = row.get("api", ("", ""))
    return diagnose(
        Evidence(
            failure_reason=row["reason"],
            log=row["log"].splitlines(),
            status=row.get("status", "Failed"),
            secondary_status=row.get("secondary_status", ""),
            api_error_code=code,
            api_error_message=message,
            metric_missing=row.get("metric_missing", False),
            metric_trouble=row.get("metric_trouble", ""),
            silent_seconds=row.get("silent_seconds"),
            own_idle_instances=row.get("own_idle_instances", 0),
        )
    )


def test_nine_in_ten_real_failures_get_their_family():
    """Failures that users of the service reported are put in the family that a person gave them."""
    wrong = [
        (row["class"], got.family, got.class_, row["source"])
        for row in REAL
        if not family_agrees(row["class"], (got := explain(row["failure_reason"], row["log_tail"])).family)
    ]

    assert len(wrong) <= len(REAL) // 10, wrong


def test_what_the_tools_print_gets_its_class():
    """At least 97 in 100 messages of frameworks, installers and the service get the finer class, too."""
    wrong = [
        (row["class"], got, row["tool"]) for row in OWN if row["class"] != (got := diagnosis_of(row).class_)
    ]

    assert len(OWN) >= 475
    assert len(wrong) <= 0.03 * len(OWN), wrong


def test_a_case_is_located_and_names_its_subject():
    """File and line of the user's own code, and the distribution or the name at fault, where the case states them."""
    for row in OWN:
        diagnosis = diagnosis_of(row)
        place = diagnosis.location
        if "location" in row:
            assert (place and f"{place.file}:{place.line}") == row["location"], row["tool"]
        assert row.get("details", {}).items() <= diagnosis.details.items(), row["tool"]


def test_the_evidence_shows_what_decided():
    """A reader of the evidence alone sees a line for which the class was chosen."""
    for row in OWN:
        diagnosis = diagnosis_of(row)
        if diagnosis.class_ == "unknown" or "api" in row:
            continue
        shown = "\n".join(split_stream(line)[1] for line in diagnosis.evidence)
        own = [p for p in CLASSES[diagnosis.class_].patterns if p.at != "fact"]
        assert not own or any(p.compiled.search(shown) for p in own), (row["tool"], diagnosis.evidence)


@pytest.mark.parametrize("name", [row.name for row in TAXONOMY])
def test_every_class_has_a_case(name):
    """No row of the table is there without a message that it was made for."""
    assert any(row["class"] == name and diagnosis_of(row).class_ == name for row in OWN)


def test_every_class_says_what_it_means_and_what_to_do():
    """The table's texts are sentences, its strengths are confidences, and names are unique."""
    assert len(CLASSES) == len(TAXONOMY)
    for row in TAXONOMY:
        assert row.means.endswith(".")
        assert row.fix.endswith(".")
        assert all(0 < pattern.strength < 1 for pattern in row.patterns)


def test_no_pattern_quotes_one_row_of_the_corpus():
    """A rule describes a kind of message: none holds an identifier, an account or a file of one report."""
    patterns = "\n".join(pattern.regex for row in TAXONOMY for pattern in row.patterns)

    for row in REAL:
        for token in (
            "p2.xlarge",
            "t2.medium",
            "silent'",
            "SMTrainingCompiler",
            "1580",
            "314815235551",
            "runtime_environment",
        ):
            assert token not in patterns, row["source"]


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "Something went wrong.",
        "ClientError: The thing is off.",
        "AlgorithmError: CalledProcessError: Command 'x' failed",
    ],
)
def test_what_nothing_explains_stays_unknown(reason):
    """Without evidence of a cause there is no guess: class unknown, family other, low confidence."""
    diagnosis = explain(reason, "epoch 1\nepoch 2")

    assert (diagnosis.class_, diagnosis.family) == ("unknown", Family.OTHER)
    assert diagnosis.confidence < 0.2


def test_the_log_decides_behind_the_sdk_driver():
    """The driver's CalledProcessError hides the cause in FailureReason; the log has it."""
    reason = "AlgorithmError: subprocess.CalledProcessError: Command '['/bin/bash', 'sm_train.sh']' returned non-zero exit status 1."

    diagnosis = explain(
        reason, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n" + reason
    )

    assert diagnosis.class_ == "cuda_oom"


def test_an_api_exception_is_read_from_its_text():
    """``str(ClientError)`` carries a code and a message; both forms of evidence give one diagnosis."""
    message = "The account-level service limit 'ml.g5.xlarge for training job usage' is 0 Instances"
    text = (
        f"An error occurred (ResourceLimitExceeded) when calling the CreateTrainingJob operation: {message}"
    )

    from_text = explain(text, "")
    from_fields = diagnose(Evidence(api_error_code="ResourceLimitExceeded", api_error_message=message))

    assert from_text.class_ == from_fields.class_ == "quota"
    assert from_text.fingerprint == from_fields.fingerprint
    assert from_fields.details["quota"] == "ml.g5.xlarge for training job usage"


def test_our_own_idle_pool_is_named_only_when_it_would_make_room():
    """The numbers that the service printed decide whether releasing our pool helps."""
    reason = (
        "An error occurred (ResourceLimitExceeded) when calling the CreateTrainingJob operation: The account-level "
        "service limit 'x' is {limit} Instances, with current utilization of {used} Instances and a request delta of 1 Instances"
    )

    def of(limit: int, used: int, own: int) -> str:
        text = reason.format(limit=limit, used=used)
        return diagnose(Evidence(failure_reason=text, own_idle_instances=own)).class_

    assert of(1, 1, 1) == "own_pool_holds_quota"
    assert of(1, 1, 0) == "quota"
    assert of(1, 3, 1) == "quota"


def test_a_completed_job_without_its_metric_keeps_the_real_cause():
    """False success says what broke when the log knows it, and that the job claimed to be Completed."""
    evidence = Evidence(
        log=["OSError: [Errno 28] No space left on device"], status="Completed", metric_missing=True
    )

    diagnosis = diagnose(evidence)

    assert diagnosis.class_ == "disk_full"
    assert diagnosis.details["false_success"] == "true"


def test_a_module_of_the_source_that_lacks_a_name_is_a_script_error():
    """``cannot import name`` from the user's own file is a bug of the source, not a dependency."""
    log = ["ImportError: cannot import name 'Net' from 'nets' (/opt/ml/code/nets.py)"]

    assert diagnose(Evidence(log=log)).class_ == "script_error"
    assert (
        diagnose(
            Evidence(log=["module 'nets' has no attribute 'Net'"], source_files={"src/nets.py": ""})
        ).class_
        != "import_name"
    )


def test_the_fix_names_what_the_message_named():
    """The sentence is about this failure, not about failures."""
    assert "'rich'" not in explain("", "ModuleNotFoundError: No module named 'rich'").fix
    assert "rich" in explain("", "ModuleNotFoundError: No module named 'rich'").fix
