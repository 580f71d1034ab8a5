"""The inside of a training container, as a directory tree: what a job finds when its process starts.

Sources: the developer guide, "How Amazon SageMaker AI Provides Training Information" and "Running Training
Container", and the drivers that the SageMaker Python SDK puts into the ``sm_drivers`` channel.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import cast

from wpfsm.adapters.emulator.runner.base import JobFailed, JSONValue, Launch
from wpfsm.adapters.emulator.runner.channels import Channel

CACHE_VARIABLE = "SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY"
NO_MACHINE_ROLE = {"AWS_EC2_METADATA_DISABLED": "true"}
"""The role of the machine that the emulator runs on is not the job's: no client of a job asks for it."""

_ML = re.compile(r"(?<![\w.-])/opt/ml(?![\w-])")
_SPACELESS = re.compile(r"[\w./@%+=:,-]+")
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LONGEST_BASE = 40
_SHORTEST_ROOT = "/tmp"  # noqa: S108 - what is made below it is checked to be this user's own
_LARGEST_DRIVER = 1 << 20
FAILURE_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class Container:
    """One host's view of the file system: everything that would be under ``/`` is under ``root``."""

    host: str
    root: Path

    @property
    def ml(self) -> Path:
        """What stands for ``/opt/ml``."""
        return self.root / "opt" / "ml"

    def local(self, text: str) -> str:
        """Return ``text`` with each ``/opt/ml`` replaced by what stands for it."""
        return _ML.sub(lambda _: str(self.ml), text)

    def channel(self, name: str) -> Path:
        """Return the directory of an input channel."""
        return self.ml / "input" / "data" / name

    def checkpoints(self, local_path: str) -> Path:
        """Return the directory that CheckpointConfig's LocalPath names, which is inside like any other.

        Raises:
            JobFailed: It would lead out.
        """
        if ".." in PurePosixPath(local_path).parts:
            raise JobFailed(f"ClientError: the checkpoint path {local_path!r} leads out of the container")
        return self.root / local_path.lstrip("/")

    def failure(self) -> str:
        """Return what the job wrote to ``/opt/ml/output/failure``, as much of it as the service reports."""
        try:
            with (self.ml / "output" / "failure").open(encoding="utf-8", errors="replace") as file:
                return file.read(FAILURE_LIMIT)
        except OSError:
            return ""


def containers(launch: Launch) -> list[Container]:
    """Return the containers of a job, ``algo-1`` first."""
    base = launch.workdir.absolute()
    if len(str(base)) > _LONGEST_BASE or not _SPACELESS.fullmatch(str(base)):
        base = _short_name(launch, base)
    return [Container(host, base / host) for host in hosts(launch)]


def hosts(launch: Launch) -> list[str]:
    """Return the names of a job's hosts."""
    return [f"algo-{number}" for number in range(1, launch.instance_count + 1)]


def discard(launch: Launch) -> None:
    """Delete everything that a job's containers held."""
    shutil.rmtree(launch.workdir, ignore_errors=True)
    _link_of(launch).unlink(missing_ok=True)


def lay_out(container: Container, launch: Launch, channels: Sequence[Channel]) -> None:
    """Make the directories and the configuration files of one host."""
    for directory in ("input/config", "input/data", "model", "output/data", "checkpoints", "code"):
        (container.ml / directory).mkdir(parents=True)
    for directory in ("root", "tmp"):
        (container.root / directory).mkdir()
    if launch.cache is not None:
        cache = (launch.cache / container.host).absolute()
        cache.mkdir(parents=True, exist_ok=True)
        link = container.ml / "sagemaker" / "warmpoolcache"
        link.parent.mkdir()
        link.symlink_to(cache)
    for name, content in _configuration(container, launch, channels).items():
        (container.ml / "input" / "config" / name).write_text(json.dumps(content), encoding="utf-8")


def localise_drivers(container: Container) -> None:
    """Make the SDK's driver scripts, which name ``/opt/ml``, name what stands for it."""
    for path in container.channel("sm_drivers").rglob("*"):
        if not path.is_file() or path.stat().st_size > _LARGEST_DRIVER:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if (local := container.local(text)) != text:
            path.write_text(local, encoding="utf-8")


def command(container: Container, launch: Launch) -> list[str]:
    """Return what the container runs: its entry point and arguments, else the image's ``train``."""
    algorithm = cast("Mapping[str, list[str]]", launch.request.get("AlgorithmSpecification") or {})
    words = [*algorithm.get("ContainerEntrypoint", []), *algorithm.get("ContainerArguments", [])]
    return [container.local(word) for word in words] or ["train"]


def environment(
    container: Container, launch: Launch, commands: Path, aws: Mapping[str, str]
) -> dict[str, str]:
    """Return the whole environment of a job's process; nothing of the emulator's own is in it.

    Args:
        container: The host.
        launch: The job, whose Environment wins over all but the place of ``python3`` and ``pip``.
        commands: The directory that holds those.
        aws: The variables that lead AWS clients to the emulator, with credentials that open nothing else.
    """
    given = cast("Mapping[str, str]", launch.request.get("Environment") or {})
    variables = {
        "HOME": str(container.root / "root"),
        "TMPDIR": str(container.root / "tmp"),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "TRUE",  # as in the service's own images: lines reach the log as they are printed
        "TRAINING_JOB_NAME": launch.name,
        "TRAINING_JOB_ARN": launch.arn,
        "SAGEMAKER_BASE_DIR": str(container.ml),  # where AWS's own training toolkit looks instead of /opt/ml
        **aws,
    }
    if launch.cache is not None:
        variables[CACHE_VARIABLE] = str(container.ml / "sagemaker" / "warmpoolcache")
    variables |= {name: container.local(value) for name, value in given.items()}
    variables |= NO_MACHINE_ROLE
    variables["PATH"] = f"{commands}{os.pathsep}{variables.get('PATH', _SYSTEM_PATH)}"
    return variables


def _configuration(
    container: Container, launch: Launch, channels: Sequence[Channel]
) -> dict[str, dict[str, JSONValue]]:
    """Return the files of ``/opt/ml/input/config``."""
    names: list[JSONValue] = list(hosts(launch))
    group: dict[str, JSONValue] = {
        "instance_group_name": "homogeneousCluster",
        "instance_type": launch.instance_type,
        "hosts": names,
    }
    parameters = cast("dict[str, JSONValue]", launch.request.get("HyperParameters") or {})
    return {
        "hyperparameters.json": {
            name: container.local(value) if isinstance(value, str) else value
            for name, value in parameters.items()
        },
        "inputdataconfig.json": {
            channel.name: {
                "TrainingInputMode": "File",
                "S3DistributionType": "ShardedByS3Key" if channel.sharded else "FullyReplicated",
                "RecordWrapperType": "None",
            }
            for channel in channels
        },
        "resourceconfig.json": {
            "current_host": container.host,
            "current_instance_type": launch.instance_type,
            "current_group_name": "homogeneousCluster",
            "hosts": names,
            "instance_groups": [group],
            # Every host of a job is this machine: its loopback is the network they share.
            "network_interface_name": "lo0" if sys.platform == "darwin" else "lo",
        },
    }


def _short_name(launch: Launch, base: Path) -> Path:
    """Return a short link to a job's directory, made when it is not there.

    The drivers of the SDK do not quote their paths, so no part of one may have a space; and a socket below
    TMPDIR, such as multiprocessing makes, may have a name of about a hundred characters at most.
    """
    link = _link_of(launch)
    link.parent.mkdir(mode=0o700, exist_ok=True)
    if link.parent.stat().st_uid != os.getuid():
        return base  # somebody else took the name: a long one is better than one that is not ours
    if not link.is_symlink():
        link.symlink_to(base)
    return link


def drop_dead_links() -> None:
    """Remove the short names of directories that are gone, which an emulator that was killed left."""
    links = Path(_SHORTEST_ROOT, f"wpfsm-{os.getuid()}")
    if links.is_dir() and links.stat().st_uid == os.getuid():
        for link in links.iterdir():
            if link.is_symlink() and not link.exists():
                link.unlink(missing_ok=True)


def _link_of(launch: Launch) -> Path:
    """Return the short name of a job's directory, in a directory of this user's."""
    digest = hashlib.sha256(os.fsencode(launch.workdir.absolute())).hexdigest()[:12]
    return Path(_SHORTEST_ROOT, f"wpfsm-{os.getuid()}", digest)
