"""The environments that a pool keeps: whole, one at a time, the newest."""

from __future__ import annotations

import json
import time

from launcher_containers import Container, make_wheel

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


def test_what_a_job_installs_no_other_job_sees(container: Container) -> None:
    """A script that installs at run time changes neither the kept packages nor the next job's."""
    installs = (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', 'spam==2.0'], check=True)\n" + TELL
    )
    container.write(requirements="spam==1.0\n", train=installs)
    _, log = container.run()
    assert told(log)["version"] == "2.0"
    container.write(train=TELL)
    _, log = container.run()
    assert told(log)["version"] == "1.0"
    assert "from the pool's cache" in log


def test_a_job_killed_while_it_installs_leaves_no_half(container: Container) -> None:
    """Killed between its first and its last file: the next job builds the environment anew, and whole."""
    container.write(requirements="spam==1.0\n", train=TELL)
    job = container.start()
    deadline = time.monotonic() + 60
    while not list((container.cache / "packages").glob("*.half")) and time.monotonic() < deadline:
        time.sleep(0.005)
    job.kill()
    job.communicate()
    assert [name for name in container.kept() if not name.endswith(".half")] == []
    code, log = container.run()
    assert code == 0, log
    assert told(log)["version"] == "1.0"
    assert len(container.kept()) == 1


def test_processes_of_one_host_do_not_race(container: Container) -> None:
    """Three at once: one installs, the others wait and use what it made."""
    container.write(requirements="spam==1.0\n", train=TELL)
    jobs = [container.start() for _ in range(3)]
    logs = [job.communicate(timeout=120)[0] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0, 0], logs
    assert sum("Would install" in log for log in logs) == 1
    assert len(container.kept()) == 1


def test_a_pool_keeps_the_newest_environments(container: Container) -> None:
    """The cache does not grow with every pin that a loop tries."""
    container.write(train="print('ran')\n")
    for number in range(6):
        make_wheel(container.root / "more", f"pkg{number}", "1.0")
    container.environment["PIP_FIND_LINKS"] = str(container.root / "more")
    for number in range(6):
        container.write(requirements=f"pkg{number}\n")
        assert container.run()[0] == 0
    assert len(container.kept()) == 4
    container.write(requirements="pkg5\n")
    assert "from the pool's cache" in container.run()[1]
