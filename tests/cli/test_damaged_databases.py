"""Databases that are damaged inside, at seeded places: every verb explains itself, and gc releases all the same."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cli_bench import BROKEN, Bench
from click.testing import CliRunner

from wpfsm.adapters.emulator.launch import ask
from wpfsm.cli import cli

SOAK = bool(os.environ.get("WPFSM_SOAK"))
SEEDS = 60
RELEASING = range(SEEDS if SOAK else 4)
TABLE = frozenset({0, 1, 2, 3, 4, 5, 6, 10, 11, 20, 30, 75, 130, 143})
TEXTS = (
    b"CREATE TABLE loops",
    b"hyperparameters",
    b"instance_type",
    b"Diagnosing",
    b"strategy",
    b"keep_alive",
)
"""What a damage is aimed at in a third of the files: the schema's text, a cell of the loop file, a state."""


def damaged(content: bytes, seed: int) -> bytes:
    """A copy with damage: bytes overwritten, a text that lost a letter, a page that is gone, or a short file."""
    dice = random.Random(seed)
    data = bytearray(content)
    kind = dice.choice(["bytes", "bytes", "text", "text", "page", "short", "version"])
    if kind == "bytes":
        for _ in range(dice.choice([1, 8, 200])):
            data[dice.randrange(100, len(data))] = dice.randrange(256)
    elif kind == "text":
        words = dice.choice([text for text in TEXTS if text in content])
        places = [at for at in range(len(content)) if content.startswith(words, at)]
        data[dice.choice(places) + dice.randrange(len(words))] = dice.choice([0xFF, 0x00, 0x22, 0x7A])
    elif kind == "page":
        page = dice.randrange(1, len(data) // 4096)
        data[page * 4096 : (page + 1) * 4096] = bytes(4096)
    elif kind == "short":
        del data[dice.randrange(200, len(data)) :]
    else:
        data[60:64] = dice.randrange(2).to_bytes(4, "big")
    return bytes(data)


def test_every_verb_explains_a_damaged_database(finished: Bench, tmp_path: Path) -> None:
    """Whatever is wrong inside the file: a code of the table, no unexpected error, and a fix where one is due."""
    content = finished.database.read_bytes()
    loops = [name for name, *_ in sqlite3.connect(finished.database).execute("select id from loops")]
    unexplained: list[Any] = []
    for seed in range(SEEDS):
        path = tmp_path / f"{seed}.db"
        path.write_bytes(damaged(content, seed))
        verbs = [
            ["inspect"],
            ["inspect", loops[seed % 2], "--events"],
            ["wait", loops[seed % 2], "--timeout", "0s"],
        ]
        verbs += [["logs", loops[seed % 2]], ["explain", loops[seed % 2]], ["inspect", loops[seed % 2]]]
        for words in verbs:
            ran = CliRunner().invoke(
                cli, [*words, "--db", str(path), "--endpoint-url", finished.url, "-o", "json"]
            )
            if (
                ran.exit_code not in TABLE
                or re.search(r"unexpected \w+(Error|Exception)", ran.output)
                or not isinstance(ran.exception, SystemExit | type(None))
            ):
                unexplained.append((seed, words, ran.exit_code, ran.output[-300:]))
            elif ran.exit_code == 75:
                error = json.loads(ran.stdout.splitlines()[-1])["error"]
                if not error["fix"]:
                    unexplained.append((seed, words, error))
    assert unexplained == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", RELEASING)
def test_gc_releases_what_a_damaged_database_owns(bench: Bench, seed: int) -> None:
    """A loop that waits with its pool, and a file that cannot be trusted: the pool is found by its job's tag."""
    assert bench.run("start", bench.loop(f"damage-{seed}", BROKEN)).code == 10
    job = bench.document(f"damage-{seed}")["jobs"][0]["name"]
    content = bench.database.read_bytes()
    with contextlib.suppress(FileNotFoundError):
        bench.database.with_name("wpfsm.db-journal").unlink()
    bench.database.write_bytes(damaged(content, 1000 + seed))
    looked = bench.run("doctor", "--backend", "local")
    assert looked.code in TABLE
    assert not re.search(r"unexpected \w+(Error|Exception)", looked.out + looked.err)
    ran = bench.run("gc", "--apply", "--older-than", "0s", "--backend", "local")
    assert not re.search(r"unexpected \w+(Error|Exception)", ran.out + ran.err)
    if status_of(bench, job) == "Available":
        # The damage missed what tells that somebody holds this pool: then it is left alone, as it should be.
        assert bench.run("release", "--job", job, "--backend", "local").code in (0, 30)
    assert status_of(bench, job) == "Terminated", ran


def status_of(bench: Bench, job: str) -> str:
    """The status of a job's pool, by the service's own records."""
    records: Any = ask(bench.url, "GET", "records")
    return str(next(row["pool_status"] for row in records["jobs"] if row["name"] == job))
