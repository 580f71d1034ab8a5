"""Requests that the tests of the emulator share, and a way to send them without a client's own checks."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.test import Client

from wpfsm.adapters.emulator.inprocess import Emulator

TARGETS = {
    "sagemaker": "SageMaker",
    "service-quotas": "ServiceQuotasV20190624",
    "pricing": "AWSPriceListService",
    "logs": "Logs_20140328",
}
ROLE = "arn:aws:iam::123456789012:role/Train"


def training_job(name: str, *, keep_alive: int | None = 600, **changes: Any) -> dict[str, Any]:
    """Return a CreateTrainingJob request; ``resources`` and ``algorithm`` are merged."""
    resources: dict[str, Any] = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
    if keep_alive is not None:
        resources["KeepAlivePeriodInSeconds"] = keep_alive
    algorithm = {"TrainingImage": "image", "TrainingInputMode": "File"}
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": algorithm | changes.pop("algorithm", {}),
        "OutputDataConfig": {"S3OutputPath": "s3://output/jobs"},
        "ResourceConfig": resources | changes.pop("resources", {}),
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600} | changes.pop("stopping", {}),
        **changes,
    }


def authorization(service: str, region: str = "us-east-1", access_key: str = "123456789012") -> str:
    """Return a signature that names its scope; nobody checks the rest."""
    scope = f"{access_key}/20260101/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"


def send(
    emulator: Emulator, service: str, operation: str, request: object, region: str = "us-east-1"
) -> tuple[int, dict[str, Any]]:
    """Send a JSON 1.1 request as it is and return status and answer."""
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    headers = {
        "X-Amz-Target": f"{TARGETS[service]}.{operation}",
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": authorization(service, region),
    }
    answer = Client(emulator.app).post("/", data=body, headers=headers)
    return answer.status_code, json.loads(answer.data)


def admin(emulator: Emulator, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
    """Send a request to steer the emulator."""
    data = None if body is None else json.dumps(body)
    answer = Client(emulator.app).open(f"/_wpfsm/{path}", method=method, data=data)
    return answer.status_code, json.loads(answer.data)
