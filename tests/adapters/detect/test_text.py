"""What of a text is the request."""

from __future__ import annotations

import time

import pytest

from wpfsm.adapters.detect.detect import detect


def test_only_the_last_turn_of_a_conversation_asks() -> None:
    """What was asked and answered before is not asked again."""
    done = "User: try lr 1e-3, 1e-4 and 1e-5\nAssistant: Done.\nUser: "
    assert detect(f"{done}thanks, now deploy the best one to an endpoint").candidate is not True
    assert detect(f"{done}and now weight decay 0.01 and 0.1").trials == [
        {"weight_decay": 0.01},
        {"weight_decay": 0.1},
    ]


@pytest.mark.parametrize("unit", ["remove x and ", "accuracy is ", "(1, 2), ", "lr/bs/", "{", "0,1,"])
def test_a_long_text_takes_no_more_than_its_length(unit: str) -> None:
    """No text makes the rules backtrack: the longest that is read takes a moment, not for ever."""
    before = time.process_time()
    detect(unit * 20_000)
    assert time.process_time() - before < 20
