"""From characters to tokens: words, quantities, versions, instance types, file names and marks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from wpfsm.adapters.detect.german import in_english
from wpfsm.adapters.detect.patterns import Rule

MAX_CHARACTERS = 8_000
"""A request longer than this is read up to here."""


_TRANSLATE = str.maketrans({
    "\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u2212": "-", "\u2010": "-", "\u2011": "-", "\u00d7": "x",
    "\u2264": "<=", "\u2265": ">=", "\u2192": " -> ", "\u00a0": " ", "\u2026": "...", "\u2013": " \u2013 ", "\uff0c": ",", "\uff1a": ":",
    "\u3001": ",", "\u00b7": ",", "\u2022": ",",
})  # fmt: skip

_REWRITES = (
    (Rule(r"\bw/\s?o\b|\bw/out\b"), "without"),
    (Rule(r"\bw/(?=[\s\w])"), "with "),
    (Rule(r"(?<![\d.]\s)(?<![\d.])\+\s?/\s?-(?=\s?[a-z])"), "with and without"),
    (Rule(r"&&"), " and "),
    (Rule(r"(?<=\w)'s\b"), ""),
    (Rule(r"(?<=\d)\s?\.\.+\s?(?=\d)"), " .. "),
)

_EXPONENT = r"(?:\d+(?:\.\d+)?\s?[x*]\s?)?10\s?(?:\^|\*\*)\s?\(?-?\d{1,2}\)?"
_TOKEN = Rule(
    rf"""
    (?P<uri>(?:s3|https?)://\S+)
  | (?P<file>[\w./-]*\w\.(?:py|txt|ya?ml|json|csv|toml|sh|ipynb|md|cfg|jsonl|parquet|whl|ini)\b)
  | (?P<inst>\bml\.[a-z0-9-]+\.[a-z0-9]+|\b[a-z]{{1,4}}\d[a-z]{{0,3}}(?:-[a-z]+)?\.(?:\d*x?large|metal|medium|small)\b|\b(?:g4dn|g5|g6|g6e|p3|p3dn|p4d|p4de|p5|p5e|p5en|trn1|trn2|trn1n|c5|c6i|m5|r5)\b(?![-.\w]))
  | (?P<ver>(?<![\w.])v?\d+\.\d+\.(?:\d+|\*)(?:\.?(?:post|rc|dev|a|b)\d+)?(?:\+[a-z0-9.]*[a-z0-9])?(?![\w])|(?<![\w.])\d+\.(?:x|\*)(?!\w)|\bv\d+(?:\.\d+)?\b)
  | (?P<power>(?<![\w.]){_EXPONENT}(?![\w]))
  | (?P<num>(?<![\w.])(?:\d{{1,3}}(?:,000)+(?![\d.])|(?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d{{1,3}})?)(?:\s?%|\s?percent\b|\s?pct\b|[km](?!\w))?(?![a-z_]))
  | (?P<abbrev>(?<![a-z0-9_])(?:bs|lr|wd|seed|rank|ga|epochs?|r(?!2\b)|alpha|stage|zero)(?=_?\d))
  | (?P<word>[^\W_]+(?:'[a-z]+)?)
  | (?P<mark><=|>=|=<|==|~=|!=|->|=>|--+|\.\.+|[^\w\s])
    """,
    re.VERBOSE,
)  # fmt: skip
_ABBREVIATED_NUMBER = Rule(r"_?(?P<num>\d+(?:\.\d+)?(?:e[-+]?\d{1,3})?)(?!\w)")


@dataclass(slots=True)
class Token:
    """A piece of text: what it is, in lower case, as written, and whether no blank stands before it."""

    kind: str
    text: str
    written: str
    glued: bool


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text, up to `MAX_CHARACTERS`; never raises."""
    text = text[:MAX_CHARACTERS].translate(_TRANSLATE)
    lowered = text.lower()
    if len(lowered) != len(text):  # a few capitals lower to two characters: then the case is forgotten
        text = lowered
    if (english := in_english(lowered)) != lowered:
        lowered = text = english
    for pattern, replacement in _REWRITES:
        lowered, text = pattern.sub(replacement, lowered), pattern.sub(replacement, text)
    if len(lowered) != len(text):
        text = lowered
    found: list[Token] = []
    at, end = 0, len(lowered)
    while at < end:
        line_break = lowered[at] == "\n"
        if lowered[at].isspace() or lowered[at] == "_":
            at += 1
            if line_break:
                found.append(Token("mark", "\n", "\n", glued=False))
            continue
        match = None
        if found and found[-1].kind == "abbrev":
            match = _ABBREVIATED_NUMBER.match(lowered, at)
        match = match or _TOKEN.match(lowered, at)
        if match is None:
            at += 1
            continue
        glued = match.start() > 0 and not lowered[match.start() - 1].isspace()
        kind = match.lastgroup or "mark"
        found.append(Token(kind, match.group().strip("_"), text[match.start() : match.end()], glued))
        at = match.end()
    return _joined(found)


_ABBREVIATIONS = frozenset({"vs", "g", "i", "etc", "approx", "resp", "incl", "e"})


def _joined(tokens: list[Token]) -> list[Token]:
    """Drops what joins the parts of one word: the hyphens of "batch-size" and "--lr", the dot of "torch.compile"."""
    kept: list[Token] = []
    for n, token in enumerate(tokens):
        after = tokens[n + 1] if n + 1 < len(tokens) else None
        before = kept[-1] if kept else None
        if token.kind == "mark" and after is not None:
            wordy = after.kind in {"word", "abbrev"} and after.glued
            if (
                token.text in {"-", "--"}
                and wordy
                and (not token.glued or (before is not None and before.kind != "mark"))
            ):
                continue
            if token.text == "." and token.glued and before is not None and before.text in _ABBREVIATIONS:
                continue
            joins = token.glued and before is not None and before.kind in {"word", "abbrev"} and after.glued
            if token.text == "." and joins and wordy:
                continue
            if token.text == "-" and joins and after.kind in {"num", "ver"}:
                continue
        if token.text in {"`", '"', "*", "$", "~"}:
            continue
        kept.append(token)
    return kept


def number(text: str) -> int | float:
    """The value of a quantity as it is written: 16, 0.3, 1e-4, 10^-4, 2k, 90% (0.9), 1,000.

    Raises:
        ValueError: it is no quantity.
    """
    plain = re.sub(r"\s|,(?=000)", "", text.lower())
    power = re.fullmatch(r"(?:(?P<factor>[\d.]+)[x*])?10(?:\^|\*\*)\(?(?P<exponent>-?\d+)\)?", plain)
    if power is not None:
        return float(f"{power['factor'] or 1}e{power['exponent']}")
    for suffix in ("%", "percent", "pct"):
        if plain.endswith(suffix):
            return float(f"{plain.removesuffix(suffix)}e-2")
    scale = {"k": 1000, "m": 1_000_000}.get(plain[-1:], 1)
    plain = plain.rstrip("km")
    if plain.isdecimal() and len(plain) < 16:
        return int(plain) * scale
    value = float(plain) * scale
    return int(value) if scale > 1 and value.is_integer() else value
