"""What the emulator remembers of a job and a pool is read back as it was written."""

from __future__ import annotations

import json
from typing import Any

from emulator_requests import training_job

from wpfsm.adapters.emulator.engine.records import Job, Pool, dump, load_job, load_pool
from wpfsm.adapters.emulator.inprocess import Emulator
from wpfsm.adapters.emulator.scripted import Script, ScriptedRunner


def client(emulator: Emulator) -> Any:
    return emulator.session().client("sagemaker")


def test_records_survive_their_own_serialisation() -> None:
    """A job and a pool with everything set are read back as they were written."""
    script = Script(seconds=5, lines=["m=1.5"])
    metric = {"MetricDefinitions": [{"Name": "m", "Regex": "m=([0-9.]+)"}]}
    with Emulator(runner=ScriptedRunner(lambda _: script)) as emulator:
        emulator.inject({"kind": "stolen_pool", "seconds": 5}, {"kind": "internal_error", "nth": 2})
        for name in ("a", "b"):
            client(emulator).create_training_job(**training_job(name, algorithm=metric))
            emulator.advance(30)
        jobs, pools = emulator.jobs(), emulator.pools()
    for job in jobs:
        assert_same(job, load_job(dump(job), json.dumps(job.request)))
    for pool in pools:
        assert_same(pool, load_pool(dump(pool), pool.history))


def assert_same(one: Job | Pool, other: Job | Pool) -> None:
    assert one == other
    assert {n: type(v) for n, v in vars(one).items()} == {n: type(v) for n, v in vars(other).items()}
