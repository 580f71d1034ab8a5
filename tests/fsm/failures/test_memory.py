"""Memory that ran out before any batch."""

from __future__ import annotations

import pytest

from wpfsm.fsm.failures.diagnosis import diagnose, explain
from wpfsm.fsm.failures.evidence import Evidence

EXIT = "AlgorithmError: , exit code: 1"


@pytest.mark.parametrize(
    ("code", "line", "sentence"),
    [
        (
            "model = AutoModel.from_pretrained(name)",
            "CUDA out of memory. Tried to allocate 2.00 GiB",
            "weights",
        ),
        ("net.to(device)", "CUDA out of memory. Tried to allocate 2.00 GiB", "weights"),
        ("table = pd.read_parquet(path)", "std::bad_alloc", "chunks"),
        ("grid = make_grid(1e9)", "CUDA out of memory. Tried to allocate 2.00 GiB", "before the first step"),
    ],
)
def test_memory_that_no_batch_has_taken_is_not_answered_with_a_smaller_one(code, line, sentence):
    """The diagnosis says so, and why."""
    log = f'Traceback (most recent call last):\n  File "/opt/ml/code/run.py", line 8, in main\n    {code}\nRuntimeError: {line}\n'

    diagnosis = explain(EXIT, log)

    assert diagnosis.family == "oom"
    assert diagnosis.stuck
    assert sentence in diagnosis.fix


@pytest.mark.parametrize("code", ["loss.backward()", "out = model(batch)", "trainer.train()"])
def test_memory_that_a_batch_has_taken_is(code):
    """A smaller batch may help."""
    log = f'Traceback (most recent call last):\n  File "/opt/ml/code/run.py", line 8, in main\n    {code}\nRuntimeError: CUDA out of memory.\n'

    assert not explain(EXIT, log).stuck


def test_a_launchers_frames_do_not_say_where_memory_ran_out():
    """A script that was killed without a word is patched by its batch: only the launcher has a traceback then."""
    log = [
        "start",
        "Traceback (most recent call last):",
        '  File "/opt/ml/input/data/sm_drivers/common/utils.py", line 193, in execute_commands',
        "    raise subprocess.CalledProcessError(exitcode, commands)",
        "subprocess.CalledProcessError: Command '['python3', 'train.py']' died with <Signals.SIGKILL: 9>.",
    ]
    diagnosis = diagnose(Evidence(failure_reason="AlgorithmError: exit code: 247", log=log))

    assert diagnosis.class_ == "host_oom"
    assert diagnosis.location is None
    assert not diagnosis.stuck


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("if size > 16:\n    raise MemoryError\n", 2),
        ("for rows in range(3):\n    hidden = make(rows)\n", 2),
        ("while True:\n    if more:\n        hidden = make(rows)\n", 3),
    ],
)
def test_a_script_that_says_so_itself_or_works_in_steps_may_need_a_smaller_batch(script, line):
    """A ``raise`` does not tell what was being made, and a loop at the top of a script is a loop of training."""
    code = script.splitlines()[line - 1].strip()
    log = f'Traceback (most recent call last):\n  File "/opt/ml/code/run.py", line {line}, in <module>\n    {code}\nMemoryError\n'

    told = diagnose(Evidence(failure_reason=EXIT, log=log.splitlines(), source_files={"run.py": script}))

    assert told.family == "oom"
    assert not told.stuck


def test_memory_that_the_loaders_workers_share_is_not_before_the_first_step():
    """Fewer workers need less of it, whatever the traceback shows."""
    log = (
        'Traceback (most recent call last):\n  File "/opt/ml/code/run.py", line 8, in main\n    go()\n'
        "RuntimeError: DataLoader worker (pid 93) is killed by signal: Bus error. It is possible that dataloader's workers "
        "are out of shared memory. Please try to raise your shared memory limit.\n"
    )
    assert not explain(EXIT, log).stuck
