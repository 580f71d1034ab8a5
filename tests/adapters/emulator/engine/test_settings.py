"""Every switch for what AWS does not document makes the difference that it claims."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from emulator_requests import send, training_job
from emulator_stage import MINUTE, Stage

from wpfsm.adapters.emulator.engine.settings import Settings, Switches, describe_switches
from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.runner.base import NO_IMAGE, Launch
from wpfsm.adapters.emulator.scripted import Script

REFUSED = "ClientError: Data download failed"
FOREVER = Script(seconds=10**7)


class Play:
    """A story about one switch, told twice."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.sagemaker = stage.client("sagemaker")
        self.emulator: Emulator = stage.show()

    def with_(
        self, name: str, value: object, script: Callable[[Launch], Script] | None = None, **quotas: int
    ) -> Play:
        """Begin again with one switch set."""
        switches = dataclasses.replace(Switches(), **{name: value})
        limits = {("ml.m5.large", usage): n for usage, n in quotas.items()}
        settings = Settings(switches=switches, quotas=limits)  # type: ignore[arg-type]
        self.emulator = self.stage.show(settings, script)
        return self

    def run(self, name: str, seconds: float = 100, **changes: Any) -> str:
        """Create a job and let time pass."""
        self.sagemaker.create_training_job(**training_job(name, **changes))
        self.emulator.advance(seconds)
        return name

    def pool(self, name: str) -> str | None:
        answer = self.sagemaker.describe_training_job(TrainingJobName=name)
        status = answer.get("WarmPoolStatus", {}).get("Status")
        assert status is None or isinstance(status, str)
        return status

    def keep(self, name: str, seconds: int) -> None:
        self.sagemaker.update_training_job(
            TrainingJobName=name, ResourceConfig={"KeepAlivePeriodInSeconds": seconds}
        )


@pytest.fixture
def play(stage: Stage) -> Play:
    return Play(stage)


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return str(raised.value.response["Error"]["Code"])


def test_switch_update_unavailable_error(play: Play) -> None:
    """The error code of an update without an Available pool can be chosen."""
    for wanted in ("ValidationException", "ResourceNotFound"):
        play.with_("update_unavailable_error", wanted).run("j", keep_alive=None)
        with pytest.raises(ClientError) as refused:
            play.keep("j", 0)
        assert code(refused) == wanted


@pytest.mark.parametrize(("value", "status"), [("pool_start", "Terminated"), ("update", "Available")])
def test_switch_keep_alive_counts_from(play: Play, value: str, status: str) -> None:
    """An update counts from the pool's start, or begins the time anew."""
    play.with_("keep_alive_counts_from", value).run("j", 300)
    play.keep("j", 400)
    play.emulator.advance(300)
    assert play.pool("j") == status


@pytest.mark.parametrize(("value", "shown"), [(True, 900), (False, 600)])
def test_switch_describe_shows_updated_keep_alive(play: Play, value: bool, shown: int) -> None:
    """Describe shows the keep-alive of the update, or of the request."""
    play.with_("describe_shows_updated_keep_alive", value).run("j")
    play.keep("j", 900)
    answer = play.sagemaker.describe_training_job(TrainingJobName="j")
    assert answer["ResourceConfig"]["KeepAlivePeriodInSeconds"] == shown


@pytest.mark.parametrize("polls", [0, 1, 3])
def test_switch_release_polls(play: Play, polls: int) -> None:
    """So many Describe calls still see Available after a release."""
    play.with_("release_polls", polls).run("j")
    play.keep("j", 0)
    assert [play.pool("j") for _ in range(polls + 1)] == ["Available"] * polls + ["Terminated"]


@pytest.mark.parametrize(("seconds", "status"), [(5.0, "Terminated"), (60.0, "Available")])
def test_switch_release_seconds(play: Play, seconds: float, status: str) -> None:
    """A release that nobody polls is done after a time."""
    play.with_("release_seconds", seconds).run("j")
    play.keep("j", 0)
    play.emulator.advance(10)
    assert play.pool("j") == status


def test_switch_long_keep_alive(play: Play) -> None:
    """A keep-alive between the guide's cap and the model's is accepted, or refused in Create and Update."""
    play.with_("long_keep_alive", "accept").run("j", keep_alive=3601)
    play.keep("j", 21600)
    play.with_("long_keep_alive", "reject").run("j", keep_alive=3600)
    for refused in (lambda: play.keep("j", 3601), lambda: play.run("k", keep_alive=3601)):
        with pytest.raises(ClientError, match="less than or equal to 3600"):
            refused()


@pytest.mark.parametrize(("value", "status"), [(True, "Available"), (False, None)])
def test_switch_max_runtime_leaves_pool(play: Play, value: bool, status: str | None) -> None:
    """A job that ran out of time leaves a pool, or none."""
    play.with_("max_runtime_leaves_pool", value, lambda _: FOREVER)
    assert play.pool(play.run("j", 65, stopping={"MaxRuntimeInSeconds": 60})) == status


@pytest.mark.parametrize(("value", "status"), [(True, "Available"), (False, None)])
def test_switch_failed_leaves_pool(play: Play, value: bool, status: str | None) -> None:
    """A failed script leaves a pool, or none."""
    play.with_("failed_leaves_pool", value, lambda _: Script(seconds=1, exit_code=1))
    assert play.pool(play.run("j")) == status


@pytest.mark.parametrize(("value", "status"), [(True, "Available"), (False, None)])
def test_switch_stopped_leaves_pool(play: Play, value: bool, status: str | None) -> None:
    """A stopped job leaves a pool, or none."""
    play.with_("stopped_leaves_pool", value).run("j", 10)
    play.sagemaker.stop_training_job(TrainingJobName="j")
    assert play.pool("j") == status


@pytest.mark.parametrize(("value", "status"), [("absent", None), ("Terminated", "Terminated")])
def test_switch_quota_short_status(play: Play, value: str, status: str | None) -> None:
    """A pool that did not fit the quota is absent, or Terminated."""
    assert play.with_("quota_short_status", value, warm_pool=0).pool(play.run("j")) == status


@pytest.mark.parametrize(("value", "status"), [(True, "InUse"), (False, None)])
def test_switch_first_job_in_use(play: Play, value: bool, status: str | None) -> None:
    """The cold job of a chain shows InUse while it runs, or nothing; its pool is Available either way."""
    play.with_("first_job_in_use", value).run("j", 10)
    assert play.pool("j") == status
    play.emulator.advance(100)
    assert play.pool("j") == "Available"


def network(*subnets: str) -> dict[str, Any]:
    return {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": list(subnets)}}


@pytest.mark.parametrize(("value", "status"), [(False, "Reused"), (True, "Available")])
def test_switch_vpc_order_matters(play: Play, value: bool, status: str) -> None:
    """The same subnets in another order match, or do not."""
    play.with_("vpc_order_matters", value).run("j", **network("subnet-1", "subnet-2"))
    play.run("k", **network("subnet-2", "subnet-1"))
    assert play.pool("j") == status


@pytest.mark.parametrize(("value", "status"), [(True, "Available"), (False, "Reused")])
def test_switch_kms_spelling_matters(play: Play, value: bool, status: str) -> None:
    """The id of a key and its ARN are two keys, or one; another key is another key either way."""
    play.with_("kms_spelling_matters", value).run("j", resources={"VolumeKmsKeyId": "1234-abcd"})
    arn = "arn:aws:kms:us-east-1:123456789012:key/"
    play.run("k", resources={"VolumeKmsKeyId": f"{arn}5678-abcd"})
    assert play.pool("j") == "Available"
    play.run("l", resources={"VolumeKmsKeyId": f"{arn}1234-abcd"})
    assert play.pool("j") == status


@pytest.mark.parametrize(("value", "status"), [(True, "Available"), (False, "Reused")])
def test_switch_training_plan_matters(play: Play, value: bool, status: str) -> None:
    """A job of a training plan starts on its own instances, or takes a pool."""
    plan = {"TrainingPlanArn": "arn:aws:sagemaker:us-east-1:123456789012:training-plan/mine"}
    play.with_("training_plan_matters", value).run("j")
    play.run("k", keep_alive=None, resources=plan)
    assert play.pool("j") == status


@pytest.mark.parametrize(("value", "status"), [(True, "Reused"), (False, "Available")])
def test_switch_absent_is_false(play: Play, value: bool, status: str) -> None:
    """An absent flag matches an explicit False, or does not."""
    play.with_("absent_is_false", value).run("j")
    play.run("k", EnableNetworkIsolation=False)
    assert play.pool("j") == status


@pytest.mark.parametrize(("value", "taken"), [("oldest", "a"), ("newest", "b")])
def test_switch_pool_choice(play: Play, value: str, taken: str) -> None:
    """Of two pools that match, the one that waits longer is taken, or the other."""
    play.with_("pool_choice", value).run("a", 10)
    play.run("b", 100)
    play.run("c")
    assert [name for name in "ab" if play.pool(name) == "Reused"] == [taken]


@pytest.mark.parametrize(("value", "lengths"), [(True, [0, 1]), (False, [1])])
def test_switch_warm_pool_post_filter(play: Play, value: bool, lengths: list[int]) -> None:
    """WarmPoolStatusEquals is applied after the page is picked, or before."""
    play.with_("warm_pool_post_filter", value).run("a", keep_alive=None)
    play.run("b")
    pages = play.sagemaker.get_paginator("list_training_jobs").paginate(
        WarmPoolStatusEquals="Available", MaxResults=1
    )
    assert [len(page["TrainingJobSummaries"]) for page in pages] == lengths


@pytest.mark.parametrize(("value", "lengths"), [(True, [0, 1]), (False, [1])])
def test_switch_last_modified_post_filter(play: Play, value: bool, lengths: list[int]) -> None:
    """The LastModifiedTime filters are applied after the page is picked, or before."""
    play.with_("last_modified_post_filter", value).run("a")
    after = play.emulator.clock.now()
    play.run("b", keep_alive=None, resources={"VolumeSizeInGB": 11})
    pages = play.sagemaker.get_paginator("list_training_jobs").paginate(
        LastModifiedTimeAfter=after, MaxResults=1
    )
    assert [len(page["TrainingJobSummaries"]) for page in pages] == lengths


@pytest.mark.parametrize(("value", "status"), [(True, "Available"), (False, "Terminated")])
def test_switch_client_error_keeps_pool(play: Play, value: bool, status: str) -> None:
    """A reused pool survives a ClientError before the container, or does not."""

    def second_fails(launch: Launch) -> Script:
        return Script(refused=REFUSED) if launch.name == "k" else MINUTE

    play.with_("client_error_keeps_pool", value, second_fails).run("j")
    assert play.pool(play.run("k")) == status
    answer = play.sagemaker.describe_training_job(TrainingJobName="k")
    assert answer["FailureReason"] == REFUSED


@pytest.mark.parametrize(("before", "status"), [([], None), (["i"], "Available")])
def test_an_image_that_cannot_be_pulled_makes_no_pool(
    play: Play, before: list[str], status: str | None
) -> None:
    """No cluster was there to keep when the start was cold; a pool that was there is the switch's to decide."""

    def refused(launch: Launch) -> Script:
        return Script(refused=f"{NO_IMAGE} Either ...") if launch.name == "j" else MINUTE

    play.with_("client_error_keeps_pool", True, refused)
    for name in before:
        play.run(name)
    assert play.pool(play.run("j")) == status


def test_switch_spot_keep_alive(play: Play) -> None:
    """Spot with a keep-alive is refused, or accepted."""
    spot = {"EnableManagedSpotTraining": True, "stopping": {"MaxWaitTimeInSeconds": 3600}}
    play.with_("spot_keep_alive", "accept").run("j", **spot)
    with pytest.raises(ClientError, match="EnableManagedSpotTraining"):
        play.with_("spot_keep_alive", "reject").run("j", **spot)


def test_switch_training_plan_keep_alive(play: Play) -> None:
    """A training plan with a keep-alive is refused, or accepted."""
    plan = {"TrainingPlanArn": "arn:aws:sagemaker:us-east-1:123456789012:training-plan/mine"}
    play.with_("training_plan_keep_alive", "accept").run("j", resources=plan)
    with pytest.raises(ClientError, match="TrainingPlanArn"):
        play.with_("training_plan_keep_alive", "reject").run("j", resources=plan)


def started_in(play: Play, name: str) -> float:
    answer = play.sagemaker.describe_training_job(TrainingJobName=name)
    starts = {t["Status"]: t["StartTime"] for t in answer["SecondaryStatusTransitions"]}
    return float((starts["Training"] - starts["Downloading"]).total_seconds())


def pulling(play: Play, *, cached: bool) -> Play:
    switches = Switches(image_pull_seconds=40.0, image_cached_when_warm=cached)
    play.emulator = play.stage.show(Settings(switches=switches))
    return play


def test_switch_image_pull_seconds(play: Play) -> None:
    """The image's download takes its time in Downloading."""
    pulling(play, cached=False).run("j", 200)
    assert started_in(play, "j") == 40


@pytest.mark.parametrize(("cached", "seconds"), [(True, 0), (False, 40)])
def test_switch_image_cached_when_warm(play: Play, cached: bool, seconds: float) -> None:
    """A warm start downloads the image again, or has it."""
    pulling(play, cached=cached).run("j", 200)
    play.run("k", 200)
    assert started_in(play, "k") == seconds


@pytest.mark.parametrize("value", [True, False])
def test_switch_cache_without_keep_alive(play: Play, value: bool) -> None:
    """A job without keep-alive has a cache directory, or none."""
    seen: list[bool] = []

    def look(launch: Launch) -> Script:
        seen.append(launch.cache is not None)
        return MINUTE

    play.with_("cache_without_keep_alive", value, look).run("j", keep_alive=None)
    assert set(seen) == {value}


@pytest.mark.parametrize(("value", "listed"), [("listed", 450), ("omitted", 1)])
def test_switch_untouched_quotas(play: Play, value: str, listed: int) -> None:
    """Quotas that were never changed are listed with their defaults, or omitted."""
    play.with_("untouched_quotas", value, warm_pool=7)
    pages = play.stage.client("service-quotas").get_paginator("list_service_quotas")
    found = [q for page in pages.paginate(ServiceCode="sagemaker") for q in page["Quotas"]]
    assert len(found) == listed
    assert 7.0 in {quota["Value"] for quota in found}


RATES = {
    "describe_rate": ("DescribeTrainingJob", {"TrainingJobName": "nobody"}),
    "create_rate": ("CreateTrainingJob", training_job("j")),
    "list_rate": ("ListTrainingJobs", {}),
}


def is_throttled(switches: Switches, rate: str) -> bool:
    with Emulator(Settings(switches=switches)) as emulator:
        answers = [send(emulator, "sagemaker", *RATES[rate])[1] for _ in range(40)]
    return any(answer.get("__type") == "ThrottlingException" for answer in answers)


@pytest.mark.parametrize("rate", RATES)
def test_switch_enforce_rates(rate: str) -> None:
    """Rates are enforced when the switch says so, and each has its own number."""
    roomy = Switches(enforce_rates=True, describe_rate=1e6, create_rate=1e6, list_rate=1e6)
    low = dataclasses.replace(roomy, **{rate: 1.0})
    assert not is_throttled(roomy, rate)
    assert not is_throttled(dataclasses.replace(low, enforce_rates=False), rate)
    assert is_throttled(low, rate)


test_switch_describe_rate = test_switch_create_rate = test_switch_list_rate = None  # all in enforce_rates


def price(play: Play, instance_type: str) -> float | None:
    products = play.stage.client("pricing").get_products(
        ServiceCode="AmazonSageMaker",
        Filters=[
            {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "us-east-1"},
            {"Type": "TERM_MATCH", "Field": "instanceName", "Value": instance_type},
        ],
    )["PriceList"]
    if not products:
        return None
    (offer,) = json.loads(products[0])["terms"]["OnDemand"].values()
    (dimension,) = offer["priceDimensions"].values()
    return float(dimension["pricePerUnit"]["USD"])


def test_switch_p4d_price(play: Play) -> None:
    """The price of p4d is not in the list unless it is given."""
    assert price(play.with_("p4d_price", None), "ml.p4d.24xlarge") is None
    assert price(play.with_("p4d_price", 25.0), "ml.p4d.24xlarge") == 25.0


def test_switch_p5_price(play: Play) -> None:
    """The price of p5 is not in the list unless it is given."""
    assert price(play.with_("p5_price", None), "ml.p5.48xlarge") is None
    assert price(play.with_("p5_price", 60.0), "ml.p5.48xlarge") == 60.0


@pytest.mark.parametrize(("value", "status"), [(False, 400), (True, 200)])
def test_switch_moto_pretends(play: Play, value: bool, status: int) -> None:
    """What would run something else is refused, or answered by the fallback."""
    play.with_("moto_pretends", value)
    request = {
        "PipelineName": f"p-{value}",
        "PipelineDefinition": '{"Version": "2020-12-01", "Steps": []}',
        "RoleArn": "arn:aws:iam::123456789012:role/Train",
        "ClientRequestToken": "x" * 32,
    }
    assert send(play.emulator, "sagemaker", "CreatePipeline", request)[0] == status


ESCAPED = Script(seconds=10, lines=["a\tb=1\rc=2\x1b[0m"])


@pytest.mark.parametrize(
    ("value", "line"), [(False, ESCAPED.lines[0]), (True, "a#011b=1#015c=2#033[0m")], ids=["no", "yes"]
)
def test_switch_log_escapes(play: Play, value: bool, line: str) -> None:
    """Tab, carriage return and escape are logged as they are, or written out as in logs that were published."""
    play.with_("log_escapes", value, lambda _: ESCAPED)
    metrics = {"MetricDefinitions": [{"Name": "b", "Regex": "a#011b=([0-9]+)"}]}
    play.run("j", algorithm=metrics)
    group = {"logGroupName": "/aws/sagemaker/TrainingJobs"}
    _, found = send(play.emulator, "logs", "FilterLogEvents", group)
    assert [event["message"] for event in found["events"]] == [line]
    # An expression was written for one of the two, and reads both.
    job = play.sagemaker.describe_training_job(TrainingJobName="j")
    assert job["FinalMetricDataList"][0]["Value"] == 1.0


def test_every_switch_has_a_test() -> None:
    """No switch ships without a test of this module under its name."""
    assert {f"test_switch_{f.name}" for f in dataclasses.fields(Switches)} <= set(globals())


def test_switches_are_set_from_text() -> None:
    """Each switch takes its own default, as the documentation shows it, as text."""
    switches = Switches()
    for name, default, meaning in describe_switches():
        assert switches.with_text(f"{name}={default}") == switches
        assert meaning
    assert Switches().with_text("release_polls=7").release_polls == 7
    assert Switches().with_text("failed_leaves_pool=no").failed_leaves_pool is False
    assert Switches().with_text("p5_price=55.5").p5_price == 55.5


@pytest.mark.parametrize(
    "text",
    ["nothing=1", "release_polls=many", "release_polls=-1", "pool_choice=best", "failed_leaves_pool=maybe"],
)
def test_a_bad_switch_is_refused_with_what_there_is(text: str) -> None:
    """An unknown switch or value is an error that names the known ones or the kind of value."""
    with pytest.raises(ValueError, match=r"there are|is one of|is a number|is not negative|is yes or no"):
        Switches().with_text(text)
