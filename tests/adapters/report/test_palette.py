"""The colours of a page can be read, and told apart."""

from __future__ import annotations

import itertools
import re
from dataclasses import asdict

import pytest

from wpfsm.adapters.report.palette import DARK, LIGHT, Palette

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@THEMES
@pytest.mark.parametrize("ink", ["ink", "muted"])
@pytest.mark.parametrize("ground", ["page", "card"])
def test_text_can_be_read(theme: Palette, ink: str, ground: str) -> None:
    """At least the 4.5 to 1 that WCAG 2.2 asks of text (AA)."""
    assert contrast(getattr(theme, ink), getattr(theme, ground)) >= 4.5


@THEMES
def test_no_two_phases_share_a_colour(theme: Palette) -> None:
    """Each phase of a job is told from every other in the timeline."""
    phases = ("training", "install", "upload", "cold", "warm", "starting", "idle", "failed", "best")
    for one, other in itertools.combinations(phases, 2):
        pairs = zip(*(re.findall("..", getattr(theme, name)[1:]) for name in (one, other)), strict=True)
        assert sum(abs(int(a, 16) - int(b, 16)) for a, b in pairs) > 60, (one, other)


@THEMES
def test_a_style_sheet_has_every_colour(theme: Palette) -> None:
    """A name that the page uses and the theme does not set would be black on black."""
    assert re.findall(r"--(\w+):(#[0-9a-f]{6});", theme.css()) == list(asdict(theme).items())
