"""The request of one job: its free members over the base, its name, and the digest that tells it apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.records import JSON, Trial
from wpfsm.fsm.request.compose import (
    CACHE_ENVIRONMENT,
    CHECKPOINTS,
    DIGEST_TAG,
    LOOP_TAG,
    compose,
    digest,
    encode,
    free_members,
    job_name,
)

BASE: dict[str, JSON] = {
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/Train",
    "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
    "Environment": {"A": "base", "B": "base"},
    "HyperParameters": {"sagemaker_region": "r"},
}
SWEEP: JSON = {"type": "sweep", "parameters": {"lr": [0.1]}}
DRIVER: JSON = [{"ChannelName": "sm_drivers"}]


def loop_file(**sections: Any) -> LoopFile:
    """A loop file of one job; ``sections`` are laid over its own."""
    job = {"source": "src", "entry": "train.py", "max_runtime": "30m", **sections.pop("job", {})}
    pool = {"instance_type": "ml.g5.xlarge", "keep_alive": "10m", **sections.pop("pool", {})}
    whole = {
        "version": 1,
        "name": "lr",
        "backend": "local",
        "pool": pool,
        "job": job,
        "strategy": SWEEP,
    }
    return LoopFile.model_validate({**whole, **sections})


def members(file: LoopFile | None = None, trial: Trial | None = None, **given: Any) -> dict[str, Any]:
    """The members of job 7 of loop ``lr-1``."""
    trial = trial or Trial("lr-1", 3, {}, "lr=1")
    settings = {"params": {"lr": 0.1}, "keep_alive": 600.0, **given}
    return free_members(file or loop_file(), BASE, loop_id="lr-1", number=7, trial=trial, **settings)


def tags(request: Any) -> dict[str, str]:
    """The tags of a request by key."""
    return {tag["Key"]: tag["Value"] for tag in request["Tags"]}


def test_the_same_job_asks_for_the_same_name() -> None:
    """The name is a function of loop and number, and sorts as the numbers do."""
    assert [job_name("lr-1", number) for number in (1, 12, 345)] == ["lr-1-001", "lr-1-012", "lr-1-345"]


def test_a_jobs_members_change_nothing_that_is_locked() -> None:
    """What the pool is matched by comes from the base; the keep-alive is put into it, or left out without a pool."""
    whole = compose(BASE, members())
    without = compose(BASE, members(keep_alive=0.0))

    assert whole["RoleArn"] == BASE["RoleArn"]
    assert whole["ResourceConfig"] == {**BASE["ResourceConfig"], "KeepAlivePeriodInSeconds": 600}  # type: ignore[dict-item]
    assert without["ResourceConfig"] == BASE["ResourceConfig"]
    assert whole["StoppingCondition"] == {"MaxRuntimeInSeconds": 1800}


def test_the_narrower_setting_of_the_environment_wins() -> None:
    """Base, caches of the pool, loop file, trial: each lies over the one before."""
    file = loop_file(job={"environment": {"B": "job", "C": "job", "HF_HOME": "/mine"}})
    environment = members(file, Trial("lr-1", 3, {}, "x", environment={"C": "trial"}))["Environment"]

    assert {name: environment[name] for name in "ABC"} == {"A": "base", "B": "job", "C": "trial"}
    assert environment["HF_HOME"] == "/mine"
    assert environment["PIP_CACHE_DIR"] == CACHE_ENVIRONMENT["PIP_CACHE_DIR"]


def test_without_a_pool_there_is_no_cache() -> None:
    """The folder does not exist on an instance that is not kept."""
    environment = members(loop_file(strategy={"type": "single"}), keep_alive=0.0)["Environment"]

    assert not any("warmpoolcache" in value for value in environment.values())


@pytest.mark.parametrize(
    ("carries", "carried_from", "folder"),
    [(False, None, "lr-1-trial-3"), (True, None, "lr-1"), (True, 2, "lr-1-trial-2")],
)
def test_a_checkpoint_is_shared_only_by_those_that_carry_it_on(
    carries: bool, carried_from: int | None, folder: str
) -> None:
    """A trial's own folder, the loop's, or that of the trial whose weights it begins with."""
    trial = Trial("lr-1", 3, {}, "x", carry_checkpoint=carries)
    environment = members(trial=trial, carried_from=carried_from)["Environment"]

    assert environment["WPFSM_CHECKPOINT_DIR"] == f"{CHECKPOINTS}/{folder}"
    assert ("WPFSM_CARRY_CHECKPOINT" in environment) == carries


def test_the_metric_is_defined_for_the_service() -> None:
    """Its expression is sent with the job, beside what the base says of the algorithm."""
    file = loop_file(metric={"name": "loss", "goal": "minimize", "regex": "loss=([0-9.]+)"})

    assert members(file)["AlgorithmSpecification"] == {
        "TrainingImage": "image",
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
    }


def test_the_digest_of_a_job_is_that_of_its_request() -> None:
    """The tag that is read back from the service names exactly what was sent."""
    whole = compose(BASE, members(loop_file(job={"tags": {"team": "a"}})))

    assert tags(whole)[DIGEST_TAG] == digest(whole)
    assert tags(whole)[LOOP_TAG] == "lr-1"
    assert tags(whole)["team"] == "a"


def test_whatever_changes_in_a_job_changes_its_digest() -> None:
    """Two jobs that differ in a value, the keep-alive or a tag are not taken for each other."""
    told = [
        tags(each)[DIGEST_TAG]
        for each in (
            members(), members(params={"lr": 0.2}), members(keep_alive=60.0), members(loop_file(job={"tags": {"a": "b"}})),
            members(loop_file(job={"max_runtime": "40m"})),
        )
    ]  # fmt: skip

    assert len(set(told)) == len(told)
    assert tags(members())[DIGEST_TAG] == told[0]


values = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)


@given(st.dictionaries(st.text(), values, max_size=4), st.randoms())
def test_the_order_of_members_is_no_part_of_the_digest(request: dict[str, JSON], random: Any) -> None:
    """The service gives a request back in an order of its own."""
    items = list(request.items())
    random.shuffle(items)

    assert digest(dict(items)) == digest(request)


@given(values)
def test_a_container_that_decodes_reads_the_value_that_was_meant(value: JSON) -> None:
    """The driver decodes JSON, so text keeps its quotes there; any other container reads text as it is."""
    assert json.loads(encode(value, {**BASE, "InputDataConfig": DRIVER})) == value
    if isinstance(value, str):
        assert encode(value, BASE) == value


def test_a_request_of_script_mode_shows_its_encoding() -> None:
    """The SDK's second version quotes its own hyperparameters, and so must ours be."""
    quoted: dict[str, JSON] = {"HyperParameters": {"sagemaker_program": '"train.py"'}}

    assert encode("1.10", quoted) == '"1.10"'
    assert encode("1.10", {"HyperParameters": {"sagemaker_program": "train.py"}}) == "1.10"
