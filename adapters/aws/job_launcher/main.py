"""From the container's start to the user's script."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import time
from typing import NoReturn

from .build import Failed, build, forget_old, locked
from .digest import NotCached, image_folders, installed, key
from .environments import PIP, add_commands, make_environment, packages_of, say


def main() -> None:
    """Prepare the packages, then become the script."""
    entry, requirements = os.environ["WPFSM_ENTRY"], os.environ["WPFSM_REQUIREMENTS"]
    began = time.monotonic()
    python, kept = sys.executable, False
    try:
        python, kept = prepare(
            requirements, os.environ["WPFSM_PACKAGES_DIR"], os.environ.get("WPFSM_IMAGE", "")
        )
    except Failed as error:
        say(f"the requirements could not be installed: {error}")
        sys.exit(1)
    except Exception as error:
        say(
            "packages are not kept (%s); the SDK's own installation follows"
            % (str(error) or type(error).__name__)
        )
        install_plainly(requirements)
    how = "from the pool's cache" if kept else "installed"
    say(f"packages ready in {time.monotonic() - began:.2f} s ({how})")
    become(python, entry, sys.argv[1:])


def prepare(requirements: str, root: str, image: str) -> tuple[str, bool]:
    """Make sure of the packages and lay an environment for this job over them.

    Returns:
        The environment's interpreter, and whether the packages were there already.

    Raises:
        Failed: pip cannot install the requirements.
        NotCached: They cannot be kept: the SDK's own way is needed.
    """
    if os.environ.get("CA_REPOSITORY_ARN"):
        raise NotCached("the index is CodeArtifact, for which the SDK signs in")
    if os.environ.get("PYTHONHOME"):
        raise NotCached("PYTHONHOME is set")
    root = os.path.realpath(root)
    os.makedirs(root, exist_ok=True)
    brought = image_folders()
    name = key(requirements, image, brought)
    place = os.path.join(root, name)
    with locked(os.path.join(root, "lock")):
        kept = os.path.isdir(place)
        if kept:
            os.utime(place)
        else:
            build(place, requirements, brought)
            forget_old(root)
    own = tempfile.mkdtemp(prefix="wpfsm-")
    python = make_environment(own, [packages_of(place), *brought])
    add_commands(own, os.path.join(place, "bin"), sysconfig.get_path("scripts"))
    # Asked once, before the script depends on it: a folder that must not run programs shows here.
    if subprocess.call([python, "-c", "pass"], stdin=subprocess.DEVNULL):
        raise NotCached("the environment's Python does not start")
    if kept:
        names = sorted(installed([packages_of(place)]))
        say("Using cached packages: %s" % (" ".join(names) or "none, the image brings them all"))
    return python, kept


def become(python: str, entry: str, arguments: list[str]) -> NoReturn:
    """Replace this process by the script's."""
    variables = dict(os.environ)
    if python != sys.executable:
        folder = os.path.dirname(python)
        variables["PATH"] = folder + os.pathsep + variables.get("PATH", os.defpath)
        variables["VIRTUAL_ENV"] = os.path.dirname(folder)
    sys.stdout.flush()
    if entry.endswith(".sh"):
        # As the SDK's driver starts one.
        words = " ".join(shlex.quote(word) for word in arguments)
        script = shlex.quote(entry)
        os.execve("/bin/sh", ["/bin/sh", "-c", f"chmod +x {script} && ./{script} {words}"], variables)
    os.execve(python, [python, entry, *arguments], variables)


def install_plainly(requirements: str) -> None:
    """Install into the image's own Python, with the SDK's script where its driver has one."""
    channels = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    script = os.path.join(channels, "sm_drivers", "scripts", "install_requirements.py")
    if os.path.isfile(script):
        code = subprocess.call([sys.executable, script, requirements])
    else:
        code = subprocess.call([sys.executable, "-c", PIP, "install", "-r", requirements])
    if code:
        sys.exit(code)
