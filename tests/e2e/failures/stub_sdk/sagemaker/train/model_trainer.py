"""``ModelTrainer``: uploads the source and its drivers, and makes the request."""

import os
from pathlib import Path

IGNORED = {".env", ".git", "__pycache__", ".DS_Store", ".cache", ".ipynb_checkpoints"}

TRAIN = """\
#!/bin/bash
set -e
handle_error() {{
    status=$?
    if [ ! -s /opt/ml/output/failure ]; then
        echo "Training Execution failed. For more details, see CloudWatch logs at 'aws/sagemaker/TrainingJobs'.
TrainingJob - $TRAINING_JOB_NAME" >> /opt/ml/output/failure
    fi
    exit $status
}}
trap 'handle_error' ERR
cd /opt/ml/input/data/code
{install}
python3 /opt/ml/input/data/sm_drivers/driver.py {entry}
echo "Training Container Execution Completed"
"""
INSTALL = "python3 -m pip install --disable-pip-version-check -r {}"
DRIVER = """\
import json, os, runpy, sys

given = json.load(open("/opt/ml/input/config/hyperparameters.json"))
words = [word for name, value in given.items() for word in (f"--{name}", str(json.loads(value)))]
os.environ["SM_MODEL_DIR"] = "/opt/ml/model"
sys.argv = [sys.argv[1], *words]
sys.path[0] = os.getcwd()
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class ModelTrainer:
    def __init__(self, **given):
        self.given, self.metrics = given, []

    def with_metric_definitions(self, metrics):
        self.metrics = metrics
        return self

    def _create_training_job_args(self, *, boto3):
        session, code, compute = (
            self.given[name] for name in ("sagemaker_session", "source_code", "compute")
        )
        name = self.given["base_job_name"]
        algorithm = {
            "TrainingInputMode": "File",
            "TrainingImage": self.given["training_image"],
            "ContainerEntrypoint": ["/bin/bash"],
            "ContainerArguments": ["-c", "bash /opt/ml/input/data/sm_drivers/sm_train.sh"],
        }
        if self.metrics:
            algorithm["MetricDefinitions"] = [{"Name": m.name, "Regex": m.regex} for m in self.metrics]
        install = INSTALL.format(code.requirements) if code.requirements else ""
        drivers = {"sm_train.sh": TRAIN.format(install=install, entry=code.entry_script), "driver.py": DRIVER}
        root = Path(code.source_dir)
        files = {
            file.relative_to(root).as_posix(): file.read_bytes()
            for file in root.rglob("*")
            if file.is_file() and not IGNORED.intersection(file.relative_to(root).parts)
        }
        return {
            "TrainingJobName": name,
            "AlgorithmSpecification": algorithm,
            "HyperParameters": {},
            **({"Environment": self.given["environment"]} if self.given["environment"] else {}),
            "InputDataConfig": [
                self._channel(session, f"{name}/{name}/input", "code", files),
                self._channel(session, f"{name}/{name}/input", "sm_drivers", drivers),
                *(_input(given.channel_name, given.data_source) for given in self.given["input_data_config"]),
            ],
            "ResourceConfig": {
                "InstanceType": compute.instance_type,
                "InstanceCount": compute.instance_count,
                "VolumeSizeInGB": compute.volume_size_in_gb,
            },
            "RoleArn": self.given["role"],
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            "OutputDataConfig": {
                "S3OutputPath": self.given["output_data_config"].s3_output_path,
                "CompressionType": "GZIP",
            },
            "EnableInterContainerTrafficEncryption": False,
            "EnableNetworkIsolation": False,
        }

    def _channel(self, session, prefix, name, files):
        s3 = session.boto_session.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
        s3.create_bucket(Bucket=session.default_bucket)
        for path, content in files.items():
            s3.put_object(Bucket=session.default_bucket, Key=f"{prefix}/{name}/{path}", Body=content)
        data = {
            "S3DataType": "S3Prefix",
            "S3Uri": f"s3://{session.default_bucket}/{prefix}/{name}",
            "S3DataDistributionType": "FullyReplicated",
        }
        return {"ChannelName": name, "DataSource": {"S3DataSource": data}, "InputMode": "File"}


def _input(name, uri):
    data = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": data}, "InputMode": "File"}
