"""The one process that imports the SageMaker SDK: a spec on stdin, a CreateTrainingJob request on stdout.

``ModelTrainer._create_training_job_args(boto3=True)`` uploads the source and returns the request as plain
JSON. The method is private, and the SDK's own AWS Batch support calls it from another module
(``sagemaker/train/aws_batch/training_queue.py``). ``train()`` is never called: it sends telemetry, swallows
KeyboardInterrupt, and would submit.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wpfsm.adapters.aws import launcher


def main() -> None:
    """Load the SDK, then read the spec: the parent starts this process before it has one."""
    answer: dict[str, Any]
    try:
        import boto3
        from sagemaker.core.helper.session_helper import Session
        from sagemaker.core.training import configs
        from sagemaker.train.model_trainer import ModelTrainer

        spec = json.loads(sys.stdin.read())
        with _source_dir(spec) as source_dir:
            answer = {"request": _render(spec, source_dir, boto3, Session, configs, ModelTrainer)}
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
        answer = {"error": _failure(error)}
    sys.stdout.write("\n" + json.dumps(answer, default=str) + "\n")


@contextlib.contextmanager
def _source_dir(spec: dict[str, Any]) -> Iterator[str]:
    """The folder that the SDK uploads: the source, with the launcher beside it where there is one."""
    if not spec["keep_packages"]:
        yield spec["source_path"]
        return
    with tempfile.TemporaryDirectory(prefix="wpfsm-") as folder:
        source = Path(folder, "source")
        shutil.copytree(spec["source_path"], source, symlinks=True)
        for name, content in launcher.launcher_files():
            file = source / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        yield str(source)


def _render(
    spec: dict[str, Any], source_dir: str, boto3: Any, session: Any, configs: Any, trainer: Any
) -> dict[str, Any]:
    file = spec["loop_file"]
    pool, job = file["pool"], file["job"]
    metrics = [*([file["metric"]] if file["metric"] else []), *file.get("metrics", [])]
    output = job["output"] or f"s3://{spec['bucket']}/wpfsm/{file['name']}/output"
    vpc = pool["vpc"] or {}
    image = job["image"] or "wpfsm.local/python:plain"
    kept = spec["keep_packages"]
    model_trainer = trainer(
        sagemaker_session=session(
            boto_session=_counted(boto3.Session(region_name=spec["region"])),
            default_bucket=spec["bucket"],
            sagemaker_config={
                "SchemaVersion": "1.0",
                "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
            },
        ),
        role=pool["role"] or f"arn:aws:iam::{spec['account']}:role/wpfsm-local",
        base_job_name=spec["name"],
        source_code=configs.SourceCode(
            source_dir=source_dir,
            entry_script=launcher.ENTRY if kept else spec["entry"],
            requirements=None if kept else spec["requirements"] or None,
            # The snapshot holds what is wanted and nothing else; the SDK's own list would leave out a named .env.
            ignore_patterns=[],
        ),
        training_image=image,
        compute=configs.Compute(
            instance_type=pool["instance_type"],
            instance_count=pool["instance_count"],
            volume_size_in_gb=pool["volume_gb"],
            volume_kms_key_id=pool["kms_key"],
        ),
        networking=configs.Networking(
            security_group_ids=vpc.get("security_groups"),
            subnets=vpc.get("subnets"),
            enable_inter_container_traffic_encryption=pool["encrypt_traffic"],
            enable_network_isolation=pool["network_isolation"],
        ),
        stopping_condition=configs.StoppingCondition(max_runtime_in_seconds=3600),
        output_data_config=configs.OutputDataConfig(s3_output_path=output, compression_type="GZIP"),
        input_data_config=[
            configs.InputData(channel_name=name, data_source=uri) for name, uri in job["inputs"].items()
        ],
        environment=launcher.variables(spec["entry"], spec["requirements"], image) if kept else {},
        hyperparameters={},
        tags=[],
    )
    if metrics:
        model_trainer.with_metric_definitions(
            [configs.MetricDefinition(name=metric["name"], regex=metric["regex"]) for metric in metrics]
        )
    if pool["session_tag_keys"]:
        model_trainer.with_session_chaining_config(
            configs.SessionChainingConfig(enable_session_tag_chaining=True)
        )
    request: dict[str, Any] = model_trainer._create_training_job_args(boto3=True)  # noqa: SLF001 - see above
    request.pop("TrainingJobName", None)
    # Stated, so that an absent boolean and a false one cannot make two keys.
    request.setdefault("EnableNetworkIsolation", pool["network_isolation"])
    request.setdefault("EnableInterContainerTrafficEncryption", pool["encrypt_traffic"])
    plain: dict[str, Any] = json.loads(json.dumps(request, default=str))
    return plain


def _counted(session: Any) -> Any:
    """The session, with a line on stdout for each file that has arrived: the parent says how much is left."""
    session.events.register("after-call.s3.PutObject", lambda **_: sys.stdout.write(f"{launcher.UPLOADED}\n"))
    return session


def _failure(error: Exception) -> dict[str, str]:
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    if isinstance(error, ClientError):
        code = error.response["Error"].get("Code", "")
        denied = "Denied" in code or "Expired" in code or "Invalid" in code or code == "403"
        return {"class": "denied" if denied else "unknown", "code": code, "message": str(error)}
    if isinstance(error, NoCredentialsError):
        return {"class": "denied", "code": "NoCredentials", "message": str(error)}
    if isinstance(error, BotoCoreError):
        return {"class": "unknown", "code": type(error).__name__, "message": str(error)}
    return {"class": type(error).__name__, "message": str(error)[:2000]}


if __name__ == "__main__":
    main()
