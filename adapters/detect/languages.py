"""Reads what is written in another language as the English words that the rules know."""

from __future__ import annotations

import re
from functools import cache

from wpfsm.adapters.detect.tables import rule, sections, word_set

_WORD = re.compile(r"(?<![\w.-])[^\W\d_]+(?:['\u2019][^\W\d_]+)?(?!\w)")


def language(text: str) -> str:
    """The language of a text: "en", "de", "fr", "es", "pt", "ja" or "zh"."""
    if not text.isascii() and re.search(r"[\u3040-\u30ff]", text):
        return "ja"
    if not text.isascii() and re.search(r"[\u4e00-\u9fff]", text):
        return "zh"
    words = [word.lower() for word in _WORD.findall(text)]
    english = sum(word in word_set("english") for word in words)
    counts = {name: sum(word in signs for word in words) for name, signs in _signs().items()}
    foreign = max(counts.values()) + sum(not word.isascii() for word in words)
    if foreign <= english:
        return "en"
    most = [name for name in counts if counts[name] == max(counts.values())]
    return max(most, key=lambda name: len(_phrases(name)[0].findall(text.lower()))) if most[1:] else most[0]


@cache
def _signs() -> dict[str, frozenset[str]]:
    """The frequent words of each language; a text is read in the one of which it has most, if more than English ones."""
    return {
        name: frozenset(" ".join(sections("languages.txt")[f"{name} signs"]).split())
        for name in ("de", "fr", "es", "pt")
    }


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


def in_english(text: str) -> str:
    """The text with the known words of its language in English and its decimal commas as points."""
    name = language(text)
    if name != "en":
        pattern, meanings = _phrases(name)
        spaced = " {} " if name in {"ja", "zh"} else "{}"
        text = pattern.sub(lambda match: spaced.format(meanings[match.group()]), text.lower())
    text = re.sub(r"(?i)\btop-(?=[15]\b)", "top ", text)
    if name == "ja":
        text = rule("particle").sub(" ", text)
    text = re.sub(r"(?<=\d)\.\.+(?=[\d.])", " .. ", text)
    if not text.isascii():  # an edge is one of a Chinese or Japanese character
        text = rule("edge").sub(" ", text)
    text = rule("short").sub(r"\g<name> ", text)
    comma = "decimal comma" if name in {"de", "fr", "es", "pt"} else "zero comma"
    return rule(comma).sub(lambda match: _pointed(match, text), text)


def _pointed(match: re.Match[str], text: str) -> str:
    whole = rule("whole").search(text[max(0, match.start() - 12) : match.start()])
    return match.group() if whole else match.group().replace(",", ".")
