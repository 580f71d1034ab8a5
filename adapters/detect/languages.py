"""Reads what is written in another language as the English words that the rules know."""

from __future__ import annotations

import re
from functools import cache

from wpfsm.adapters.detect.tables import sections

_SIGNS = {
    "de": "der die das und mit ein eine ist nicht bitte für auf den dem von zu bis lernrate wir ich einmal kein keine sind wird "
    "alle läufe trainiere teste dann",
    "fr": "le la les des est et avec une pour sur pas du dans que nous vous je lance entraînement tous toutes essaie teste ou "
    "puis sans au aux on en se tant",
    "es": "el los las con una para por que del está y lo se hasta prueba entrena cada sin qué al es necesito necesitamos mejor luego",
    "pt": "o os as com uma para por que não do da em um no na até treina roda e está precisamos só cada sem melhor depois mais ou",
}
"""Frequent words; a text is read in the language of which it has most, if they are more than the English ones."""
_ENGLISH = frozenset(
    [
        "the",
        "and",
        "with",
        "is",
        "to",
        "of",
        "for",
        "it",
        "we",
        "i",
        "a",
        "on",
        "in",
        "that",
        "this",
        "you",
        "please",
        "try",
        "run",
        "train",
        "until",
        "are",
        "be",
        "at",
        "my",
        "our",
        "as",
        "if",
        "do",
        "not",
        "one",
        "by",
    ]
)
_WORD = re.compile(r"(?<![\w.-])[^\W\d_]+(?:['’][^\W\d_]+)?(?!\w)")
_KANA = re.compile(r"[\u3040-\u30ff]")
_HAN = re.compile(r"[\u4e00-\u9fff]")


def language(text: str) -> str:
    """The language of a text: "en", "de", "fr", "es", "pt", "ja" or "zh"."""
    if _KANA.search(text):
        return "ja"
    if _HAN.search(text):
        return "zh"
    words = [word.lower() for word in _WORD.findall(text)]
    english = sum(word in _ENGLISH for word in words)
    counts = {name: sum(word in signs for word in words) for name, signs in _signs().items()}
    best = max(counts, key=lambda name: counts[name])
    accented = sum(not word.isascii() for word in words)
    return best if counts[best] + accented > english and counts[best] + accented > 0 else "en"


@cache
def _signs() -> dict[str, frozenset[str]]:
    return {name: frozenset(words.split()) for name, words in _SIGNS.items()}


@cache
def _phrases(name: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """One expression that finds every phrase of a language, the longest first, and what each means."""
    meanings: dict[str, str] = {}
    for line in sections("languages.txt")[name]:
        english, _, forms = line.partition(" = ")
        for form in forms.split("|"):
            meanings.setdefault(form.strip(), english.strip())
    listed = "|".join(re.escape(form) for form in sorted(meanings, key=len, reverse=True))
    edge = ("", "") if name in {"ja", "zh"} else (r"(?<![^\W_])", r"(?![^\W_])")
    return re.compile(f"{edge[0]}(?:{listed}){edge[1]}"), meanings


_EDGE = re.compile(r"(?<=[\u3040-\u30ff\u4e00-\u9fff])(?=[!-~])|(?<=[!-~])(?=[\u3040-\u30ff\u4e00-\u9fff])")
_SHORT = re.compile(
    r"(?<![A-Za-z0-9_])(bs|lr|wd|seed|rank|ga|epochs?|r(?!2\b)|mbs|depth)_?(?=\d)", re.IGNORECASE
)
"""A short name that is written together with its value: "bs8"."""
_DECIMAL_COMMA = re.compile(r"(?<![\d.,])(\d{1,4}),(\d+)(?![\d]*[,.]\d)")
_ZERO_COMMA = re.compile(r"(?<![\d.,{(\[])0,(\d+)(?![\d]*[,.]\d)")
_WHOLE = re.compile(r"(?:seeds?|semillas?|graines?|folds?|gpus?|cuda|layers?)[ :={(\[]*$", re.IGNORECASE)


def in_english(text: str) -> str:
    """The text with the known words of its language in English and its decimal commas as points."""
    name = language(text)
    if name != "en":
        pattern, meanings = _phrases(name)
        spaced = " {} " if name in {"ja", "zh"} else "{}"
        text = pattern.sub(lambda match: spaced.format(meanings[match.group()]), text.lower())
    text = re.sub(r"(?<=\d)\.\.+(?=[\d.])", " .. ", text)
    text = _SHORT.sub(r"\1 ", _EDGE.sub(" ", text))
    comma = _DECIMAL_COMMA if name in {"de", "fr", "es", "pt"} else _ZERO_COMMA
    return comma.sub(lambda match: _pointed(match, text), text)


def _pointed(match: re.Match[str], text: str) -> str:
    whole = _WHOLE.search(text[max(0, match.start() - 12) : match.start()])
    return match.group() if whole else match.group().replace(",", ".")
