"""Databases that are damaged inside, at seeded places: every verb explains itself, and gc releases all the same."""

from __future__ import annotations

import os
import random
import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from cli_bench import BROKEN, NO_ROOM, Bench, wait_for
from click.testing import CliRunner, Result

from wpfsm.cli import cli

SOAK = os.environ.get("WPFSM_SOAK", "0") != "0"
SEEDS = range(60)
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


ROLE = "arn:aws:iam::123456789012:role/damage"
GC = ["gc", "--apply", "--older-than", "0s", "--backend", "aws", "--region", "us-east-1"]


class Accounts:
    """An account for each seed, in which the job of one loop left its pool: what one gc releases is one seed's."""

    def __init__(self, bench: Bench) -> None:
        made = {"AWS_ACCESS_KEY_ID": key_of(-1), "AWS_SECRET_ACCESS_KEY": "none"}
        started = bench.run(
            "start", bench.loop("damage", BROKEN), "--backend", "aws", "--set", f"pool.role={ROLE}", **made
        )
        assert started.code == 10, started.err
        self.bench = bench
        self.loop = str(bench.document("damage")["loop"]["id"])
        self.job = f"{self.loop}-001"
        local = self.client(key_of(-1))
        found = local.describe_training_job(TrainingJobName=self.job)
        names = (
            "AlgorithmSpecification",
            "RoleArn",
            "OutputDataConfig",
            "ResourceConfig",
            "StoppingCondition",
        )
        self._request = {name: found[name] for name in names} | {
            "Tags": local.list_tags(ResourceArn=found["TrainingJobArn"])["Tags"]
        }
        self._request["AlgorithmSpecification"] = {
            "TrainingImage": "image", "TrainingInputMode": "File", "ContainerEntrypoint": ["true"]
        }  # fmt: skip
        with sqlite3.connect(
            bench.database
        ) as connection:  # held no longer: whoever looks takes it for abandoned
            connection.execute("update loops set hold_until = 1 where id = ?", (self.loop,))
        connection.close()
        self.content = bench.database.read_bytes()

    def client(self, key: str) -> Any:
        return boto3.client(
            "sagemaker", endpoint_url=self.bench.url, region_name="us-east-1",
            aws_access_key_id=key, aws_secret_access_key="none",
        )  # fmt: skip

    def fill(self, seed: int) -> None:
        self.client(key_of(seed)).create_training_job(TrainingJobName=self.job, **self._request)

    def status(self, seed: int) -> str:
        found = self.client(key_of(seed)).describe_training_job(TrainingJobName=self.job)
        return str(found.get("WarmPoolStatus", {}).get("Status"))


def key_of(seed: int) -> str:
    """The access key of a seed's account: twelve digits are an account of their own."""
    return f"{100_000_000_000 + seed}"


def run(words: Sequence[str], database: Path, url: str, seed: int) -> Result:
    """A verb in this process, in the account of a seed."""
    credentials = {
        "AWS_ACCESS_KEY_ID": key_of(seed),
        "AWS_SECRET_ACCESS_KEY": "none",
        "HOME": str(database.parent),
    }
    return CliRunner().invoke(
        cli, [*words, "--db", str(database), "--endpoint-url", url, "-o", "json"], env=credentials
    )


def unexplained(ran: Result) -> str:
    """What is wrong with how a verb ended; empty when it explained itself."""
    if ran.exit_code not in TABLE or not isinstance(ran.exception, SystemExit | type(None)):
        return f"code {ran.exit_code}, {ran.exception!r}"
    if unexpected := re.search(r"unexpected \w+(Error|Exception).*", ran.output):
        return unexpected.group()
    if ran.exit_code == 75 and not re.search(r'"fix": ?"\w|  fix: \w|"argv"', ran.output):
        return f"75 without a fix: {ran.output}"
    return ""


@pytest.mark.soak
def test_every_verb_explains_a_damaged_database(finished: Bench, tmp_path: Path) -> None:
    """Whatever is wrong inside the file: a code of the table, no unexpected error, and a fix where one is due."""
    content = finished.database.read_bytes()
    loops = [name for name, *_ in sqlite3.connect(finished.database).execute("select id from loops")]
    refused = str(finished.loop("refused", instance_type=NO_ROOM))
    wrong: list[Any] = []
    for turn, seed in enumerate(SEEDS if SOAK else SEEDS[::4]):
        loop, path = loops[turn // 4 % 2], tmp_path / f"{seed}.db"
        for number, words in enumerate(verbs(loop, refused)):
            if SOAK or turn % 4 == number % 4:
                path.write_bytes(damaged(content, seed))
                if problem := unexplained(run(words, path, finished.url, seed)):
                    wrong.append((seed, words, problem))
    assert wrong == []


def verbs(loop: str, refused: str) -> Iterator[list[str]]:
    """Those that read, then those that act: every one opens the file."""
    yield from (
        ["inspect"],
        ["inspect", loop],
        ["inspect", loop, "--events"],
        ["wait", loop, "--timeout", "0s"],
    )
    yield from (["logs", loop], ["explain", loop])
    yield from (
        ["doctor", "--backend", "local"],
        ["gc", "--backend", "local"],
        ["release", loop],
        ["stop", loop],
    )
    yield from (
        ["resume", loop, "--abandon"],
        ["start", refused],
        ["next", loop],
        ["report", loop, "--html", "-"],
    )
    yield from (
        ["pools", "--backend", "local"],
        ["export", loop, "--csv", "-"],
        ["fetch", loop],
        ["forget", loop],
    )


@pytest.mark.soak
def test_gc_releases_in_every_damaged_database(bench: Bench, tmp_path: Path) -> None:
    """A loop that nobody holds any more, its pool, and a file that cannot be trusted: by the file or by the tags."""
    accounts = Accounts(bench)
    wrong: list[Any] = []
    for seed in SEEDS if SOAK else SEEDS[::10]:
        accounts.fill(seed)
        path = tmp_path / f"{seed}.db"
        path.write_bytes(damaged(accounts.content, 1000 + seed))
        wait_for(lambda seed=seed: accounts.status(seed) == "Available" or None)  # type: ignore[misc]
        ran = run(GC, path, bench.url, seed)
        status = accounts.status(seed)
        # 30 where the loop's own row cannot be closed any more: its pool is gone all the same, and that is said.
        told = ran.exit_code == 0 or (ran.exit_code == 30 and "released by their tags" in ran.output)
        if not told or status != "Terminated" or unexplained(ran):
            wrong.append((seed, ran.exit_code, status, unexplained(ran), ran.output[-600:]))
    assert wrong == []
