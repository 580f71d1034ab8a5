"""What decides which kept environment a job gets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from launcher_containers import PYTHON, Container

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
