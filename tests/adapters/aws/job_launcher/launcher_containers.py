"""A training container as far as the launcher sees one: an image's Python, the code, a cache, a local index."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pip

from wpfsm.adapters.aws import launcher


def make_image(place: Path) -> Path:
    """A Python environment with pip and nothing else, which stands for an image."""
    venv.create(place, with_pip=False, symlinks=True)
    packages = next(place.glob("lib/python*/site-packages"))
    there = Path(pip.__file__).parent
    shutil.copytree(there, packages / "pip", ignore=shutil.ignore_patterns("__pycache__"))
    info = next(there.parent.glob("pip-*.dist-info"))
    shutil.copytree(info, packages / info.name)
    return place


def make_wheel(index: Path, name: str, version: str, *, requires: str = "", module: str = "") -> Path:
    """A wheel with one module, which knows its version, and one command, which prints it."""
    index.mkdir(exist_ok=True)
    path = index / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    body = f"VERSION = {version!r}\n{module}\ndef main():\n    print({name!r}, VERSION, flush=True)\n"
    files = {
        f"{name}.py": body,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-tell = {name}:main\n",
    }
    record = "".join(f"{each},,\n" for each in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for each, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(each, text)
    return path


@dataclass
class Container:
    """One job after another on the hosts of one pool."""

    root: Path
    image: Path
    index: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.code = self.root / "input" / "data" / "code"
        self.code.mkdir(parents=True)
        self.cache = self.root / "cache"
        for name, content in launcher.launcher_files():
            file = self.code / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    def write(self, **files: str) -> None:
        """Write files of the source: ``train`` is train.py, ``requirements`` is requirements.txt."""
        for name, text in files.items():
            (self.code / f"{name}{'.txt' if name == 'requirements' else '.py'}").write_text(text)

    def start(self, *arguments: str, entry: str = "train.py") -> subprocess.Popen[str]:
        """Start a job as the SDK's driver does."""
        variables = {
            "PATH": f"{self.image / 'bin'}:/usr/bin:/bin",
            "HOME": str(self.root),
            "TMPDIR": str(self.root),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.index),
            "PIP_CACHE_DIR": str(self.cache / "pip"),
            "UV_CACHE_DIR": str(self.cache / "uv"),
            "WPFSM_ENTRY": entry,
            "WPFSM_REQUIREMENTS": "requirements.txt",
            "WPFSM_PACKAGES_DIR": str(self.cache / "packages"),
            **self.environment,
        }
        return subprocess.Popen(
            [self.image / "bin" / "python3", launcher.ENTRY, *arguments],
            cwd=self.code,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, entry: str = "train.py") -> tuple[int, str]:
        """Run a job to its end; its exit code and its log."""
        job = self.start(*arguments, entry=entry)
        log, _ = job.communicate(timeout=120)
        return job.returncode, log

    def kept(self) -> list[str]:
        """The environments in the pool's cache, and any half of one."""
        folder = self.cache / "packages"
        return sorted(p.name for p in folder.glob("*") if p.is_dir() and p.name != "uv-tool")


def with_index(container: Container) -> None:
    """Let a container use this machine's own package index, too."""
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        container.environment[name] = ""
    names = (
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "PIP_FIND_LINKS",
        "PIP_CERT",
        "SSL_CERT_FILE",
        "HTTPS_PROXY",
    )
    container.environment |= {name: os.environ[name] for name in names if name in os.environ}


PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
