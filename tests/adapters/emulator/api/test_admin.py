"""What a harness asks the emulator beside SageMaker: records, quotas, health."""

from __future__ import annotations

from emulator_requests import admin, send, training_job
from emulator_stage import Stage


def test_records_tell_what_happened(stage: Stage) -> None:
    """Jobs, pools with their history, and every call with its outcome are in the records."""
    emulator = stage.show()
    for _ in range(2):
        send(emulator, "sagemaker", "CreateTrainingJob", training_job("j"))
    emulator.advance(100)
    status, records = admin(emulator, "GET", "records")
    assert status == 200
    assert [(c["operation"], c["job"], c["outcome"]) for c in records["calls"]] == [
        ("CreateTrainingJob", "j", "ok"),
        ("CreateTrainingJob", "j", "ResourceInUse"),
    ]
    assert [(job["name"], job["pool_status"]) for job in records["jobs"]] == [("j", "Available")]
    assert [event["event"] for event in records["pools"][0]["history"]] == ["launched", "available"]
    assert records["counts"] == {"CreateTrainingJob": 2}
    assert list(emulator.created()) == ["j"]


def test_quotas_are_approved_over_http(stage: Stage) -> None:
    """POST /_wpfsm/quotas sets a quota by name or code, as support would; an unknown one is refused."""
    emulator = stage.show()
    name = "ml.m5.large for training warm pool usage"
    assert admin(emulator, "POST", "quotas", {"quota": name, "value": 0})[0] == 200
    send(emulator, "sagemaker", "CreateTrainingJob", training_job("j"))
    emulator.advance(100)
    assert emulator.jobs()[0].pool_status is None
    assert admin(emulator, "POST", "quotas", {"quota": "ml.m5", "value": 0})[0] == 400
    assert admin(emulator, "POST", "quotas", {})[0] == 400
    for value in (-1, "1", None, float("nan"), True):
        assert admin(emulator, "POST", "quotas", {"quota": name, "value": value})[0] == 400


def test_an_unknown_admin_path_is_not_found(stage: Stage) -> None:
    """What is not there is a 404 in JSON."""
    assert stage.emulator is not None
    assert admin(stage.emulator, "GET", "nothing")[0] == 404
    assert admin(stage.emulator, "GET", "health")[1]["status"] == "ok"
