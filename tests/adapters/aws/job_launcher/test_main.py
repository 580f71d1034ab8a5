"""The launcher in a real Python with real pip: what a job's script sees, and what the next job finds."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest
from launcher_containers import PYTHON, Container, with_index

TELL = (
    "import json, os, shutil, subprocess, sys\n"
    "import spam\n"
    "out = subprocess.run(['spam-tell'], capture_output=True, text=True).stdout.split()\n"
    "child = subprocess.run([sys.executable, '-c', 'import spam; print(spam.VERSION)'], capture_output=True, text=True)\n"
    "print(json.dumps({'version': spam.VERSION, 'arguments': sys.argv, 'command': out[-1],\n"
    "                  'child': child.stdout.strip(), 'file': spam.__file__, 'folder': sys.path[0]}), flush=True)\n"
)


def told(log: str) -> dict[str, object]:
    """What the script printed last."""
    answer: dict[str, object] = json.loads(log.strip().splitlines()[-1])
    return answer


def test_second_job_of_a_digest_installs_nothing(container: Container) -> None:
    """Two jobs with the same requirements: the second has the packages of the first, and pip does not run."""
    container.write(requirements="spam==1.0\n", train=TELL)
    code, first = container.run("--lr", "0.1")
    assert code == 0, first
    assert "Successfully installed" in first
    code, second = container.run("--lr", "0.1")
    assert code == 0, second
    assert "Collecting" not in second
    assert "Using cached packages: spam-1.0" in second
    assert "(from the pool's cache)" in second
    assert told(first)["file"] == told(second)["file"]


def test_script_sees_what_the_driver_gives_it(container: Container) -> None:
    """Arguments, the script's own folder first on the path, commands of packages on PATH, and children too."""
    container.write(requirements="spam==1.0\n", train=TELL)
    _, log = container.run("--name", "a b", "--n", "3")
    assert told(log) == {
        "version": "1.0",
        "arguments": ["train.py", "--name", "a b", "--n", "3"],
        "command": "1.0",
        "child": "1.0",
        "file": told(log)["file"],
        "folder": str(container.code),
    }


def test_packages_of_the_image_are_seen_and_not_installed_again(container: Container, tmp_path: Path) -> None:
    """An image that is a virtual environment itself: its packages are counted and imported."""
    own = tmp_path / "image"
    shutil.copytree(container.image, own, symlinks=True)
    packages = own / "lib" / PYTHON / "site-packages"
    shutil.unpack_archive(container.index / "spam-2.0-py3-none-any.whl", packages, "zip")
    container.image = own
    container.write(
        requirements="eggs==1.0\n", train="import spam, eggs\nprint(spam.__file__, eggs.VERSION)\n"
    )
    code, log = container.run()
    assert code == 0, log
    assert str(packages / "spam.py") in log
    assert "spam-" not in log.partition("Would install")[2].partition("\n")[0]


def test_exit_code_and_traceback_are_the_scripts_own(container: Container) -> None:
    """No frame of the launcher, and the script's exit code."""
    container.write(requirements="spam==1.0\n", train="import sys\ndef f():\n    1 / 0\nf()\n")
    code, log = container.run()
    assert code == 1
    trace = log.partition("Traceback")[2]
    assert "ZeroDivisionError" in trace
    assert "job_launcher" not in trace
    container.write(train="import sys\nsys.exit(7)\n")
    assert container.run()[0] == 7


def test_signal_reaches_the_script(container: Container) -> None:
    """The launcher is gone when the script runs: SIGTERM is the script's to handle."""
    container.write(
        requirements="spam==1.0\n",
        train="import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
        "print('waiting', flush=True)\nsignal.pause()\n",
    )
    job = container.start()
    assert job.stdout is not None
    assert any("waiting" in line for line in iter(job.stdout.readline, ""))
    job.send_signal(signal.SIGTERM)
    assert job.wait(timeout=30) == 9
    job.stdout.close()


def test_shell_entry_runs_in_the_environment(container: Container) -> None:
    """A shell script as entry finds the packages through ``python3`` on PATH."""
    container.write(requirements="spam==1.0\n")
    (container.code / "train.sh").write_text(
        '#!/bin/sh\npython3 -c "import spam; print(spam.VERSION)" && echo "$2"\n'
    )
    code, log = container.run("--name", "a b", entry="train.sh")
    assert code == 0, log
    assert log.endswith("1.0\na b\n")


def test_files_of_the_user_shadow_nothing_of_ours(container: Container) -> None:
    """A source with a json.py, a pip.py and a folder named like a requirement."""
    container.write(json="raise SystemExit('shadowed')\n", pip="raise SystemExit('shadowed')\n")
    (container.code / "spam").mkdir()
    container.write(requirements="spam==1.0\n", train="print('ran')\n")
    code, log = container.run()
    assert code == 0, log
    assert "shadowed" not in log
    assert "packages ready" in log


def test_requirements_that_no_index_has_fail_the_job_with_pips_words(container: Container) -> None:
    """The class of the failure is read from pip's words; it is not tried a second time."""
    container.write(requirements="spam==9.9\n", train=TELL)
    code, log = container.run()
    assert code == 1
    assert (
        log.count("No matching distribution found for spam==9.9") == 2
    )  # pip's line, and ours that repeats it
    assert container.kept() == []


@pytest.mark.parametrize(
    "how", ["a file in the way", "CodeArtifact", "a folder as requirement", "no such place"]
)
def test_what_is_not_expected_falls_back_to_the_sdks_installation(container: Container, how: str) -> None:
    """One line says why, and the image's own Python gets the packages."""
    container.write(requirements="spam==1.0\n", train=TELL)
    own = container.root / "own-image"
    shutil.copytree(container.image, own, symlinks=True)
    container.image = own
    if how == "a file in the way":
        container.cache.mkdir()
        (container.cache / "packages").write_text("")
    elif how == "CodeArtifact":
        container.environment["CA_REPOSITORY_ARN"] = "arn:aws:codeartifact:eu-west-1:1:repository/d/r"
    elif how == "no such place":
        container.environment["WPFSM_PACKAGES_DIR"] = "/proc/version/packages"
    else:
        package = container.code / "lib"
        package.mkdir()
        (package / "pyproject.toml").write_text("")
        container.write(requirements="spam==1.0\n-e ./nothing\n")
    code, log = container.run()
    assert log.count("packages are not kept") == 1
    if how == "a folder as requirement":
        assert code != 0  # and pip says that there is no such folder
        assert "nothing" in log
    else:
        assert code == 0, log
        assert str(own) in str(told(log)["file"])


def test_a_changed_pin_is_another_environment(container: Container) -> None:
    """A pin that changes gives the new version, and going back gives the old one at once."""
    container.write(requirements="eggs==1.0\nspam==1.0\n", train=TELL)
    container.run()
    container.write(requirements="eggs==1.0\nspam==2.0\n")
    code, log = container.run()
    assert code == 0, log
    assert told(log)["version"] == told(log)["command"] == "2.0"
    container.write(requirements="eggs==1.0\nspam==1.0\n")
    _, log = container.run()
    assert told(log)["version"] == "1.0"
    assert "from the pool's cache" in log


def test_nested_files_and_constraints_are_part_of_the_digest(container: Container) -> None:
    """What ``-r`` and ``-c`` name decides what is installed, and so the digest."""
    container.write(requirements="-r base.txt\n-c limits.txt\n", train=TELL)
    (container.code / "base.txt").write_text("spam\n")
    (container.code / "limits.txt").write_text("spam==1.0\n")
    _, log = container.run()
    assert told(log)["version"] == "1.0"
    (container.code / "limits.txt").write_text("spam==2.0\n")
    _, log = container.run()
    assert told(log)["version"] == "2.0"


def test_an_image_that_changed_is_another_digest(container: Container, tmp_path: Path) -> None:
    """The same tag with other packages in it: what was kept for the old image is not taken."""
    own = tmp_path / "image"
    shutil.copytree(container.image, own, symlinks=True)
    container.image = own
    container.write(requirements="spam==1.0\n", train=TELL)
    container.run()
    (own / "lib" / PYTHON / "site-packages" / "ham-3.0.dist-info").mkdir()
    _, log = container.run()
    assert "from the pool's cache" not in log


@pytest.mark.network
def test_uv_installs_what_pip_resolved(container: Container) -> None:
    """With an index: uv comes once for each pool, and links what pip found."""
    with_index(container)
    container.write(requirements="tabulate==0.9.0\n", train="import tabulate\nprint(tabulate.__version__)\n")
    code, log = container.run()
    assert code == 0, log
    assert (container.cache / "packages" / "uv-tool" / "bin" / "uv").exists()
    assert "Successfully installed tabulate-0.9.0" in log
    freeze = next((container.cache / "packages").glob("*/lib/*/site-packages/tabulate-*.dist-info"))
    assert not (freeze / "direct_url.json").exists()
    container.write(requirements="tabulate==0.10.0\n")
    code, log = container.run()
    assert (code, log.splitlines()[-1]) == (0, "0.10.0")
