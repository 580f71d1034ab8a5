"""What is said of an expression before it is used."""

from __future__ import annotations

import pytest

from wpfsm.fsm.strategies.expression import Expression
from wpfsm.fsm.strategies.expression_doubts import doubts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (r"mae=([0-9.]+)", "of 2.5e-05 it captures 2.5"),
        (r"mae=(\d+)", "of 1234.5 it captures 1234"),
        (r"mae=(?P<mae>\d+\.\d+)", "of 2.5e-05 it captures 2.5"),
        (r"mae=([0-9]+(.|e\-)[0-9]+),?", "of 2.5e-05 it captures 2.5"),
        (r"mae=[0-9.]+([0-9.eE+-]+)", "of 0.4875 it captures 5"),
        (r"mae.*([-+0-9.eE]+)", "of 0.4875 it captures 5"),
        (r"mae\D*([0-9.eE]+)", "of -1.25 it captures 1.25"),
    ],
)
def test_an_expression_that_cuts_is_doubted(text, said):
    """The numbers in the sentence are what the expression really does."""
    (reading,) = Expression(text).read([f"mae={said.split()[1]}"])

    assert any(sentence.startswith(said) for sentence in doubts(text))
    assert reading.captured == said.split()[-1]
    assert reading.whole == said.split()[1]


@pytest.mark.parametrize(
    "text",
    [
        r"mae=([0-9.eE+-]+)", r"mae=([-+0-9.eE]+)", r"acc=([0-9.]+)%", r"mae=(.*?);", r"mae: (\S+)", r"mae=(.*)$",
        r".*\[[0-9]+\].*#011validation-rmse:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*",
        r"(?:mae|mse)=([-+0-9.eE]+)", r"(?:a=(\d+)|b)", r"[]([](\S+)",
    ],
)  # fmt: skip
def test_an_expression_that_reads_whole_numbers_is_not(text):
    """Those of the documentation and of the frameworks' own."""
    assert doubts(text) == ()
