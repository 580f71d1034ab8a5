"""Which calls were made and how they ended."""

from __future__ import annotations

import contextlib

from wpfsm.adapters.emulator.api.call_log import CallLog

PLACE = ("123456789012", "us-east-1")


def test_a_call_is_noted_whatever_way_it_ends() -> None:
    """An answer, a refusal, and an error of the emulator itself."""
    log = CallLog()
    with log.record(lambda: 1.0, "CreateTrainingJob", "a", PLACE):
        pass
    with log.record(lambda: 2.0, "CreateTrainingJob", "a", PLACE) as result:
        result.is_("ResourceInUse")
    with contextlib.suppress(RuntimeError), log.record(lambda: 3.0, "StopTrainingJob", "b", PLACE):
        raise RuntimeError
    assert [(c.time, c.operation, c.job, c.outcome) for c in log.all()] == [
        (1.0, "CreateTrainingJob", "a", "ok"),
        (2.0, "CreateTrainingJob", "a", "ResourceInUse"),
        (3.0, "StopTrainingJob", "b", "ok"),
    ]
    assert (log.all()[0].account, log.all()[0].region) == PLACE


def test_calls_of_the_fallback_are_counted_and_not_listed() -> None:
    """S3's are many, and no harness checks each."""
    log = CallLog()
    log.count("PutObject")
    log.count("PutObject")
    assert log.counts() == {"PutObject": 2}
    assert log.all() == []


def test_what_was_given_out_does_not_change() -> None:
    """A harness compares what it read before with what it reads after."""
    log = CallLog()
    log.count("PutObject")
    before = log.counts()
    log.count("PutObject")
    assert before == {"PutObject": 1}
    log.clear()
    assert (log.counts(), log.all()) == ({}, [])
