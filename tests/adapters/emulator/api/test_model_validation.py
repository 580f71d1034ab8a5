"""What the service models refuse, the emulator refuses: generated from the models, not listed by hand."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.model import Shape
from botocore.validate import ParamValidator
from emulator_requests import TARGETS, send, training_job
from hypothesis import given, settings
from hypothesis import strategies as st

from wpfsm.adapters.emulator.api.model_validation import _pattern
from wpfsm.adapters.emulator.engine.service_model import input_shape
from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.scripted import Script, ScriptedRunner

CODES = {"logs": "InvalidParameterException"}
DEPTH = 6
TAG_OPERATIONS = {"AddTags", "ListTags", "DeleteTags"}


@dataclass(frozen=True)
class Site:
    """One constraint of one operation: where it is, how to break it, what the refusal says."""

    service: str
    operation: str
    path: tuple[str | int, ...]
    value: Any = field(repr=False)
    where: str
    words: str


def offered() -> list[tuple[str, str]]:
    """Return every JSON operation that the emulator answers itself."""
    app = Emulator().app
    apis = [app._targets[TARGETS[service]] for service in TARGETS]
    return [(service, operation) for service, api in apis for operation in api.operations]


def sites(service: str, operation: str) -> Iterator[Site]:
    """Yield every constraint of an operation's input."""
    for path, shape, required in walk(input_shape(service, operation), ()):
        where = dotted(path)
        for value, words in breaches(shape):
            yield Site(service, operation, path, value, where, words)
        if shape.type_name == "map":
            for value, words in map_breaches(shape):
                yield Site(service, operation, path, value, where, words)
        if required:
            yield Site(service, operation, path, None, where, "Member must not be null")


def walk(shape: Shape, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Shape, bool]]:
    if shape.type_name == "structure" and len(path) < DEPTH:
        for name, member in shape.members.items():
            yield (*path, name), member, name in shape.required_members
            yield from walk(member, (*path, name))
    elif shape.type_name == "list" and len(path) < DEPTH:
        yield (*path, 0), shape.member, False
        yield from walk(shape.member, (*path, 0))


def breaches(shape: Shape) -> Iterator[tuple[Any, str]]:
    """Yield values that break one constraint of a shape each, with the words of the refusal."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name == "string":
        if "enum" in shape.metadata:
            yield "not-in-the-enum", "Member must satisfy enum value set"
        if most is not None:
            yield "a" * (most + 1), f"Member must have length less than or equal to {most}"
        if least:
            yield "a" * (least - 1), f"Member must have length greater than or equal to {least}"
        pattern = shape.metadata.get("pattern")
        compiled = _pattern(pattern) if pattern else None
        if compiled is not None and not compiled.fullmatch("\x00\n"):
            yield "\x00\n", f"Member must satisfy regular expression pattern: {pattern}"
    elif shape.type_name in {"integer", "long", "float", "double"}:
        if most is not None:
            yield most + 1, f"Member must have value less than or equal to {most}"
        if least is not None:
            yield least - 1, f"Member must have value greater than or equal to {least}"
    elif shape.type_name == "list" and most is not None and most <= 1000:
        filler = {"structure": {}, "string": "a", "list": []}.get(shape.member.type_name, 0)
        yield [filler] * (most + 1), f"Member must have length less than or equal to {most}"
    elif shape.type_name == "map" and most is not None:
        yield (
            {f"k{i}": "v" for i in range(most + 1)},
            f"Member must have length less than or equal to {most}",
        )


def map_breaches(shape: Any) -> Iterator[tuple[Any, str]]:
    """Yield maps with one bad key or one bad value."""
    for bad, words in breaches(shape.key):
        yield {bad: "v"}, f"Map keys must satisfy constraint: [{words}"
    for bad, words in breaches(shape.value):
        yield {"k": bad}, f"Map value must satisfy constraint: [{words}"


def dotted(path: tuple[str | int, ...]) -> str:
    """Return a path as the service writes it."""
    parts = [f"{p + 1}.member" if isinstance(p, int) else p[0].lower() + p[1:] for p in path]
    return ".".join(parts)


def planted(path: tuple[str | int, ...], value: Any) -> Any:
    """Return a request that holds a value at a path and nothing else."""
    for part in reversed(path):
        value = {part: value} if isinstance(part, str) else [value]
    return value


OPERATIONS = offered()
SITES = [site for service, operation in OPERATIONS for site in sites(service, operation)]
EMULATOR = Emulator()


def test_there_is_much_to_refuse() -> None:
    """The models give constraints to check for every operation with an input that has any."""
    assert len(SITES) > 400
    assert {site.operation for site in SITES} >= {
        "CreateTrainingJob",
        "UpdateTrainingJob",
        "ListTrainingJobs",
    }


def ask(
    service: str, operation: str, request: dict[str, Any], emulator: Emulator = EMULATOR
) -> tuple[int, dict[str, Any]]:
    """Send a request about what is the emulator's own: the log group and the tags of training jobs."""
    if service == "logs":
        own = "logGroupNamePrefix" if operation == "DescribeLogGroups" else "logGroupName"
        request = request | {own: "/aws/sagemaker/TrainingJobs"}
    if operation in TAG_OPERATIONS:
        request = request | {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/x"}
    return send(emulator, service, operation, request)


def is_ours(site: Site) -> bool:
    """Another log group, or the tags of another resource, would be the fallback's."""
    chooses = {"logGroupName", "logGroupNamePrefix", "logGroupIdentifier", "ResourceArn"}
    if site.service == "logs" or site.operation in TAG_OPERATIONS:
        return site.path[0] not in chooses
    return True


def expected(site: Site) -> str:
    return f"at '{site.where}' failed to satisfy constraint: {site.words}"


@pytest.mark.parametrize(("service", "operation"), OPERATIONS, ids=lambda part: part)
def test_every_constraint_is_enforced(service: str, operation: str) -> None:
    """A request that breaks one constraint of its model is refused at that place, in the service's words."""
    for site in SITES:
        if (site.service, site.operation) == (service, operation) and is_ours(site):
            status, answer = ask(service, operation, planted(site.path, site.value))
            assert status == 400, site
            assert answer["__type"] == CODES.get(service, "ValidationException"), site
            assert expected(site) in answer["message"], site


SINGLE = [site for site in SITES if not isinstance(site.value, list) and is_ours(site)]
"""Sites that break one constraint each: a list that is too long breaks those of all its elements as well."""


@settings(deadline=None)
@given(st.lists(st.sampled_from(SINGLE), min_size=2, max_size=4, unique_by=lambda site: site.path[0]))
def test_broken_constraints_are_all_told(drawn: list[Site]) -> None:
    """Whatever several members of one request break is in one message."""
    same = [s for s in drawn if (s.service, s.operation) == (drawn[0].service, drawn[0].operation)]
    request = {}
    for site in same:
        request |= planted(site.path, site.value)
    status, answer = ask(same[0].service, same[0].operation, request)
    assert status == 400
    assert all(expected(site) in answer["message"] for site in same)


ON_THE_WIRE = re.compile(r"^Unknown parameter|value: None")
"""What only botocore refuses: the service ignores unknown members, and null is absence."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 50) | st.floats(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutilated(draw: st.DrawFn) -> dict[str, Any]:
    """A valid request in which one member, somewhere, is replaced by something else."""
    request = training_job("job", Tags=[{"Key": "a", "Value": "b"}], HyperParameters={"lr": "1"})
    holder: Any = request
    while True:
        key = draw(st.sampled_from(sorted(holder)) if isinstance(holder, dict) else st.just(0))
        if not isinstance(holder[key], dict | list) or draw(st.booleans()):
            holder[key] = draw(JSON)
            return request
        holder = holder[key]


@settings(deadline=None)
@given(request=mutilated())
def test_what_botocore_refuses_is_refused(request: dict[str, Any]) -> None:
    """Whatever botocore's own validator would not send is not accepted either."""
    report = ParamValidator().validate(request, input_shape("sagemaker", "CreateTrainingJob"))
    # Error by error: a drawn key may hold what ends a line.
    said = map(report._format_error, report._errors)
    refused = [error for error in said if not ON_THE_WIRE.search(error)]
    with Emulator() as emulator:
        status, answer = send(emulator, "sagemaker", "CreateTrainingJob", request)
    if refused:
        assert status == 400, (refused, answer)


@settings(deadline=None)
@given(service_operation=st.sampled_from(OPERATIONS), body=JSON)
def test_nothing_makes_a_500(service_operation: tuple[str, str], body: Any) -> None:
    """Any JSON at any operation gets an answer below 500, and no failure of the emulator itself."""
    service, operation = service_operation
    if service == "logs" or "Tags" in operation:
        return  # without a group or ARN of a training job they are the fallback's
    status, answer = send(EMULATOR, service, operation, body)
    assert status in {200, 400}
    assert answer.get("__type") != "EmulatorFailure", answer


def page_token(*held: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(held).encode()).decode()


HOSTILE = [
    10**400,
    -(10**400),
    1 << 63,
    float("nan"),
    float("inf"),
    "\ud800",
    {"\ud800": "x"},
    "\x00",
    "²",
    "f/²",
    "9" * 5000,
    "f/" + "9" * 56,
    page_token(1),
    page_token("created", {}, 1),
    page_token("created", 1.0, 10**30),
    page_token("created", "x", 1),
]
ENOUGH: dict[str, dict[str, Any]] = {
    "service-quotas": {"ServiceCode": "sagemaker", "QuotaCode": "L-611FA074", "DesiredValue": 20_000.0},
    "pricing": {"ServiceCode": "AmazonSageMaker"},
}
"""What makes a request complete, so that the operation itself sees the hostile value."""


@pytest.fixture(scope="module")
def printed() -> Iterator[tuple[Emulator, dict[str, str]]]:
    """An emulator whose one job has printed, and where its lines are."""
    with Emulator(runner=ScriptedRunner(lambda _: Script(seconds=1, lines=["a", "b"]))) as emulator:
        send(emulator, "sagemaker", "CreateTrainingJob", training_job("x"))
        emulator.advance(10)
        group = {"logGroupName": "/aws/sagemaker/TrainingJobs"}
        _, found = send(emulator, "logs", "DescribeLogStreams", group)
        yield emulator, group | {"logStreamName": found["logStreams"][0]["logStreamName"]}


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:20])
def test_hostile_values_are_refused_in_the_service_s_terms(
    printed: tuple[Emulator, dict[str, str]], value: object
) -> None:
    """Whatever member of whatever operation holds it, a value that no client makes is no crash."""
    emulator, lines = printed
    complete = ENOUGH | {"logs": lines}
    for service, operation, path in {(s.service, s.operation, s.path) for s in SITES if is_ours(s)}:
        request = complete.get(service, {}) | planted(path, value)
        status, answer = ask(service, operation, request, emulator)
        assert status in {200, 400}, (operation, path)
        assert not str(answer.get("__type")).startswith("Emulator"), (operation, path, answer)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"x":' * 9_000 + b"1" + b"}" * 9_000]
)
def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    """What is not JSON, no object, or too deep to read is a refusal and not a crash."""
    status, answer = send(EMULATOR, "sagemaker", "CreateTrainingJob", body)
    assert status == 400
    assert answer["__type"] in {"SerializationException", "ValidationException"}


def test_a_regex_that_cannot_be_compiled_is_refused() -> None:
    """A metric's regex is tried when the job is created, whatever is wrong with it."""
    for broken in ("(", "a{99999999999}"):
        algorithm = {"MetricDefinitions": [{"Name": "loss", "Regex": broken}]}
        status, answer = send(
            EMULATOR, "sagemaker", "CreateTrainingJob", training_job("x", algorithm=algorithm)
        )
        assert (status, answer["__type"]) == (400, "ValidationException")
        assert "metric loss" in answer["message"]


def test_an_unknown_operation_is_named_as_such() -> None:
    """An operation that no model has, or that nobody offers, is a 400 that says so."""
    for operation in ("FlyToTheMoon", "CreateFlowDefinition"):
        status, answer = send(EMULATOR, "sagemaker", operation, {})
        assert (status, answer["__type"]) == (400, "UnknownOperationException")


def test_unknown_members_are_ignored() -> None:
    """A member that the model does not know is ignored, as the service ignores it."""
    emulator = Emulator()
    status, _ = send(emulator, "sagemaker", "CreateTrainingJob", training_job("job", FromTheFuture=1))
    assert status == 200
    _, answer = send(emulator, "sagemaker", "DescribeTrainingJob", {"TrainingJobName": "job"})
    assert "FromTheFuture" not in answer
