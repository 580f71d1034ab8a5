"""The laws of a fingerprint: the same bug is recognised, two bugs are told apart."""

from __future__ import annotations

import string
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.failures.diagnosis import explain
from wpfsm.fsm.failures.fingerprint import fingerprint, normalise

NUMBERS = st.integers(0, 10**9) | st.floats(0, 1e9, allow_nan=False).map(lambda x: round(x, 3))
WORDS = st.text(string.ascii_lowercase, min_size=2, max_size=8)
PATHS = st.lists(WORDS, min_size=2, max_size=5).map(lambda parts: "/" + "/".join(parts))
JOBS = st.tuples(WORDS, WORDS, st.integers(1, 999)).map(lambda t: f"{t[0]}-{t[1]}-{t[2]:03}")
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(
    lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ")
)
ADDRESSES = st.integers(16**8, 16**12).map(hex)
NAMES = st.sampled_from(
    ["ValueError", "TypeError", "KeyError", "RuntimeError", "IndexError", "AssertionError"]
)


def log_of(*, number, path, job, time, address, line, name="RuntimeError", function="step") -> str:
    return (
        f'Traceback (most recent call last):\n  File "{path}/train.py", line {line}, in {function}\n    go()\n'
        f"{name}: got {number} rows from {path} in {job} at {time} <Batch object at {address}>"
    )


CONTEXT = {
    "number": NUMBERS, "path": PATHS, "job": JOBS, "time": TIMES, "address": ADDRESSES, "line": st.integers(1, 999),
}  # fmt: skip


@given(one=st.fixed_dictionaries(CONTEXT), other=st.fixed_dictionaries(CONTEXT))
def test_the_same_bug_in_another_job_has_the_same_fingerprint(one, other):
    """Numbers, paths, job names, times, addresses and line numbers do not count."""
    assert explain("", log_of(**one)).fingerprint == explain("", log_of(**other)).fingerprint


@given(context=st.fixed_dictionaries(CONTEXT), names=st.lists(NAMES, min_size=2, max_size=2, unique=True))
def test_another_exception_is_another_bug(context, names):
    """The exception's type is part of the identity."""
    one, other = (explain("", log_of(**context, name=name)) for name in names)

    assert one.fingerprint != other.fingerprint


@given(context=st.fixed_dictionaries(CONTEXT), functions=st.lists(WORDS, min_size=2, max_size=2, unique=True))
def test_another_function_is_another_bug(context, functions):
    """The same message from another function of the user's code is told apart."""
    one, other = (explain("", log_of(**context, function=function)) for function in functions)

    assert one.fingerprint != other.fingerprint


@given(names=st.lists(WORDS, min_size=2, max_size=2, unique=True))
def test_another_missing_module_is_another_bug(names):
    """A cascade of missing modules is a cascade of fingerprints."""
    one, other = (explain("", f"ModuleNotFoundError: No module named '{name}'") for name in names)

    assert one.fingerprint != other.fingerprint


OOM = "CUDA out of memory. Tried to allocate"
TWICE = {
    "sizes of memory": (
        f"torch.OutOfMemoryError: {OOM} 1.17 GiB.",
        f"torch.OutOfMemoryError: {OOM} 20.00 MiB.",
    ),
    "older wording": (
        f"RuntimeError: {OOM} 2 GiB (GPU 0)",
        f"torch.OutOfMemoryError: {OOM} 2 GiB. GPU 3 has",
    ),
    "a batch in shapes": (
        "RuntimeError: shapes (32x512 and 768x2)",
        "RuntimeError: shapes (8x512 and 768x2)",
    ),
    "lists of numbers": (
        "RuntimeError: worker (pid(s) 5, 6) exited",
        "RuntimeError: worker (pid(s) 91) exited",
    ),
    "units of time": ("RuntimeError: no answer in 1800000ms", "RuntimeError: no answer in 12.5s"),
    "ids of requests": (
        "ValueError: no (Request ID: Root=1-6a;77f1)",
        "ValueError: no (Request ID: Root=1-7b;80)",
    ),
    "numbered files": ("ValueError: bad '/in/img_003.jpg'", "ValueError: bad '/in/img_017.jpg'"),
    "scratch files": ("ValueError: bad '/tmp/tmpab12cd.json'", "ValueError: bad '/tmp/tmpzz99qq.json'"),
    "a collector's prefix": (
        "tar: write error: No space left on device",
        "2026-01-02T03:04:05+00:00 a-001/algo-1-1741079462 tar: write error: No space left on device",
    ),
    "who waited": (
        "[rank0]: Watchdog caught collective operation timeout: WorkNCCL(SeqNum=49, OpType=ALLREDUCE) ran for 18 ms",
        "[rank5]: Watchdog caught collective operation timeout: WorkNCCL(SeqNum=7, OpType=ALLGATHER) ran for 19 ms",
    ),
}


@pytest.mark.parametrize(("one", "other"), TWICE.values(), ids=TWICE)
def test_the_same_bug_in_other_words_has_the_same_fingerprint(one, other):
    """What frameworks print differently each time is not part of the identity."""
    assert explain("", one).fingerprint == explain("", other).fingerprint


def test_memory_that_is_full_is_one_bug_of_a_file_whichever_statement_meets_it():
    """Forward or backward, it is the same batch that does not fit; another file is another matter."""

    def met(file: str, function: str) -> str:
        frame = f'Traceback (most recent call last):\n  File "/opt/ml/code/{file}", line 9, in {function}\n    go()\n'
        return explain("", f"{frame}torch.OutOfMemoryError: {OOM} 2.00 GiB").fingerprint

    assert met("train.py", "forward") == met("train.py", "backward")
    assert met("train.py", "forward") != met("prepare.py", "forward")


@pytest.mark.parametrize(
    ("one", "other"), [("/in/train/a.csv", "/in/val/b.csv"), ("conf/a.yaml", "vocab/b.txt")]
)
def test_another_missing_file_is_another_bug(one, other):
    """The folder does not count, the file's name does."""

    def missing(path: str) -> str:
        return explain("", f"FileNotFoundError: [Errno 2] No such file or directory: '{path}'").fingerprint

    assert missing(one) != missing(other)
    assert missing(one) == missing(f"/elsewhere/{one.lstrip('/')}")


@given(text=st.text(max_size=200))
def test_normalising_twice_changes_nothing_more(text):
    """The normal form is a normal form."""
    assert normalise(normalise(text)) == normalise(text)


def test_what_names_the_bug_stays():
    """Quoted names and shapes of the message survive normalisation."""
    assert normalise("KeyError: 'SM_CHANNEL_TRAIN'") == "KeyError: 'SM_CHANNEL_TRAIN'"
    assert normalise("Tried to allocate 2.50 GiB on GPU 0") == "Tried to allocate <size> on GPU <n>"
    assert fingerprint("a", "x") != fingerprint("b", "x")
