"""The log of a job in CloudWatch Logs, and its tags."""

from __future__ import annotations

import pytest
from contract_world import World

GROUP = "/aws/sagemaker/TrainingJobs"


def test_a_job_s_lines_are_there_when_it_is_terminal(each_endpoint: World) -> None:
    """One stream an instance, named after the job; its lines are complete once the job has ended."""
    name = each_endpoint.create(resources={"InstanceCount": 2})
    each_endpoint.finished(name)
    logs = each_endpoint.client("logs")
    streams = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")["logStreams"]
    assert [s["logStreamName"].rsplit("-", 1)[0] for s in streams] == [f"{name}/algo-1", f"{name}/algo-2"]
    for stream in streams:
        answer = logs.get_log_events(
            logGroupName=GROUP, logStreamName=stream["logStreamName"], startFromHead=True
        )
        lines = [event["message"] for event in answer["events"]]
        assert lines[-2:] == ["eval_loss=0.5", "eval_loss=0.25"]
        assert all(event["timestamp"] > 1_000_000_000_000 for event in answer["events"])


def test_the_end_of_a_stream_is_the_same_token_twice(endpoint: World) -> None:
    """Reading forward ends when a page gives back the token that it was asked with."""
    name = endpoint.create()
    endpoint.finished(name)
    logs = endpoint.client("logs")
    streams = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")["logStreams"]
    ask = {"logGroupName": GROUP, "logStreamName": streams[0]["logStreamName"], "limit": 1}
    lines, token, last = [], {"startFromHead": True}, None
    while True:
        answer = logs.get_log_events(**ask, **token)
        lines += [event["message"] for event in answer["events"]]
        if answer["nextForwardToken"] == last:
            break
        last = answer["nextForwardToken"]
        token = {"nextToken": last, "startFromHead": True}
    assert lines[-2:] == ["eval_loss=0.5", "eval_loss=0.25"]
    backward = logs.get_log_events(**ask, nextToken=answer["nextBackwardToken"])
    assert [event["message"] for event in backward["events"]] == ["eval_loss=0.25"]


def test_reading_begins_at_the_tail_unless_told(endpoint: World) -> None:
    """GetLogEvents without startFromHead gives the latest lines, in order."""
    name = endpoint.create()
    endpoint.finished(name)
    logs = endpoint.client("logs")
    streams = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")["logStreams"]
    answer = logs.get_log_events(logGroupName=GROUP, logStreamName=streams[0]["logStreamName"], limit=1)
    assert [event["message"] for event in answer["events"]] == ["eval_loss=0.25"]


def test_lines_are_filtered_by_stream_and_words(endpoint: World) -> None:
    """FilterLogEvents finds lines by the prefix of their stream and the words in them."""
    name = endpoint.create()
    endpoint.finished(name)
    answer = endpoint.client("logs").filter_log_events(
        logGroupName=GROUP, logStreamNamePrefix=f"{name}/", filterPattern='"eval_loss=0.5"'
    )
    assert [event["message"] for event in answer["events"]] == ["eval_loss=0.5"]


def test_a_stream_that_is_not_there_is_not_found(endpoint: World) -> None:
    """A stream that does not exist (yet) is ResourceNotFoundException."""
    name = endpoint.create()
    endpoint.finished(name)
    logs = endpoint.client("logs")
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.get_log_events(logGroupName=GROUP, logStreamName=f"{name}/algo-9-1")


def test_the_group_is_found_by_its_prefix(endpoint: World) -> None:
    """DescribeLogGroups knows the group of training jobs once a job has printed."""
    endpoint.finished(endpoint.create())
    answer = endpoint.client("logs").describe_log_groups(logGroupNamePrefix="/aws/sagemaker/Training")
    assert GROUP in [group["logGroupName"] for group in answer["logGroups"]]


def test_tags_are_added_listed_and_deleted(endpoint: World) -> None:
    """Tags of Create and AddTags are in ListTags; DeleteTags removes them."""
    name = endpoint.create(Tags=[{"Key": "loop", "Value": "a"}])
    arn = endpoint.describe(name)["TrainingJobArn"]
    sagemaker = endpoint.sagemaker
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "digest", "Value": "7"}, {"Key": "loop", "Value": "b"}])
    listed = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    assert listed == {"loop": "b", "digest": "7"}
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["loop", "nothing"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "digest", "Value": "7"}]


def test_a_job_has_at_most_fifty_tags(endpoint: World) -> None:
    """The fifty-first tag is refused, and nothing was added."""
    arn = endpoint.describe(endpoint.create())["TrainingJobArn"]
    add = endpoint.sagemaker.add_tags
    add(ResourceArn=arn, Tags=[{"Key": f"k{i}", "Value": ""} for i in range(50)])
    with pytest.raises(endpoint.sagemaker.exceptions.ResourceLimitExceeded):
        add(ResourceArn=arn, Tags=[{"Key": "one-more", "Value": ""}])
    assert len(endpoint.sagemaker.list_tags(ResourceArn=arn)["Tags"]) == 50
