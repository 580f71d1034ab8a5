"""From text to items: numbers, parameters, named values, metrics, marks and words, each with a one-letter tag.

The tags of a text, one letter an item, make its shape, so that a rule can be an expression over the shape and a match
leads straight back to the items.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from wpfsm.adapters.detect import tables
from wpfsm.adapters.detect.findings import Value
from wpfsm.adapters.detect.tables import Parameter, word_set


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


_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?![\d,.]\d)|\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d{1,3})?"
_TOKEN = re.compile(
    rf"""
    (?P<uri>(?:s3|https?)://\S+)
  | (?P<F>[\w./-]*\w\.(?:py|txt|ya?ml|json|csv|toml|sh|ipynb|md|cfg|jsonl|parquet|ini)\b)
  | (?P<I>\bml\.[a-z0-9-]+\.[a-z0-9]+|\b[a-z]{{1,4}}\d[a-z]{{0,3}}(?:-[a-z]+)?\.(?:\d*x?large|metal|medium|small)\b
      |\b(?:g4dn|g5|g6|g6e|p3|p3dn|p4d|p4de|p5|p5e|p5en|trn1|trn2|c5|c6i|m5|r5)\b(?![-.\w]))
  | (?P<X>(?<![\w.])v?\d+\.\d+\.(?:\d+|\*)(?:\.?(?:post|rc|dev|a|b)\d+)?(?:\+[a-z0-9.]*[a-z0-9])?(?!\w)|(?<![\w.])\d+\.(?:x|\*)(?!\w)|\bv\d+(?:\.\d+)?\b)
  | (?P<time>(?<!\d)\d?\d:\d\d(?::\d\d)?(?!\d))
  | (?P<D>(?<![\w.:])\d+:\d+(?![\w:]))
  | (?P<power>(?<![\w.])(?:\d+(?:\.\d+)?\s?[x*]\s?)?10\s?(?:\^|\*\*)\s?\(?-?\d{{1,2}}\)?(?!\w))
  | (?P<money>(?:[$€£]|usd\s?)\s?\d+(?:[.,]\d+)?k?|\d+(?:[.,]\d+)?\s?(?:[$€£]|usd\b|dollars?\b|bucks\b|euros?\b|eur\b))
  | (?P<times>(?<!\w)x\s?\d{{1,2}}(?!\w)|(?<![\w.])\d{{1,3}}\s?x(?!\w)(?!\s*\d)(?!\s*[({{\[a-z]))
  | (?P<N>(?<![\w.])(?:[-+](?=[\d.]))?{_NUMBER}(?:\s?%|\s?percent\b|\s?pct\b|[km](?!\w))?(?![a-z_]|\d))
  | (?P<measure>(?<![\w.])\d+(?:\.\d+)?[a-z]+\b)
  | (?P<cjk>[\u3040-\u30ff\u4e00-\u9fff]+)
  | (?P<word>--?(?=[a-z])|[^\W\d_][\w]*(?:[.-](?=[^\W\d_])\w+)*(?:'[a-z]+)?|_\w+)
  | (?P<mark><=|>=|=<|==|!=|->|=>|--+|\.\.+|\n|[^\w\s])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NUMBERS = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "twelve": 12,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
}
_LISTS = frozenset(
    [
        ",",
        "/",
        "|",
        ";",
        "and",
        "or",
        "vs",
        "versus",
        "&",
        "+",
        "then",
        "->",
        "against",
        "vs.",
        "plus",
        "resp",
    ]
)
_RANGES = frozenset(["to", "through", "thru", "-", "\u2013", "..", "...", "~", "till"])


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
    tokens = list(_TOKEN.finditer(text))
    words = [token.group().lower().strip("_") or "_" for token in tokens]
    singles = [singular(word) for word in words]
    found: list[Item] = []
    at = 0
    while at < len(tokens):
        length, item = _phrase(words, singles, at)
        token = tokens[at]
        if item is not None:
            raw = text[token.start() : tokens[at + length - 1].end()]
            found.append(Item(item.tag, item.text, raw, token.start(), item.value, item.parameter, item.up))
        else:
            length = 1
            found.append(_single(token))
        found[-1].glued = token.start() > 0 and not text[token.start() - 1].isspace()
        at += length
    return _named(found)


def _phrase(words: list[str], singles: list[str], at: int) -> tuple[int, Item | None]:
    parts = words[at].replace("_", " ").replace("-", " ").split()
    if len(parts) > 1:  # one token that is written with underscores keeps its form
        item = next((item for form, item in _phrases().get(parts[0], ()) if list(form) == parts), None)
        single = item or next(
            (
                item
                for form, item in _phrases().get(parts[0], ())
                if list(form) == singular(" ".join(parts)).split()
            ),
            None,
        )
        if single is not None:
            return 1, _kept(single, words[at])
    for key in dict.fromkeys((words[at], singles[at])):
        for form, item in _phrases().get(key, ()):
            ends = at + len(form)
            if ends <= len(words) and all(
                part in pair
                for part, pair in zip(form, zip(words[at:ends], singles[at:ends], strict=True), strict=True)
            ):
                return len(form), item
    return 0, None


def _kept(item: Item, word: str) -> Item:
    """A name with underscores is what the script reads: it stays."""
    if item.tag not in "PM" or "_" not in word:
        return item
    parameter = item.parameter and Parameter(word, item.parameter.domain, item.parameter.counted)
    return Item(item.tag, word, item.raw, 0, parameter=parameter, up=item.up)


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
        return Item(
            "$", text, raw, start, float(re.sub(r"[^\d.]", "", text.replace(",", ".")).strip(".") or 0)
        )
    if kind == "I":
        return Item("I", f"ml.{text.removeprefix('ml.')}", raw, start)
    if kind in {"F", "X"}:
        return Item(kind, text, raw, start, raw)
    if kind == "D":
        return Item("D", text, raw, start, raw)
    if text in _NUMBERS:
        return Item("N", "#", raw, start, _NUMBERS[text])
    return Item(_tag(text), singular(text) if kind == "word" else text, raw, start)


def _tag(text: str) -> str:
    if text in _LISTS:
        return ","
    if text in _RANGES:
        return "-"
    if text in {".", "!", "\n"}:
        return "."
    if text == "?":
        return "?"
    if text in "([{":
        return "("
    if text in ")]}":
        return ")"
    if text in {"from", "between"}:
        return "f"
    if text in word_set("between"):
        return "a"
    if singular(text) in word_set("jobs"):
        return "J"
    if singular(text) in word_set("units"):
        return "u"
    return "w"


_NAME = re.compile(r"(?:[A-Za-z]\w*_\w+|[a-z]+[A-Z]\w*)$")


def _named(items: list[Item]) -> list[Item]:
    """Marks as parameters the names that no table knows and that are written like one: `dice_weight`, `foo=1`, `--foo 1`."""
    for n, item in enumerate(items):
        after = items[n + 1] if n + 1 < len(items) else None
        if item.tag != "w" or not re.match(r"[^\W\d]", item.raw):
            continue
        assigned = (
            after is not None
            and after.text in {"=", ":"}
            and n + 2 < len(items)
            and items[n + 2].tag in "NVD("
        )
        flagged = n > 0 and items[n - 1].text in {"--", "-"} and item.glued
        closely = assigned and (after.text == "=" or item.raw.isidentifier())  # type: ignore[union-attr]
        if _NAME.match(item.raw) or (closely and len(item.raw) > 1) or flagged:
            items[n] = Item(
                "P", item.raw, item.raw, item.start, parameter=Parameter(item.raw), glued=item.glued
            )
    return items


def shape_of(items: list[Item]) -> str:
    """The tags of items, one letter each."""
    return "".join(item.tag for item in items)
