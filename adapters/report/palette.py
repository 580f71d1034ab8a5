"""The colours of a page: the same meanings in light and in dark.

Told apart by hue and by lightness, so that they stay apart for colour-blind readers and in print; idle and
failed carry a pattern besides.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Palette:
    """One theme."""

    page: str
    card: str
    ink: str
    muted: str
    line: str
    grid: str
    training: str
    install: str
    upload: str
    cold: str
    warm: str
    starting: str
    idle: str
    failed: str
    best: str

    def css(self) -> str:
        """The palette as custom properties."""
        return "".join(f"--{name}:{value};" for name, value in asdict(self).items())


LIGHT = Palette(
    page="#f6f7f9",
    card="#ffffff",
    ink="#1b1f24",
    muted="#5c6570",
    line="#dfe3e8",
    grid="#eceff2",
    training="#2f6fde",
    install="#8a5a2b",
    upload="#7fb2f0",
    cold="#e08a1e",
    warm="#129a74",
    starting="#c9b458",
    idle="#b4bcc6",
    failed="#cf3f58",
    best="#7a49d6",
)
DARK = Palette(
    page="#111418",
    card="#191d23",
    ink="#e7eaee",
    muted="#98a2ae",
    line="#2b323b",
    grid="#232930",
    training="#5a93f7",
    install="#c08a55",
    upload="#35598f",
    cold="#f2a84a",
    warm="#3cc79c",
    starting="#d6c570",
    idle="#566170",
    failed="#f26b82",
    best="#b79bff",
)
