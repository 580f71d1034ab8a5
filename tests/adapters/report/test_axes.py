"""What every chart has in common: text that Plotly may show, moments, and the axis that fits its values."""

from __future__ import annotations

import pytest

from wpfsm.adapters.report.axes import moment, number, scale, text


def test_text_is_no_markup_and_no_secret() -> None:
    """Plotly reads a subset of HTML wherever it shows text."""
    assert text("<b>lr</b> & co") == "&lt;b&gt;lr&lt;/b&gt; &amp; co"
    assert "AKIAIOSFODNN7EXAMPLE" not in text("key AKIAIOSFODNN7EXAMPLE")


def test_long_text_is_cut_before_it_is_escaped() -> None:
    """No half of an escape is left at the cut."""
    assert text("<" * 100, 5) == "&lt;" * 4 + "…"


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1e-5, 1e-3], "log"), ([1, 29], "linear"), ([0.0, 1e6], "linear"), ([-1.0, 100.0], "linear")],
)
def test_only_values_that_span_much_and_are_positive_get_a_logarithmic_axis(
    values: list[float], kind: str
) -> None:
    """A logarithm of nothing would hide the trial."""
    assert scale(values)["type"] == kind


def test_moments_are_in_utc_and_only_numbers_are_numbers() -> None:
    """A text that looks like a number is a choice, and none."""
    assert moment(0.5) == "1970-01-01 00:00:00.500000"
    assert (number(2), number("2"), number(None)) == (2.0, None, None)
