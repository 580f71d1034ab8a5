"""A patched source is uploaded without the SDK, and the request is what the SDK would have made of it."""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from failing_loops import METRIC, STUB_SDK

from wpfsm.adapters.aws.clients import Target
from wpfsm.adapters.aws.launcher import launcher_files
from wpfsm.adapters.aws.renderer import SdkRenderer
from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.ports import RenderSpec

needs_sdk = pytest.mark.skipif(importlib.util.find_spec("sagemaker") is None, reason="needs the SDK")


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def spec_of(source: Path, emulator: SageMakerEmulator, name: str = "loop-aaaa") -> RenderSpec:
    file = LoopFile.model_validate(
        {
            "version": 1,
            "name": "loop",
            "pool": {"instance_type": "ml.g5.xlarge", "role": f"arn:aws:iam::{emulator.account}:role/Train"},
            "job": {"source": "src/", "entry": "train.py", "image": "train:1"},
            "metric": METRIC,
        }
    )
    return RenderSpec(
        name=name,
        region=emulator.region,
        account=emulator.account,
        bucket=f"sagemaker-{emulator.region}-{emulator.account}",
        source_path=str(source),
        loop_file=file.dump(),
        entry="train.py",
        requirements="requirements.txt",
        keep_packages=True,
    )


def render(spec: RenderSpec, emulator: SageMakerEmulator) -> dict[str, Any]:
    renderer = SdkRenderer(Target(emulator.region, emulator.url), Path(spec.source_path))
    try:
        return cast("dict[str, Any]", copy.deepcopy(renderer.render(spec)))
    finally:
        renderer.close()


def taken_prefixes(request: dict[str, Any]) -> dict[str, str]:
    """Take the channels' S3 prefixes, which carry a time, out of a request."""
    return {
        channel["ChannelName"]: channel["DataSource"]["S3DataSource"].pop("S3Uri")
        for channel in request["InputDataConfig"]
    }


def uploaded(emulator: SageMakerEmulator, uri: str) -> Mapping[str, bytes]:
    """What a job would find under a prefix, by relative name. S3Prefix takes every key that begins with it."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    s3 = emulator.session.client("s3", endpoint_url=emulator.url)
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {
        item["Key"].removeprefix(prefix): s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        for item in listed
    }


FIRST = {"train_py": "raise ValueError\n", "requirements_txt": "numpy\n"}
PATCHED = {"train_py": "print(1)\n", "requirements_txt": "numpy<2\n", "sub__more_py": "x = 1\n",
           "__pycache____train_pyc": "stale", "data__.env": "SECRET=1"}  # fmt: skip


@pytest.mark.sdk
@needs_sdk
def test_a_patched_source_needs_no_sdk(
    tmp_path: Path, sagemaker_emulator: SageMakerEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Request and uploaded files are those of the SDK, but for the prefix; the first upload stays as it was.

    The stand-in that other tests render with makes that request too, but for its drivers.
    """
    spec = spec_of(written(tmp_path / "first", **FIRST), sagemaker_emulator)
    first = render(spec, sagemaker_emulator)
    again = spec_of(written(tmp_path / "second", **PATCHED), sagemaker_emulator, "loop-bbbb")
    by_sdk = render(again, sagemaker_emulator)
    beside = render(replace(again, like=first), sagemaker_emulator)
    monkeypatch.setenv("PYTHONPATH", str(STUB_SDK))
    stand_in = render(spec, sagemaker_emulator)

    before, there, here, _ = map(taken_prefixes, (first, by_sdk, beside, stand_in))
    assert beside == by_sdk
    assert here["sm_drivers"] == before["sm_drivers"]
    assert here["code"] != before["code"]
    found = uploaded(sagemaker_emulator, here["code"])
    launcher = [f"/{name}" for name, _ in launcher_files()]
    # Whatever a snapshot holds is uploaded: a .env is in one only where the user named it.
    wanted = ["/data/.env", "/requirements.txt", "/sub/more.py", "/train.py"]
    assert sorted(found) == sorted([*wanted, *launcher])
    assert found == uploaded(sagemaker_emulator, there["code"])
    assert sorted(uploaded(sagemaker_emulator, before["code"])) == sorted(
        ["/requirements.txt", "/train.py", *launcher]
    )
    for request in (first, stand_in):
        request["AlgorithmSpecification"].pop("ContainerArguments")
    assert stand_in == first
