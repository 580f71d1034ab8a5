"""An emulator that is killed and started again still knows its jobs, pools, tags, quotas and logs."""

from __future__ import annotations

from pathlib import Path

from emulator_process import emulator_process, until
from emulator_requests import training_job

INTERNAL = "InternalServerError: We encountered an internal error.  Please try again."


def entry(command: str) -> dict[str, object]:
    return {"algorithm": {"ContainerEntrypoint": ["/bin/sh", "-c"], "ContainerArguments": [command]}}


def test_a_killed_emulator_remembers(tmp_path: Path) -> None:
    """After SIGKILL and restart: the finished job and its pool are as they were; the running one has failed."""
    quick = ("--cold-start", "0", "--warm-start", "0")
    other = {"resources": {"VolumeSizeInGB": 20}}
    with emulator_process(tmp_path, *quick) as process:
        sagemaker = process.client("sagemaker")
        tags = [{"Key": "loop", "Value": "x"}]
        sagemaker.create_training_job(**training_job("done", Tags=tags, **entry("echo hello")))
        before = until(
            lambda answer: answer.get("WarmPoolStatus", {}).get("Status") == "Available",
            lambda: sagemaker.describe_training_job(TrainingJobName="done"),
        )
        sagemaker.create_training_job(**training_job("lost", **other, **entry("sleep 1000")))
        until(
            lambda answer: answer["SecondaryStatus"] == "Training",
            lambda: sagemaker.describe_training_job(TrainingJobName="lost"),
        )
        process.kill()
    with emulator_process(tmp_path, *quick) as process:
        sagemaker = process.client("sagemaker")
        after = sagemaker.describe_training_job(TrainingJobName="done")
        for answer in (before, after):
            del answer["ResponseMetadata"], answer["WarmPoolStatus"]["ResourceRetainedBillableTimeInSeconds"]
        assert after == before
        assert sagemaker.list_tags(ResourceArn=after["TrainingJobArn"])["Tags"] == tags
        lost = sagemaker.describe_training_job(TrainingJobName="lost")
        assert (lost["TrainingJobStatus"], lost["FailureReason"]) == ("Failed", INTERNAL)
        assert "WarmPoolStatus" not in lost
        logs = process.client("logs").filter_log_events(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="done/"
        )
        assert [event["message"] for event in logs["events"]] == ["hello"]
        sagemaker.create_training_job(**training_job("next", **entry("true")))
        assert sagemaker.describe_training_job(TrainingJobName="done")["WarmPoolStatus"]["Status"] == "Reused"
