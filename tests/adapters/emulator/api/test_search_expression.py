"""What a search asks for: conditions, their nesting, and those that cannot be asked."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from searches import found


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        (("TrainingJobName", "Equals", "b"), "b"),
        (("TrainingJobName", "In", "c,a,z"), "ac"),
        (("TrainingJobName", "Contains", "d"), "d"),
        (("TrainingJobStatus", "Equals", "Failed"), "c"),
        (("TrainingJobStatus", "NotEquals", "Completed"), "cd"),
        (("Tags.team", "Equals", "red"), "ab"),
        (("Tags.team", "Exists", ""), "abcd"),
        (("HyperParameters.lr", "Equals", "0.2"), "b"),
        (("HyperParameters.lr", "LessThan", "0.25"), "ab"),
        (("HyperParameters.kind", "GreaterThan", "0"), ""),
        (("Metrics.acc", "GreaterThan", "0.8"), "b"),
        (("ResourceConfig.InstanceType", "Equals", "ml.m5.large"), "abcd"),
        (("ResourceConfig.InstanceCount", "GreaterThanOrEqualTo", "2"), ""),
        (("InputDataConfig.ChannelName", "Equals", "train"), "a"),
        (("TrainingEndTime", "NotExists", ""), "d"),
        (("CreationTime", "GreaterThan", "2020-01-01T00:00:00"), "abcd"),
        (("CreationTime", "LessThan", "2020-01-01T00:00:00Z"), ""),
        (("EnableNetworkIsolation", "Equals", "false"), "abcd"),
    ],
)
def test_filters(jobs: Any, condition: tuple[str, str, str], names: str) -> None:
    """Names, status, times, tags, hyperparameters, metrics and members of the request."""
    assert sorted(found(jobs, condition)) == sorted(names)


def test_expressions_nest(jobs: Any) -> None:
    """Or over names is what tools that follow many jobs ask; subexpressions and nested filters combine."""
    names = [("TrainingJobName", "Equals", name) for name in ("a", "d", "none")]
    assert found(jobs, *names, operator="Or") == ["d", "a"]
    either = {
        "SubExpressions": [
            {"Filters": [{"Name": "TrainingJobName", "Operator": "Equals", "Value": "c"}]},
            {
                "NestedFilters": [
                    {
                        "NestedPropertyName": "InputDataConfig",
                        "Filters": [
                            {"Name": "InputDataConfig.ChannelName", "Operator": "Equals", "Value": "train"},
                            {
                                "Name": "InputDataConfig.DataSource.S3DataSource.S3Uri",
                                "Operator": "Contains",
                                "Value": "cats",
                            },
                        ],
                    }
                ]
            },
        ],
        "Operator": "Or",
    }
    answer = jobs.search(Resource="TrainingJob", SearchExpression=either)
    assert [each["TrainingJob"]["TrainingJobName"] for each in answer["Results"]] == ["c", "a"]


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        (("NoSuchThing", "Equals", "1"), "Unknown property"),
        (("TrainingJobName", "GreaterThan", "a"), "not supported"),
        (("CreationTime", "GreaterThan", "yesterday"), "2026-01-31T23:59:59"),
        (("Metrics.acc", "GreaterThan", "high"), "is a number"),
    ],
)
def test_what_cannot_be_asked_is_refused(jobs: Any, condition: tuple[str, str, str], says: str) -> None:
    """A wrong filter is the client's error, and the message says what is wrong."""
    with pytest.raises(ClientError, match=says):
        found(jobs, condition)


def test_one_contains_is_allowed(jobs: Any) -> None:
    """The documented limit, in the documented words."""
    twice = [("TrainingJobName", "Contains", "a"), ("RoleArn", "Contains", "a")]
    with pytest.raises(ClientError, match="'CONTAINS' operator usage limit of 1 exceeded"):
        found(jobs, *twice)
