"""uv, where there is one: it resolves in a second what takes pip half a minute, and links instead of copying.

It does not count what the image brings, so its answer is taken only where that makes no difference: a package that
the image has in another version is pip's to decide. It does not read pip's settings either; they are handed over.
"""

from __future__ import annotations

import configparser
import glob
import os
import re
import shutil
import subprocess
import sys

from .digest import installed
from .environments import PIP, packages_of, say

UV = "uv>=0.5,<1"
SECONDS = 120
"""How long a job waits for uv's own wheel (20 MB), once for each pool."""

_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^\s;]+)(?:\s*;.*)?$")
_MEANS_NOTHING = frozenset(
    [
        "cache-dir",
        "no-cache-dir",
        "compile",
        "disable-pip-version-check",
        "no-input",
        "timeout",
        "default-timeout",
        "retries",
        "progress-bar",
        "prefer-binary",
        "root-user-action",
        "break-system-packages",
        "no-warn-script-location",
        "quiet",
        "no-color",
    ]
)
"""Settings of pip that decide nothing about what is installed."""


def find(python: str, root: str) -> str | None:
    """The image's uv, else one of the pool's own, fetched once; None where there is none to be had."""
    own = os.path.join(root, "uv-tool")
    there = shutil.which("uv") or shutil.which("uv", path=os.path.join(own, "bin"))
    if there or os.path.isdir(own):
        return there
    half = own + ".half"
    words = ["install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target", half, UV]
    try:
        done = subprocess.run(
            [python, "-c", PIP, *words, "--no-input", "--disable-pip-version-check"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
        )
        if done.returncode:
            say("there is no uv on the index; pip installs")
    except subprocess.TimeoutExpired:
        say("uv did not arrive in time; pip installs")
    # An empty folder says that it was tried: the pool's next job does not wait for it again.
    os.makedirs(half, exist_ok=True)
    os.rename(half, own)
    return shutil.which("uv", path=os.path.join(own, "bin"))


def resolve(uv: str, python: str, half: str, requirements: str, brought: list[str]) -> list[str] | None:
    """What is missing beside the image's packages, pinned.

    Returns:
        Lines of a requirements file; None where uv cannot tell, and pip must.
    """
    options = index_options()
    if options is None:
        return None
    image = dict(_named(stem) for stem in installed(brought))
    pins = os.path.join(half, "pins.txt")
    with open(pins, "w", encoding="utf-8") as file:
        # An output file that exists holds what uv prefers.
        file.writelines(f"{name}=={version}\n" for name, version in sorted(image.items()))
    words = ["pip", "compile", "--quiet", "--python", python, "--no-header", "--no-annotate", "--no-config"]
    words += ["--no-emit-index-url", "--no-emit-find-links", requirements, "--output-file", pins]
    if _run(uv, [*words, *options], quiet=True):
        return None
    missing = []
    with open(pins, encoding="utf-8") as file:
        for line in file.read().splitlines():
            pinned = _PINNED.match(line)
            if not pinned:
                return None
            name, version = _canonical(pinned.group("name")), pinned.group("version")
            if name not in image:
                missing.append(line)
            elif image[name] != version:
                return None
    return missing


def install(uv: str, python: str, half: str, lines: list[str]) -> bool:
    """Install exactly some lines of a requirements file; whether it could."""
    exact = os.path.join(half, "exact.txt")
    with open(exact, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
    words = ["pip", "install", "--quiet", "--python", python, "--no-deps", "--no-config", "-r", exact]
    if _run(uv, [*words, *(index_options() or [])]):
        say("uv could not install them, pip does")
        return False
    # Otherwise `pip freeze` would show addresses instead of versions.
    for address in glob.glob(os.path.join(glob.escape(packages_of(half)), "*.dist-info", "direct_url.json")):
        os.remove(address)
    # In pip's words, from which the versions of a failed job are read.
    print("Successfully installed", *sorted(installed([packages_of(half)])), flush=True)
    return True


def index_options() -> list[str] | None:
    """Pip's settings in uv's words; None where one of them cannot be said."""
    options = ["--index-strategy", "unsafe-best-match"]
    for name, value in _settings().items():
        words = value.split()
        if name in ("index-url", "extra-index-url", "find-links", "trusted-host", "constraint"):
            option = "allow-insecure-host" if name == "trusted-host" else name
            options += [word for each in words for word in ("--" + option, each)]
        elif name == "no-index":
            options += ["--no-index"] if value.lower() in ("1", "true", "yes", "on") else []
        elif name not in _MEANS_NOTHING and name not in ("cert", "proxy") and value:
            return None
    return options


def _run(uv: str, words: list[str], quiet: bool = False) -> int:
    settings = _settings()
    variables = {**os.environ, "UV_SYSTEM_CERTS": "true"}
    if settings.get("cert"):
        variables["SSL_CERT_FILE"] = settings["cert"]
    if settings.get("proxy"):
        variables["HTTPS_PROXY"] = variables["HTTP_PROXY"] = settings["proxy"]
    errors = subprocess.DEVNULL if quiet else None
    return subprocess.call(
        [uv, *words], stdin=subprocess.DEVNULL, stderr=errors, stdout=errors, env=variables
    )


def _settings() -> dict[str, str]:
    """What pip is told, by its files and its variables, weakest first (pip user guide, "Configuration")."""
    home = os.path.expanduser("~")
    files = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", os.path.join(home, ".pip", "pip.conf")]
    files += [
        os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "pip", "pip.conf")
    ]
    files += [os.path.join(sys.prefix, "pip.conf"), os.environ.get("PIP_CONFIG_FILE", "")]
    found: dict[str, str] = {}
    for path in files:
        parser = configparser.RawConfigParser()
        parser.read(path or os.devnull)
        for section in ("global", "install"):
            if parser.has_section(section):
                found.update((name.replace("_", "-"), value) for name, value in parser.items(section))
    for name, value in os.environ.items():
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE":
            found[name[4:].lower().replace("_", "-")] = value
    return found


def _named(stem: str) -> tuple[str, str]:
    """Name and version of a metadata folder's name."""
    name, _, version = stem.partition("-")
    return _canonical(name), version.partition("-")[0]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
