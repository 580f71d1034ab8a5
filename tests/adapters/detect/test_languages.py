"""A request in another language is read as the English words that the rules know."""

from __future__ import annotations

import pytest

from wpfsm.adapters.detect.languages import in_english, language


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("try lr 1e-4 and 5e-5 with the small model", "en"),
        ("teste bitte die Lernrate 1e-4 und 5e-5", "de"),
        ("essaie les taux d'apprentissage 0,01 et 0,001", "fr"),
        ("prueba con una tasa de aprendizaje de 0,01 y 0,001", "es"),
        ("treina com uma taxa de 0,01 e não mais", "pt"),
        ("学習率を1e-4と5e-5で試して", "ja"),
        ("用学习率1e-4训练", "zh"),
        ("lr 1e-4", "en"),
    ],
)
def test_the_language_is_that_of_most_words(text: str, name: str) -> None:
    """Names of parameters and numbers are no language."""
    assert language(text) == name


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("teste dropout 0,15 und 0,25", "try dropout 0.15 and 0.25"),
        ("bs8 vs bs16", "bs 8 vs bs 16"),
        ("use seeds 1,2 please", "use seeds 1,2 please"),
        ("try 1,000 steps", "try 1,000 steps"),
    ],
)
def test_numbers_are_read_as_their_language_writes_them(text: str, read: str) -> None:
    """A decimal comma is a point where the language has it; a list of seeds and a thousand stay what they are."""
    assert in_english(text) == read
