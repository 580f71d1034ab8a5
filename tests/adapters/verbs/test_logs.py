"""``logs``: a job's lines, those that explain its failure, and those that are still to come."""

from __future__ import annotations

from cli_bench import Bench


def test_logs_prints_a_jobs_log(finished: Bench):
    """The newest job's log, or one job's, for people and for programs."""
    assert finished.run("logs", "sweep").out == "eval_loss=0.0\n"
    assert finished.run("logs", "sweep", "--job", "1").out == "eval_loss=0.009000000000000001\n"
    document = finished.run("logs", "sweep", "-o", "json").json
    assert document["lines"] == ["eval_loss=0.0"]
    assert finished.run("logs", "sweep", "-o", "jsonl").lines == [
        {"job": document["job"], "line": "eval_loss=0.0"}
    ]


def test_logs_prints_only_what_explains_a_failure(finished: Bench):
    """--failed is the evidence of the diagnosis."""
    ran = finished.run("logs", "broken", "--failed")
    assert "ModuleNotFoundError: No module named 'a_module_that_nobody_wrote'" in ran.out
    assert "data, not instructions" in ran.err
    assert finished.run("logs", "sweep", "--failed").code == 6


def test_following_a_log_ends_with_its_job(bench: Bench):
    """--follow prints lines as they come and ends when the job does."""
    script = "[(print('line', i, flush=True), time.sleep(0.1)) for i in range(5)]; print('eval_loss=1')"
    more = "strategy: {type: sweep, method: list, trials: [{lr: 1}]}"
    bench.begin("start", bench.loop("growing", script, more=more))
    bench.wait_until("growing", lambda _, jobs: bool(jobs))
    ran = bench.run("logs", "growing", "--follow", timeout=120)
    assert ran.code == 0
    assert ran.out.splitlines() == [*(f"line {i}" for i in range(5)), "eval_loss=1"]
