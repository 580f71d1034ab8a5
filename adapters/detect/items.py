"""From text to items: numbers, parameters, named values, metrics, marks and words, each with a one-letter tag.

The tags of a text, one letter an item, make its shape, so that a rule can be an expression over the shape and a match
leads straight back to the items.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from wpfsm.adapters.detect import tables
from wpfsm.adapters.detect.findings import Value
from wpfsm.adapters.detect.tables import Parameter, rule, word_set


@dataclass(slots=True)
class Item:
    """One item of a text.

    Attributes:
        tag: N number, V named value, P parameter, M metric, m method, L package, X version, I instance type, F file,
            D ratio such as 1:4, ',' between the members of a list, '-' between the ends of a range, '.' end of a
            sentence, '?' end of a question, '(' and ')' brackets, 'a' a word between a name and its values, 'f' "from"
            and "between", 'J' jobs, 'u' another unit, 'w' any other word.
        text: in lower case, in the singular where a table knows it.
        raw: as written.
        start: where it begins in the text.
        value: of a number or a named value.
        parameter: of P and V.
        up: of a metric, whether higher is better.
        glued: nothing stands between it and the item before.
    """

    tag: str
    text: str
    raw: str
    start: int
    value: Value | None = None
    parameter: Parameter | None = None
    up: bool = False
    glued: bool = False

    @property
    def percent(self) -> bool:
        """Whether it was written as a percentage."""
        return self.raw.rstrip().endswith(("%", "percent", "pct"))


@cache
def _phrases() -> dict[str, list[tuple[tuple[str, ...], Item]]]:
    """Every phrase of the tables by its first word, the longest first."""
    found: dict[str, list[tuple[tuple[str, ...], Item]]] = {}

    def put(form: str, item: Item) -> None:
        parts = tuple(form.split())
        found.setdefault(parts[0], []).append((parts, item))

    for form, (parameter, own) in tables.parameters().items():
        kept = own and f"{form}s" != parameter.name
        named = Parameter(form.replace(" ", "_"), parameter.domain, parameter.counted) if kept else parameter
        put(form, Item("P", named.name, form, 0, parameter=named))
    domains = {parameter.name: parameter for parameter, _ in tables.parameters().values()}
    for form, (owner, value) in tables.named_values().items():
        put(form, Item("V", value, form, 0, value=value, parameter=domains[owner]))
    for form, method in tables.methods().items():
        put(form, Item("m", method, form, 0, value=method))
    for form, (metric, up) in tables.metrics().items():
        put(form, Item("M", metric, form, 0, up=up))
    for form, package in tables.packages().items():
        put(form.replace("-", " ").replace("_", " "), Item("L", package, form, 0))
    for entries in found.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return found


def singular(word: str) -> str:
    """The singular of an English word, roughly."""
    if len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("sses", "ches", "xes", "shes")):
        return word[:-2]
    return word.removesuffix("s")


def number(text: str) -> int | float:
    """The value of a number as written: 16, .3, 1e-4, 10^-4, 2k (2000), 90% (0.9), 1,000.

    Raises:
        ValueError: it is no number.
    """
    plain = re.sub(r"\s|,(?=\d{3})", "", text.lower())
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


def items_of(text: str) -> list[Item]:
    """The items of a text; never raises."""
    tokens = list(rule("token").finditer(text))
    pieces: list[tuple[str, str]] = []
    starts: dict[int, int] = {}
    for n, token in enumerate(tokens):  # "fine-tuning" and num_epochs are matched as two words
        starts[len(pieces)] = n
        word = token.group().lower()
        parts = [part for part in re.split("[-_]", word) if part] if token["word"] else []
        pieces += [(part, singular(part)) for part in parts or [word]]
    starts[len(pieces)] = len(tokens)
    firsts = list(starts)
    found: list[Item] = []
    at = 0
    while at < len(tokens):
        token, start = tokens[at], tokens[at].start()
        length, known = _phrase(pieces, starts, firsts[at])
        if known is None:
            length, item = 1, _single(token)
        else:
            raw = text[start : tokens[at + length - 1].end()]
            item = replace(known, raw=raw, start=start)
            flag = "-" in raw and text[max(0, start - 2) : start] == "--"
            if item.tag in "PM" and length == 1 and ("_" in raw or flag):  # what the script reads: it stays
                name = raw.lower().strip("_").replace("-", "_")
                own = item.parameter and Parameter(name, item.parameter.domain, item.parameter.counted)
                item = replace(item, text=name, parameter=own)
        item.glued = start > 0 and not text[start - 1].isspace()
        found.append(item)
        at += length
    return _named(found)


def _phrase(pieces: list[tuple[str, str]], starts: dict[int, int], first: int) -> tuple[int, Item | None]:
    """How many tokens from a piece on are a phrase of the tables, and which."""
    for key in dict.fromkeys(pieces[first]):
        for form, item in _phrases().get(key, ()):
            end = first + len(form)
            if end in starts and all(
                part in pair for part, pair in zip(form, pieces[first:end], strict=True)
            ):
                return starts[end] - starts[first], item
    return 0, None


def _single(token: re.Match[str]) -> Item:
    kind, raw, start = token.lastgroup or "mark", token.group(), token.start()
    text = raw.lower()
    if kind in {"N", "power"}:
        try:
            value = number(raw)
        except (ValueError, OverflowError):
            return Item("w", text, raw, start)
        sized = value == 0 or 1e-30 < abs(value) < 1e15
        return Item("N", "#", raw, start, value) if sized else Item("w", text, raw, start)
    if kind == "times":
        return Item("T", text, raw, start, int(re.sub(r"\D", "", text)))
    if kind == "money":
        amount = re.sub(r"[^\d.]", "", text.replace(",", ".")).strip(".")
        return Item("$", text, raw, start, float(amount or 0))
    if kind == "I":
        return Item("I", f"ml.{text.removeprefix('ml.')}", raw, start)
    if kind in {"F", "X", "D"}:
        return Item(kind, text, raw, start, raw)
    if text in _numbers():
        return Item("N", "#", raw, start, _numbers()[text])
    return Item(_tag(text), singular(text) if kind == "word" else text, raw, start)


@cache
def _numbers() -> dict[str, int]:
    return {word: int(value) for word, _, value in (each.partition("=") for each in word_set("numbers"))}


_MARKS = {".": ".", "!": ".", "\n": ".", "?": "?", **dict.fromkeys("([{", "("), **dict.fromkeys(")]}", ")")}
_TAGS = ((",", "lists"), ("-", "ranges"), ("f", "opening"), ("a", "between"), ("J", "jobs"), ("u", "units"))


def _tag(text: str) -> str:
    if text in _MARKS:
        return _MARKS[text]
    counted = singular(text)
    return next((tag for tag, name in _TAGS if (counted if tag in "Ju" else text) in word_set(name)), "w")


_NAME = re.compile(r"(?:[A-Za-z]\w*_\w+|[a-z]+[A-Z]\w*)$")


def _named(items: list[Item]) -> list[Item]:
    """Marks as parameters the names that no table knows and that are written like one: `dice_weight`, `foo=1`, `--foo 1`."""
    for n, item in enumerate(items):
        if item.tag != "w" or not re.match(r"[^\W\d]", item.raw):
            continue
        after, value = items[n + 1 : n + 2], items[n + 2 : n + 3]
        assigned = after and value and after[0].text in {"=", ":"} and value[0].tag in "NVD("
        spoken = re.search("P[wa]{0,2}$", "".join(each.tag for each in items[max(0, n - 3) : n]))
        assigned = assigned and not (
            after[0].text == ":" and spoken
        )  # "the learning rates that I mean: 1, 2"
        closely = assigned and (after[0].text == "=" or item.raw.isidentifier()) and len(item.raw) > 1
        flagged = n > 0 and items[n - 1].text in {"--", "-"} and item.glued
        if _NAME.match(item.raw) or closely or flagged:
            items[n] = replace(item, tag="P", text=item.raw, parameter=Parameter(item.raw))
    return items
