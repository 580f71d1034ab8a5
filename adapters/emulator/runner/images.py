"""Images: which Python environment stands for a container image, and a fresh copy of it for each job.

A container starts from its image every time: what one job installs, the next does not see. The copy is a
virtual environment made by hand, because ``venv`` takes seconds and this takes a few milliseconds: a
``pyvenv.cfg``, links to the interpreter, and one ``.pth`` file that shows the image's packages. pip works
inside it and installs into it alone.
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from wpfsm.adapters.emulator.runner.base import NO_IMAGE, JobFailed

_ASK = (
    "import json, site, sys, sysconfig;"
    "print(json.dumps({'base': getattr(sys, '_base_executable', None) or sys.executable,"
    " 'version': sys.version.split()[0], 'packages': site.getsitepackages(), 'bin': sysconfig.get_path('scripts')}))"
)
HOST_NAMES = "wpfsm_algo_hosts"
"""The module that makes the names of a job's hosts known to its Python programs."""

_HOST_NAMES_SOURCE = Path(__file__).with_name("algo_hosts.py").read_text(encoding="utf-8")

_PIP = '#!/bin/sh\nexec "$(dirname "$0")/python3" -m pip "$@"\n'


@dataclass(frozen=True, slots=True)
class Image:
    """What an interpreter answered about itself.

    Attributes:
        base: The interpreter that a virtual environment must point at.
        version: For instance ``3.11.7``.
        packages: Its directories of installed packages.
        scripts: Its directory of commands.
    """

    base: Path
    version: str
    packages: tuple[Path, ...]
    scripts: Path


class Images:
    """Finds the image of a job; builds the default one when it is first needed."""

    def __init__(self, root: Path, environments: Mapping[str, Path]) -> None:
        """Keep what is needed to find an image.

        Args:
            root: Where the default image is kept.
            environments: TrainingImage URI, or a shell pattern of such, to a virtual environment or an interpreter.
        """
        self._root = root
        self._environments = dict(environments)
        self._building = threading.Lock()

    def find(self, uri: str | None) -> Image:
        """Return the image for a TrainingImage URI; the default one when nobody named an environment for it.

        Raises:
            JobFailed: The environment named for it has no working interpreter.
        """
        environment = self._named(uri or "")
        if environment is None:
            return self._default()
        candidates = (environment, environment / "bin" / "python3", environment / "bin" / "python")
        interpreter = next((path for path in candidates if path.is_file()), None)
        if interpreter is None:
            raise _no_image(uri, f"there is no Python interpreter at {environment}")
        try:
            return _ask(interpreter)
        except (OSError, subprocess.CalledProcessError) as error:
            raise _no_image(uri, str(error)) from error

    def is_plain(self, uri: str | None) -> bool:
        """Tell whether nobody named an environment for an image, so that the plain one stands for it."""
        return self._named(uri or "") is None

    def _named(self, uri: str) -> Path | None:
        """Return the environment of an image: by its whole URI, else by the first pattern that matches it."""
        if uri in self._environments:
            return self._environments[uri]
        matching = (path for pattern, path in self._environments.items() if fnmatchcase(uri, pattern))
        return next(matching, None)

    def _default(self) -> Image:
        """Return the plain image: this interpreter, pip, and nothing else."""
        version = ".".join(map(str, sys.version_info[:3]))
        packages = self._root / f"python-{version}"
        with self._building:
            if not packages.is_dir():
                _install_pip(packages)
        base = Path(getattr(sys, "_base_executable", None) or sys.executable)
        return Image(base, version, (packages,), scripts=packages / "bin")


def make_environment(image: Image, directory: Path, pip_configuration: str) -> Path:
    """Make a fresh virtual environment from an image.

    Args:
        image: What it starts from.
        directory: Where it is made; must not exist.
        pip_configuration: The text of its ``pip.conf``.

    Returns:
        The directory of its commands, which goes on PATH.
    """
    commands = directory / "bin"
    minor = ".".join(image.version.split(".")[:2])
    packages = directory / "lib" / f"python{minor}" / "site-packages"
    commands.mkdir(parents=True)
    packages.mkdir(parents=True)
    for name in ("python3", "python", f"python{minor}"):
        (commands / name).symlink_to(image.base)
    for name in ("pip", "pip3"):
        _write_command(commands / name, _PIP)
    for script in _python_scripts(image.scripts):
        if not (commands / script.name).exists():
            _write_command(
                commands / script.name, f'#!/bin/sh\nexec "$(dirname "$0")/python3" "{script}" "$@"\n'
            )
    shown = "".join(f"import site; site.addsitedir({os.fspath(path)!r})\n" for path in image.packages)
    (packages / f"{HOST_NAMES}.py").write_text(_HOST_NAMES_SOURCE, encoding="utf-8")
    shown = f"import {HOST_NAMES}\n{shown}"
    (packages / "image.pth").write_text(shown, encoding="utf-8")
    (directory / "pip.conf").write_text(pip_configuration, encoding="utf-8")
    (directory / "pyvenv.cfg").write_text(
        f"home = {image.base.parent}\ninclude-system-site-packages = false\nversion = {image.version}\n",
        encoding="utf-8",
    )
    return commands


@functools.cache
def _ask(interpreter: Path) -> Image:
    answer = subprocess.run(
        [interpreter, "-I", "-c", _ASK], capture_output=True, check=True, text=True, env={"PATH": os.defpath}
    )
    told = json.loads(answer.stdout)
    packages = tuple(Path(path) for path in told["packages"])
    return Image(Path(told["base"]), told["version"], packages, Path(told["bin"]))


@functools.cache
def _python_scripts(directory: Path) -> tuple[Path, ...]:
    """Return the commands of an image that run in its interpreter: a job's must run in the job's own."""
    if not directory.is_dir():
        return ()
    return tuple(path for path in directory.iterdir() if path.is_file() and _starts_python(path))


def _starts_python(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline(512)
    return first.startswith(b"#!") and b"python" in first


def _write_command(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _install_pip(packages: Path) -> None:
    """Put pip into a directory: a copy of the one here, or the wheel that comes with Python.

    The directory appears whole or not at all, so that a build that was killed is built again.
    """
    packages.parent.mkdir(parents=True, exist_ok=True)
    unfinished = packages.with_name(f"{packages.name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        pip = importlib.metadata.distribution("pip")
    except importlib.metadata.PackageNotFoundError:
        _unpack_bundled_pip(unfinished)
    else:
        here = Path(str(pip.locate_file("")))
        for name in ("pip", f"pip-{pip.version}.dist-info"):
            shutil.copytree(here / name, unfinished / name)
    unfinished.rename(packages)


def _unpack_bundled_pip(target: Path) -> None:
    import ensurepip

    bundled = Path(ensurepip.__file__).parent / "_bundled"
    for wheel in bundled.glob("pip-*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)


def _no_image(uri: str | None, why: str) -> JobFailed:
    return JobFailed(
        f"{NO_IMAGE} Either the image does not exist or its permissions are incorrect. ({uri}: {why})"
    )
