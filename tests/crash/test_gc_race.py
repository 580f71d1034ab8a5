"""``gc --apply`` in a tight loop beside loops that are being started and resumed: it touches none of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from click.testing import CliRunner
from crash_processes import PATIENCE, Cli, Service, serving, until
from crash_runs import SOAK

from wpfsm.cli import cli as command

TYPES = ("ml.m5.large", "ml.m5.xlarge", "ml.m5.2xlarge", "ml.c5.xlarge", "ml.c5.2xlarge")
DETACHED = 11
HANDED_OFF = 10


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One emulator process for this module."""
    with serving(tmp_path_factory.mktemp("emulator")) as service:
        yield service


class Collecting:
    """Runs ``gc --apply`` again and again, in a thread, and keeps what it said."""

    def __init__(self, cli: Cli) -> None:
        self._words = ["gc", "--apply", "--older-than", "0s", "--backend", "local", "-o", "json"]
        self._words += ["--db", str(cli.database), "--endpoint-url", cli.service.url]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.said: list[tuple[int, str]] = []

    def _run(self) -> None:
        while not self._over.is_set():
            result = CliRunner().invoke(command, self._words)
            self.said.append((result.exit_code, result.stdout))

    def __enter__(self) -> Self:
        self._thread.start()
        until(lambda: self.said, "the first gc")
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(PATIENCE)

    @property
    def touched(self) -> list[tuple[int, str]]:
        """The runs that did something, or failed; a pool that was gone when they looked again was not touched."""
        return [(code, out) for code, out in self.said if code != 0 or _acted(json.loads(out))]


def _acted(document: Any) -> bool:
    return bool(document["loops"]) or any(each["outcome"] != "gone" for each in document["released"])


@pytest.mark.soak
def test_gc_touches_no_loop_that_is_being_started(service: Service, tmp_path: Path) -> None:
    """The lock is there before the row, and the child inherits it: nobody sees a loop without a controller."""
    cli = Cli(tmp_path / "cli", service, "gc-start")
    try:
        with Collecting(cli) as collecting:
            for number in range(20 if SOAK else 1):
                kind = TYPES[number % len(TYPES)]
                path = cli.write(runs="sleep 60", rates=[1], instance_type=kind)
                code, said = cli.run("start", path, "--detach")
                assert code == DETACHED, said
                loop = cli.running()
                looked = len(collecting.said)
                until(lambda looked=looked: len(collecting.said) > looked + 1, "another gc")  # type: ignore[misc]
                code, said = cli.run("stop", loop.id)
                assert code == 0, said
                assert str(cli.loop().outcome) == "stopped"  # type: ignore[union-attr]
        assert collecting.touched == []
    finally:
        cli.close()


@pytest.mark.soak
def test_gc_touches_no_loop_that_is_being_resumed(service: Service, tmp_path: Path) -> None:
    """Between the answer to a hand-off and its detached controller the loop is never without a lock."""
    cli = Cli(tmp_path / "cli", service, "gc-resume")
    try:
        rules = [{"when": "any", "do": "handoff", "hold": "10m"}]
        cli.write(runs="exit 3", rates=[1], on_failure=rules)
        code, said = cli.run("start", cli.folder / "gc-resume.yaml")
        assert code == HANDED_OFF, said
        loop = cli.loop()
        assert loop is not None
        with Collecting(cli) as collecting:
            for number in range(20 if SOAK else 1):
                jobs = len(service.jobs(loop.id))
                answer = {"request": "request.json", "max_runtime": f"{6 + number}m"}
                cli.write(runs="exit 3", rates=[1], on_failure=rules, job=answer)
                code, said = cli.run("resume", loop.id, "--accept-changes", "--detach")
                assert code == DETACHED, said
                until(
                    lambda jobs=jobs: len(service.jobs(loop.id)) > jobs and cli.loop().handoff,  # type: ignore[misc,union-attr]
                    "the next hand-off",
                )
        assert collecting.touched == []
        assert cli.loop().outcome is None  # type: ignore[union-attr]
        assert cli.run("resume", loop.id, "--abandon")[0] == 0
    finally:
        cli.close()
