"""Loop files for the engine: two jobs whose scripts really run."""

from __future__ import annotations

import json
from pathlib import Path


def sweep_of(
    folder: Path,
    name: str,
    *,
    seconds: float = 3,
    silence: str = "",
    role: str = "",
    needs: str = "",
    lanes: int = 1,
) -> Path:
    """A sweep over two learning rates with a request of its own, so that nothing must be rendered."""
    place = folder / name
    place.mkdir()
    script = f"import time; print('loss=0.5', flush=True); time.sleep({seconds}); print('loss=0.1')"
    if needs:
        script = f"import os, sys; sys.exit('no {needs}') if '{needs}' not in os.environ else None; {script}"
    request = {
        "AlgorithmSpecification": {
            "TrainingImage": "image", "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "-c"], "ContainerArguments": [script],
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
        "RoleArn": f"arn:aws:iam::123456789012:role/{role or name}",
        "OutputDataConfig": {"S3OutputPath": "s3://wpfsm-shared/out"},
        "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 900},
    }  # fmt: skip
    (place / "request.json").write_text(json.dumps(request))
    loop = {
        "version": 1, "name": name, "backend": "local",
        "pool": {"instance_type": "ml.g5.xlarge", "volume_gb": 30, "keep_alive": "10m"},
        "job": {"request": "request.json", "max_runtime": "15m", **({"silence": silence} if silence else {})},
        "metric": {"name": "loss", "goal": "minimize", "regex": "loss=([0-9.]+)"},
        "strategy": {"type": "sweep", "method": "grid", "parameters": {"lr": [0.1, 0.2]}},
        **({"lanes": lanes} if lanes > 1 else {}),
        "on_failure": [{"when": "any", "do": "handoff" if needs else "release"}],
    }  # fmt: skip
    if lanes > 1:
        loop["strategy"] = {"type": "sweep", "method": "grid", "parameters": {"lr": [0.1, 0.2, 0.3, 0.4]}}
    file = place / "loop.yaml"
    file.write_text(json.dumps(loop))
    return file
