"""Logs and expressions that are meant to hang the controller: it stays within two seconds of a stop, whatever they hold.

The controller hears of a stop where it asks for one. What is measured is the longest time between two such moments, in
seconds of its own processor time, from the first line of the log to the loop's end, its diagnosis included.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from crash_world import LOOP_ID, Story, World

from wpfsm.adapters.emulator.scripted import Script
from wpfsm.fsm import controller
from wpfsm.fsm.ports import LogLine, LogPage, StopReason

SECONDS = 2.0
PAGE_LINES, PAGE_CHARS = 10_000, 1 << 20
"""What one answer of CloudWatch holds at most."""

XGBOOST = r".*\[[0-9]+\].*#011validation-auc:(\S+)"
EXPRESSIONS = [
    XGBOOST, r"(?:.*,)*loss=([0-9.]+)", r"(x+x+)+y", r"((?:\d+[ ,]?)+)$", r"(\s*\S*\s*)*loss=(\d)", r"loss=([0-9.eE+-]+)",
    r"(?i)(?:l?o?s?s?)*=(.*)*;", r"(.*?,){9}.*?(\d+)", r"([\w.]+\s?)+:",
]  # fmt: skip


def escapes(dice: random.Random) -> Iterator[str]:
    """Terminal sequences, bidi marks, separators and NULs, some unfinished."""
    parts = ["\x1b[31m", "\x1b]0;title\x07", "\x1bP", "\x9b", "\u202e", "\U000e0041", "\x00", "\r", "\x85", "\u2028", "#033[", "#011",
             "\x1b[" + "1;" * 300, "loss=0.5", "Error: ", '{"message": "', "Traceback (most recent call last):"]  # fmt: skip
    for _ in range(3_000):
        yield "".join(dice.choices(parts, k=dice.randint(1, 30)))


def long_lines(dice: random.Random) -> Iterator[str]:
    """A megabyte a line: words, blanks, digits, brackets, one endless word, and a record that never ends."""
    for bit in ("x", " ", "1 ", "[7] loss ", "nan ", "1,", '{"a":', "a=b;", "File ", "#011"):
        yield bit * (PAGE_CHARS // len(bit))
    yield "".join(dice.choices("abc =:[]{}0123.,eE+-", k=PAGE_CHARS))


def many_lines(dice: random.Random) -> Iterator[str]:
    """A million short ones."""
    for number in range(1_000_000):
        yield f"step {number} loss={dice.random():.3f}" if number % 3 else ""


def mixed(dice: random.Random) -> Iterator[str]:
    """What other encodings look like when they are read as UTF-8, beside real text of many scripts."""
    for encoding in ("utf-16", "latin-1", "cp1251", "shift_jis", "utf-8"):
        for _ in range(400):
            text = "".join(dice.choices("Größe ошибка エラー loss=0,5 ½ ١٢٣ ", k=80))
            yield text.encode(encoding, "replace").decode("utf-8", "replace")


def failures(dice: random.Random) -> Iterator[str]:
    """Beginnings of everything that a diagnosis looks for, without an end."""
    parts = ["Collecting x", "ERROR: ", "Traceback (most recent call last):", '  File "/opt/ml/code/a.py", line 3, in f', "pip install",
             "An error occurred (X) when calling the ", "CUDA", "out of memory", "requires", "version", "No module named '", "  ",
             "During handling of the above exception", "exit code", "channel", "not found in your environment:", "--", "│", "\t"]  # fmt: skip
    for _ in range(20_000):
        yield " ".join(dice.choices(parts, k=dice.randint(1, 12)))


class Pages:
    """Implements :class:`wpfsm.fsm.ports.Logs`: the lines of a log, a page at a time."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def read(self, job_name: str, cursor: str = "") -> LogPage:
        """See the protocol."""
        page: list[LogLine] = []
        size = 0
        for text in self._lines:
            page.append(LogLine(0.0, "algo-1", text))
            size += len(text)
            if len(page) == PAGE_LINES or size >= PAGE_CHARS:
                break
        return LogPage(tuple(page), cursor + "+"[: len(page)], not page)


class Stopwatch:
    """Implements :class:`wpfsm.fsm.ports.StopRequest`: nobody asks, and the time between two looks is kept."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._looked = time.thread_time()

    @property
    def reason(self) -> StopReason:
        """See the protocol."""
        now = time.thread_time()
        self.longest = max(self.longest, now - self._looked)
        self._looked = time.thread_time()
        return ""


def drive(lines: Iterator[str], regex: str, exit_code: int) -> tuple[Stopwatch, World, list[str]]:
    """One job with this log and this expression, to the loop's end."""
    world = World(
        Story(
            loop_file={
                "pool": {"instance_type": "ml.g5.xlarge", "keep_alive": "10m"},
                "job": {"source": "src/", "entry": "train.py", "max_runtime": "30m"},
                "metric": {"name": "loss", "goal": "minimize", "regex": regex},
                "strategy": {"type": "single"},
                "on_failure": [{"when": "any", "do": "release"}],
            },
            script=lambda _: Script(seconds=60, lines=[], exit_code=exit_code),
            source={"train.py": "import torch\n"},
        )
    )
    watch = Stopwatch()
    with contextlib.closing(world), contextlib.closing(world.controller()) as owned:
        result = controller.drive(replace(owned.ports, logs=Pages(lines), stop=watch))
        with world.history() as history:
            events = [event.why for event in history.events(LOOP_ID)]
        assert not world.progress.troubles
    assert result.loop.state == "Closed"
    return watch, world, events


def stays_near(lines: Callable[[], Iterator[str]], regex: str, exit_code: int) -> bool:
    """Whether no two looks are further apart; what a crowded machine adds to one run it does not add to each of three."""
    return any(drive(lines(), regex, exit_code)[0].longest < SECONDS for _ in range(3))


@pytest.mark.parametrize(
    ("log", "regex"),
    [
        *((log, regex) for log in (escapes, long_lines) for regex in (XGBOOST, r"loss=([0-9.]+)")),
        (many_lines, XGBOOST),
        (mixed, r"loss=([0-9.]+)"),
        (failures, r"loss=([0-9.]+)"),
    ],
)
def test_no_log_keeps_the_controller_from_a_stop(
    log: Callable[[random.Random], Iterator[str]], regex: str
) -> None:
    """Escapes, lines of a megabyte, a million lines, mixed encodings; the job fails, so that the log is diagnosed, too."""
    assert stays_near(lambda: log(random.Random(log.__name__)), regex, exit_code=1)


@pytest.mark.parametrize("regex", EXPRESSIONS)
def test_no_expression_keeps_the_controller_from_a_stop(regex: str) -> None:
    """Each backtracks for ever on one of these lines; the loop reads on, or says that it gave the expression up."""
    dice = random.Random(regex)
    lines = [
        "loss=0.5",
        "x" * 20_000,
        "1," * 9_000,
        "".join(f"[{n}] bar " for n in range(4_000)),
        "a b " * 5_000,
        "loss=" * 4_000,
    ]
    dice.shuffle(lines)

    assert stays_near(lambda: iter(lines * 3), regex, exit_code=0)


def test_an_expression_that_was_given_up_is_named_in_the_history() -> None:
    """The loop says which one, and goes on to its end."""
    lines: Sequence[str] = ["".join(f"[{n}] bar " for n in range(20_000))] * 8

    _, _, events = drive(iter(lines), XGBOOST, exit_code=0)

    assert any(
        event.startswith("metric loss: ") and "takes too long" in event and "validation-auc" in event
        for event in events
    )
