"""Builds the small packages that this example installs, so that it needs no package index.

    python build_wheels.py src/wheels

``framekit 2.0`` needs ``tablekit 2``; ``numkit 2`` no longer has ``total``; ``chartkit`` is in no requirement.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

WHEELS: tuple[tuple[str, str, str, Sequence[str]], ...] = (
    ("chartkit", "1.0", "def line(numbers):\n    return ' '.join(f'{n:.3f}' for n in numbers)\n", ()),
    ("framekit", "2.0", "import tablekit\n\nROWS = tablekit.rows(4)\n", ("tablekit>=2",)),
    ("tablekit", "1.0", "def rows():\n    return [0]\n", ()),
    ("tablekit", "2.1", "def rows(count):\n    return list(range(count))\n", ()),
    ("numkit", "1.4", "def total(numbers):\n    return sum(numbers)\n", ()),
    ("numkit", "2.0", "def reduce_sum(numbers):\n    return sum(numbers)\n", ()),
)
"""Name, version, the module's text, requirements."""


def build(name: str, version: str, text: str, requires: Sequence[str], folder: Path) -> Path:
    """Write one wheel; the same content makes the same bytes."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    files = {
        f"{name}/__init__.py": text,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: build_wheels\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), content)
    return wheel


def build_all(folder: Path) -> list[Path]:
    """Every wheel of the example."""
    return [build(*wheel, folder) for wheel in WHEELS]


if __name__ == "__main__":
    for built in build_all(Path(sys.argv[1])):
        print(built)
