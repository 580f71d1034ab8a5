"""What a job finds when its process starts: files, variables and directories, as in the service's container."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from runner_bench import ACCOUNT, BUCKET, REGION, Bench, Sink, printed_json, python_job, shell_job

from wpfsm.adapters.emulator.runner.base import Ending, JSONValue
from wpfsm.adapters.emulator.runner.container import containers

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

PRINT_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"


def channel(name: str, uri: str, **source: str) -> dict[str, object]:
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, **source}},
    }


def test_nothing_of_the_users_environment_reaches_a_job(
    monkeypatch: pytest.MonkeyPatch, bench: Bench, sink: Sink
) -> None:
    """The variables of a job are the documented ones and those of its request, and no other."""
    for name in (
        "AWS_SECRET_ACCESS_KEY",
        "HF_TOKEN",
        "PIP_INDEX_URL",
        "PYTHONPATH",
        "LD_PRELOAD_X",
        "VIRTUAL_ENV",
    ):
        monkeypatch.setenv(name, "hunter2")
    bench.run_script(PRINT_ENVIRONMENT, Environment={"MODE": "fast", "CACHE": "/opt/ml/sagemaker/x:/opt/mlx"})
    seen = printed_json(sink)

    assert isinstance(seen, dict)
    root = str(seen["HOME"]).removesuffix("/root")
    expected = {
        "HOME": f"{root}/root",
        "LANG": "C.UTF-8",
        "PATH": f"{root}/env/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONUNBUFFERED": "TRUE",
        "TMPDIR": f"{root}/tmp",
        "TRAINING_JOB_NAME": "job",
        "TRAINING_JOB_ARN": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/job",
        "SAGEMAKER_BASE_DIR": f"{root}/opt/ml",
        "AWS_EC2_METADATA_DISABLED": "true",
        "MODE": "fast",
        "CACHE": f"{root}/opt/ml/sagemaker/x:/opt/mlx",
    }
    seen.pop("LC_CTYPE", None)  # Python sets it for itself
    seen.pop("__CF_USER_TEXT_ENCODING", None)  # so does macOS
    assert expected == seen


def test_configuration_files_are_those_of_the_service(bench: Bench, sink: Sink, s3: S3Client) -> None:
    """Hyperparameters, channels and hosts are found where the developer guide says."""
    s3.put_object(Bucket=BUCKET, Key="data/a.csv", Body=b"1,2")
    script = (
        "import json, sys; root = sys.argv[1] + '/input/config/';"
        "names = ('hyperparameters', 'inputdataconfig', 'resourceconfig');"
        "print(json.dumps([json.load(open(root + name + '.json')) for name in names]))"
    )
    request = python_job(script, "/opt/ml") | {
        "HyperParameters": {"lr": "0.1"},
        "InputDataConfig": [
            channel("train", f"s3://{BUCKET}/data/", S3DataDistributionType="ShardedByS3Key")
        ],
    }
    bench.run(bench.launch("conf", request))  # type: ignore[arg-type]

    parameters, channels, resources = printed_json(sink)  # type: ignore[misc, str-unpack]
    assert parameters == {"lr": "0.1"}
    assert channels["train"]["S3DistributionType"] == "ShardedByS3Key"  # type: ignore[index, call-overload]
    assert tuple(
        resources[name]  # type: ignore[index, call-overload]
        for name in ("current_host", "hosts", "current_instance_type")
    ) == ("algo-1", ["algo-1"], "ml.m5.large")


def test_the_machine_s_role_stays_out_of_reach(bench: Bench, sink: Sink) -> None:
    """Not even the job's own Environment brings the metadata service of the machine back."""
    bench.run_script(PRINT_ENVIRONMENT, Environment={"AWS_EC2_METADATA_DISABLED": "false"})
    seen = printed_json(sink)
    assert isinstance(seen, dict)
    assert seen["AWS_EC2_METADATA_DISABLED"] == "true"


def test_hyperparameters_that_name_opt_ml_name_the_job_s_own(bench: Bench, sink: Sink) -> None:
    """A parameter such as ``/opt/ml/checkpoints`` leads a script to where the files are."""
    script = (
        "import json, os; where = json.load(open('/opt/ml/input/config/hyperparameters.json'))['where'];"
        "print(os.path.samefile(where, os.path.join(os.environ['SAGEMAKER_BASE_DIR'], 'checkpoints')))"
    )
    bench.run_script(script, HyperParameters={"where": "/opt/ml/checkpoints"})
    assert sink.lines() == ["True"]


def test_a_missing_train_says_what_helps(bench: Bench, sink: Sink) -> None:
    """Whoever brings a framework's image learns how an environment is put in its place."""
    algorithm: dict[str, JSONValue] = {"TrainingImage": "1.dkr.ecr/sklearn:1"}
    assert bench.run(bench.launch("bare", {"AlgorithmSpecification": algorithm})).exit_code == 127
    assert "--image" in sink.lines()[-1]
    assert "1.dkr.ecr/sklearn:1" in sink.lines()[-1]


def test_a_directory_with_a_space_in_its_name_does_not_break_a_job(
    tmp_path: Path, s3: S3Client, sink: Sink
) -> None:
    """State directories such as ``Application Support`` are reached through a link without a space."""
    bench = Bench(tmp_path / "with a space", s3, sink)
    launch = bench.launch("spaced", shell_job("cd /opt/ml/model && echo w > w && command -v python3"))
    bench.run(launch)

    assert " " not in sink.lines()[0]
    assert bench.runner.finish(launch) is not None


def test_links_to_jobs_that_are_gone_are_removed(tmp_path: Path, s3: S3Client, sink: Sink) -> None:
    """A killed emulator's short names do not pile up."""
    bench = Bench(tmp_path / ("deep" * 20), s3, sink)
    launch = bench.launch("gone", shell_job("true"))
    link = containers(launch)[0].root.parent
    launch.workdir.rmdir()
    assert link.is_symlink()
    Bench(tmp_path, s3, sink)

    assert not link.is_symlink()


def test_a_deep_directory_leaves_room_for_sockets(tmp_path: Path, s3: S3Client, sink: Sink) -> None:
    """Multiprocessing puts sockets below TMPDIR, whose names must stay short."""
    bench = Bench(tmp_path / ("deep" * 20), s3, sink)

    assert bench.run_script(
        "from multiprocessing.connection import Listener; print(Listener(family='AF_UNIX').address)"
    ) == Ending(0, "")


def test_drivers_of_the_sdk_name_the_jobs_own_directory(bench: Bench, s3: S3Client, sink: Sink) -> None:
    """In the channel ``sm_drivers`` each ``/opt/ml`` is replaced; in the user's own channels nothing is."""
    for key in ("drv/run.sh", "code/run.sh"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"ls -d /opt/ml/model # /opt/mlx")
    s3.put_object(Bucket=BUCKET, Key="drv/blob", Body=b"/opt/ml \xff")
    request = shell_job(
        "cd /opt/ml/input/data; cat sm_drivers/run.sh code/run.sh; cmp sm_drivers/blob other/blob"
    ) | {
        "InputDataConfig": [
            channel("sm_drivers", f"s3://{BUCKET}/drv/"),
            channel("code", f"s3://{BUCKET}/code"),
            channel("other", f"s3://{BUCKET}/drv/blob"),
        ]
    }
    launch = bench.launch("drv", request)  # type: ignore[arg-type]
    ml = containers(launch)[0].ml

    assert Ending(0, "") == bench.run(launch)
    assert [f"ls -d {ml}/model # /opt/mlxls -d /opt/ml/model # /opt/mlx"] == sink.lines()
