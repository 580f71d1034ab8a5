"""From tokens to tagged items: the longest phrase of the vocabulary wins, other words get their base form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from wpfsm.adapters.detect import vocabulary as words
from wpfsm.adapters.detect.findings import Value
from wpfsm.adapters.detect.patterns import Rule
from wpfsm.adapters.detect.spelling import corrected
from wpfsm.adapters.detect.tokens import Token, number, tokens_of
from wpfsm.adapters.detect.vocabulary import Parameter
from wpfsm.adapters.detect.wordforms import LEMMAS, PHRASES, singular


@dataclass(frozen=True, slots=True)
class Item:
    """A word, a phrase of the vocabulary, a quantity or a mark.

    Attributes:
        tag: "NUM", "VER", "PARAM", "VAL", "METRIC", "PKG", "METHOD", "MODEL", "INST", "FILE", "STOP", or "" for a word or mark.
        text: the lemma of a word, the name of a phrase, the mark itself.
        raw: as written, in lower case.
        value: of a quantity, or the named value.
        parameter: of a PARAM, and of a VAL the one it belongs to.
        glued: no blank before it.
    """

    tag: str
    text: str
    raw: str
    value: Value | None = None
    parameter: Parameter | None = None
    glued: bool = False

    @property
    def symbol(self) -> str:
        """What stands for it in a shape; never holds a blank."""
        return self.tag or self.text


_RAW_CASE = {"map": frozenset({"mAP", "MAP"})}
_CLITICS = {
    "i've": ("i", "have"),
    "we've": ("we", "have"),
    "they've": ("they", "have"),
    "let's": ("let",),
    "lets": ("let",),
    "gimme": ("give", "me"),
    "lemme": ("let", "me"),
    "wanna": ("want", "to"),
    "gotta": ("need", "to"),
}

Entry = tuple[tuple[str, ...], Item]


_SIZE = Rule(r"\d+(?:\.\d+)?[bm]$")


@cache
def _table() -> dict[str, list[Entry]]:
    """Every phrase of the vocabulary by its first word, longest first."""
    table: dict[str, list[Entry]] = {}

    def put(surface: str, item: Item) -> None:
        parts = tuple(surface.split())
        table.setdefault(parts[0], []).append((parts, item))

    parameters = {parameter.name: parameter for parameter in words.PARAMETERS}
    for name, row in PHRASES.items():
        for surface in words.surfaces(row):
            put(surface, Item("", name, surface))
    for parameter, row in words.PARAMETERS.items():
        for surface in words.surfaces(row):
            put(surface, Item("PARAM", parameter.name, surface, parameter=parameter))
    for owner, named in words.VALUES.items():
        for name, row in named.items():
            for surface in words.surfaces(row):
                put(surface, Item("VAL", name, surface, value=name, parameter=parameters[owner]))
    for name, row in words.METHODS.items():
        for surface in words.surfaces(row):
            put(surface, Item("METHOD", name, surface, value=name))
    for name, row in words.METRICS.items():
        for surface in words.surfaces(row):
            put(surface, Item("METRIC", name[1:], surface))
            for split, prefix in words.METRIC_SPLITS.items():
                put(f"{split} {surface}", Item("METRIC", f"{prefix}_{name[1:]}", surface))
    for row in words.PACKAGES.split():
        name = row.split("|")[0]
        for surface in row.replace("-", " ").replace("_", " ").split("|"):
            put(surface, Item("PKG", name, surface))
    put("map", Item("METRIC", "map", "map"))
    for entries in table.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return table


LOWER_IS_BETTER = frozenset(name[1:] for name in words.METRICS if name[0] == "-")


def _items(tokens: list[Token]) -> list[Item]:
    items: list[Item] = []
    texts = [_meant(token) for token in tokens]
    singulars = [
        singular(text) if token.kind == "word" else text for text, token in zip(texts, tokens, strict=True)
    ]
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token.kind in {"word", "abbrev"} or token.text in _table():
            length, found = _phrase(texts, singulars, tokens, at)
            if found is not None:
                raw = " ".join(texts[at : at + length])
                items.append(Item(found.tag, found.text, raw, found.value, found.parameter, token.glued))
                at += length
                continue
            length = _model(tokens, at)
            if length:
                written = "".join(f"{'-' if t.glued else ' '}{t.written}" for t in tokens[at : at + length])[
                    1:
                ]
                items.append(Item("MODEL", written, written.lower(), value=written))
                at += length
                continue
        items.extend(_single(replace(token, text=texts[at])))
        at += 1
    return items


@cache
def _known() -> frozenset[str]:
    """Every word that the grammar has a use for; none of them is a slip."""
    phrases = {part for entries in _table().values() for parts, _ in entries for part in parts}
    return frozenset(phrases | LEMMAS.keys() | set(LEMMAS.values()))


def _meant(token: Token) -> str:
    text = token.text
    if token.kind != "word" or text in _known() or singular(text) in _known():
        return text
    return corrected(text)


def _phrase(texts: list[str], singulars: list[str], tokens: list[Token], at: int) -> tuple[int, Item | None]:
    for key in dict.fromkeys((texts[at], singulars[at])):  # as written first: "betas" is no plural
        for parts, item in _table().get(key, ()):
            length = len(parts)
            window = zip(parts, texts[at : at + length], singulars[at : at + length], strict=False)
            if at + length <= len(texts) and all(part in (text, single) for part, text, single in window):
                cases = _RAW_CASE.get(item.text) if length == 1 else None
                if cases is None or tokens[at].written in cases:
                    return length, item
    return 0, None


def _model(tokens: list[Token], at: int) -> int:
    """How many tokens name a model, beginning with its family: "Llama-3-8B", "Qwen2 7B", "resnet50"."""
    family = tokens[at].text
    if family not in words.MODEL_FAMILIES or (
        family in words.EVERYDAY_FAMILIES and not _sizes(tokens, at + 1)
    ):
        return 0
    end = at + 1
    while end < len(tokens) and _continues_model(tokens, end):
        end += 1
    return end - at


def _continues_model(tokens: list[Token], at: int) -> bool:
    token = tokens[at]
    if token.text == "-":
        return at + 1 < len(tokens) and tokens[at + 1].glued
    attached = token.glued and token.kind in {"word", "num"}
    versioned = token.kind in {"num", "ver"} and _sizes(tokens, at + 1)
    return attached or versioned or _sizes(tokens, at)


def _sizes(tokens: list[Token], at: int) -> bool:
    """Whether a token says which member of a family it is: "8B", "base", "-2"."""
    if at >= len(tokens):
        return False
    token = tokens[at]
    numbered = token.glued and token.kind == "num"
    return numbered or token.text in words.MODEL_SUFFIXES or _SIZE.match(token.text) is not None


def _is_quantity(value: float) -> bool:
    """Whether a number is of a size that people mean; what is not is a word."""
    return value == 0 or 1e-30 < value < 1e15


def _single(token: Token) -> list[Item]:
    text, glued = token.text, token.glued
    if token.kind in {"num", "power"} and _is_quantity(number(text)):
        return [Item("NUM", "NUM", text, value=number(text), glued=glued)]
    if token.kind == "ver":
        return [Item("VER", text, text, value=text, glued=glued)]
    if token.kind == "inst":
        return [Item("INST", text, text, value=f"ml.{text.removeprefix('ml.')}", glued=glued)]
    if token.kind == "file":
        return [Item("FILE", text, text, value=token.written, glued=glued)]
    if token.kind == "uri":
        return [Item("", "uri", text, glued=glued)]
    if text in {"?", "!", ";", "\n"} or (text == "." and not glued) or text == ".":
        return [Item("STOP", text, text, glued=glued)]
    if text in _CLITICS:
        return [Item("", part, text, glued=glued) for part in _CLITICS[text]]
    if text in words.NUMBER_WORDS and text != "one":
        return [Item("NUM", "NUM", text, value=words.NUMBER_WORDS[text], glued=glued)]
    lemma = (
        LEMMAS.get(text) or LEMMAS.get(singular(text)) or (singular(text) if token.kind == "word" else text)
    )
    if text in {
        "was",
        "is",
        "has",
        "does",
        "this",
        "its",
        "us",
        "vs",
        "always",
        "yes",
        "kubernetes",
        "eks",
        "databricks",
        "towards",
        "less",
        "'s",
    }:
        lemma = text
    return [Item("", LEMMAS.get(lemma, lemma), text, glued=glued)]


def items_of(text: str) -> list[Item]:
    """Reads a text into items; never raises."""
    return _listed(_settled(_items(tokens_of(text))))


_AT = "@"
_THINGS = words.word_set("gpu instance node machine host")
_ONE_THING = words.word_set("this that the same one single our my a each per")


def _settled(items: list[Item]) -> list[Item]:
    """What one item alone does not say: the k of "recall@10", and that "this GPU" is a thing and no parameter."""
    kept: list[Item] = []
    for n in range(len(items) - 2, -1, -1):  # "dice_loss_weight" is no loss
        after = items[n + 1]
        if items[n].tag == "METRIC" and after.glued and after.tag == "" and after.text.isalpha():
            items[n] = Item("", items[n].raw.replace(" ", "_"), items[n].raw, glued=items[n].glued)
    n = 0
    while n < len(items):
        item = items[n]
        cut = items[n + 2] if n + 2 < len(items) and items[n + 1].text == _AT else None
        if item.tag == "METRIC" and cut is not None and cut.tag == "NUM" and cut.glued:
            kept.append(replace(item, text=f"{item.text}_at_{cut.raw}", raw=f"{item.raw}@{cut.raw}"))
            n += 3
            continue
        before = kept[-1].text if kept else ""
        thing = item.tag == "PARAM" and item.raw in _THINGS and before in _ONE_THING
        kept.append(Item("", item.raw, item.raw, glued=item.glued) if thing else item)
        n += 1
    return kept


def _listed(items: list[Item]) -> list[Item]:
    """Reads a semicolon or a line break between values as a comma: a list, not a new sentence."""
    valued = {"NUM", "VAL", "METHOD", "MODEL"}
    for n in range(1, len(items) - 1):
        item, after = items[n], items[n + 1]
        bullet = item.text == "\n" and after.text == "-"
        before = items[n - 1]
        if item.text in {";", "\n"} and (
            bullet
            or (after.tag in valued and before.tag in valued)
            or after.text in {"then", "and"}
            or before.text == ":"
        ):
            items[n] = Item("", ",", item.raw)
            if bullet:
                items[n + 1] = Item("", ",", "-")
    return items
