"""How long a job installed packages, read from its log."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from wpfsm.fsm.ports import LogLine
from wpfsm.fsm.states.running.log import Watch, installed_for, time_installation

PLAIN = [
    (10.0, "Installing requirements"),
    (11.0, "Collecting numpy"),
    (48.5, "+ echo 'Running Basic Script driver'"),
    (48.5, "Running Basic Script driver"),
    (60.0, "epoch 1"),
]


def read(lines: Sequence[tuple[float, str]], *, caught_up: bool = True) -> float | None:
    watch = Watch(caught_up=caught_up, lines=len(lines), last_output=lines[-1][0] if lines else 0.0)
    for at, text in lines:
        time_installation(watch, LogLine(at, "algo-1", text))
    return installed_for(watch)


def test_the_sdks_installation_ends_where_the_driver_starts_the_script() -> None:
    assert read(PLAIN) == 38.5


def test_the_launcher_says_it_itself() -> None:
    lines = [
        (1.0, "Running Basic Script driver"),
        (1.4, "wpfsm: packages ready in 0.04 s (from the pool's cache)"),
    ]
    assert read(lines) == 0.04


def test_a_fallback_is_counted_whole() -> None:
    lines = [(1.0, "wpfsm: packages are not kept (x); the SDK's own installation follows"),
             (9.0, "wpfsm: packages ready in 8.10 s (installed)")]  # fmt: skip
    assert read(lines) == 8.1


def test_a_failed_installation_is_all_that_the_job_did() -> None:
    assert read(PLAIN[:2]) == 1.0


@pytest.mark.parametrize(("lines", "caught_up", "seconds"), [([(1.0, "epoch 1")], True, 0.0), ([], True, None),
                                                            ([(1.0, "epoch 1")], False, None)])  # fmt: skip
def test_none_is_zero_only_where_the_log_was_read(
    lines: list[tuple[float, str]], caught_up: bool, seconds: float | None
) -> None:
    assert read(lines, caught_up=caught_up) == seconds
