"""The lines of training jobs: kept, in order, in pages, each where its job is."""

from __future__ import annotations

from pathlib import Path

import pytest
from emulator_requests import send, training_job
from emulator_stage import Stage

from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.scripted import Script, ScriptedRunner

HERE = ("us-east-1", "123456789012")


PLACES = [("eu-west-1", "123456789012"), ("us-east-1", "210987654321")]


@pytest.mark.parametrize(("region", "account"), PLACES)
def test_logs_are_separate(stage: Stage, region: str, account: str) -> None:
    """A job's stream is in its own account and region only."""
    emulator = stage.show()
    stage.client("sagemaker", *HERE).create_training_job(**training_job("j"))
    emulator.advance(100)
    ask = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": "j/"}
    assert stage.client("logs", *HERE).describe_log_streams(**ask)["logStreams"]
    logs = stage.client("logs", region, account)
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.describe_log_streams(**ask)


@pytest.mark.parametrize("from_head", [True, False])
def test_a_page_of_lines_holds_a_megabyte(from_head: bool) -> None:
    """Long lines come in pages of at most 1 MB, each line once, in order from either end."""
    lines = [f"{i:03d}" + "x" * 100_000 for i in range(35)]
    script = Script(seconds=5, lines=lines)
    with Emulator(runner=ScriptedRunner(lambda _: script)) as emulator:
        send(emulator, "sagemaker", "CreateTrainingJob", training_job("j"))
        emulator.advance(10)
        group = {"logGroupName": "/aws/sagemaker/TrainingJobs"}
        _, found = send(emulator, "logs", "DescribeLogStreams", group)
        ask = {**group, "logStreamName": found["logStreams"][0]["logStreamName"]}
        pages: list[list[str]] = []
        token: dict[str, object] = {"startFromHead": from_head}
        while not pages or pages[-1]:
            _, answer = send(emulator, "logs", "GetLogEvents", {**ask, **token})
            pages.append([event["message"] for event in answer["events"]])
            token = {"nextToken": answer["nextForwardToken" if from_head else "nextBackwardToken"]}
    assert all(sum(len(line) + 26 for line in page) <= 1 << 20 for page in pages)
    assert len(pages) == 5  # ten lines a page, and the empty one
    ordered = pages if from_head else pages[::-1]
    assert [line for page in ordered for line in page] == lines


def test_ten_thousand_lines_are_kept(tmp_path: Path) -> None:
    """Ten thousand lines are stored and read back, in order, in one answer."""
    lines = [f"step {i} loss=0.{i}" for i in range(10_000)]
    script = Script(seconds=5, lines=lines)
    with Emulator(runner=ScriptedRunner(lambda _: script), state=tmp_path) as emulator:
        send(emulator, "sagemaker", "CreateTrainingJob", training_job("j"))
        emulator.advance(10)
        request = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": "j/"}
        _, answer = send(emulator, "logs", "FilterLogEvents", request)
        assert [event["message"] for event in answer["events"]] == lines
