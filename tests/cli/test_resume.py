"""``resume``: a loop goes on from its checkpoint, with what it has of its own."""

from __future__ import annotations

import shutil

import pytest
from cli_bench import Bench


@pytest.mark.sdk
def test_resume_needs_the_users_source_no_more(bench: Bench):
    """A loop whose controller died goes on with its own snapshot, even where the user's folder has gone since."""
    gate = bench.folder / "go"
    source = bench.folder / "src"
    source.mkdir()
    (source / "train.py").write_text(
        f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists():\n    time.sleep(0.05)\n"
    )
    (bench.folder / "moved.yaml").write_text(
        "version: 1\nname: moved\nstrategy: {type: single}\n"
        "pool: {instance_type: ml.m5.large, role: 'arn:aws:iam::123456789012:role/moved'}\n"
        "job: {source: src, entry: train.py, max_runtime: 5m}\n"
    )
    process = bench.begin("start", "moved.yaml")
    bench.wait_running("moved")
    process.kill()
    process.wait()
    shutil.rmtree(source)
    gate.touch()
    ran = bench.run("resume", "moved", "-o", "json")
    assert ran.code == 0, ran.err
    assert "the loop goes on with its own snapshot" in ran.err
    assert [job["status"] for job in ran.json["jobs"]] == ["Completed"]
