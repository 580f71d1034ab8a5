"""The things that a request speaks of, as keys: "the auxiliary loss" is "auxiliary_loss"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wpfsm.adapters.detect.clauses import ASKING, Shape
from wpfsm.adapters.detect.grammar import Item
from wpfsm.adapters.detect.patterns import Rule
from wpfsm.adapters.detect.vocabulary import word_set

_HALTS = word_set(
    """
    and or vs , . / | & on in at for from to with by of then using while but so see compare if : ; ( )
    versus against between after before into across during as than keep is are was be make when because
    without retrain train rerun run check report measure next please for both each once same it? both
    actually really help hurt matter speed contribute until via off enable disable enabled disabled true
    false = one - -- — where which that not no turnoff turnon turned start together altogether
    doing anything entirely completely again instead runs per - improve remain side respectively
    """
)
_DETERMINERS = word_set(
    """
    the a an any our my its your this that some all each every using use adding of extra explicit just
    only whole entire doing having
    """
)
PRONOUNS = word_set("it them this that both those these one ones")
"""What stands for a thing that was named before."""
_COPULAS = word_set("= : set be turned switched is both with once , (")
_LIST_MARKS = word_set(", and / & then or")
_LONGEST = 4
"""Words in a noun phrase."""
_SUBJECTS = (
    Rule(
        r" (?:if|does|do|is|are|need|use|about|compare|suspect|think|believe|doubt|(?:come|gain|contribution) from"
        r"|(?:effect|impact|influence|contribution|benefit|role) of) "
    ),
    Rule(r" (?:for|on|of) "),
)
"""What stands before the thing that a later "it" means; the first rule that finds one decides."""


def ahead(shape: Shape, offset: int) -> str:
    """The noun phrase that begins at an offset of the shape, or ""."""
    return _phrase(shape.items[shape.index(offset) :]) if offset < len(shape.text) - 1 else ""


def behind(shape: Shape, offset: int) -> list[str]:
    """The noun phrases that end before an offset, by length: "the weight decay" gives ["decay", "weight_decay"]."""
    end = shape.index(offset) + 1 if offset > 0 else 0
    parts: list[Item] = []
    found: list[str] = []
    for n in range(end - 1, -1, -1):
        item = shape.items[n]
        if not parts and item.text in _COPULAS:
            continue
        joined = bool(parts) and shape.items[n + 1].glued
        verb = item.tag == "" and item.text in ASKING
        if item.tag in {"STOP", "NUM", "METRIC"} or (
            not joined and (verb or item.text in _HALTS | _DETERMINERS)
        ):
            break
        parts.insert(0, item)
        found.append(_key(parts))
        if len(parts) == _LONGEST:
            break
    return found


def listed(shape: Shape, offset: int) -> list[str]:
    """The noun phrases of a list: "layer norm, residual connections and positional encoding"."""
    if offset >= len(shape.text) - 1:
        return []
    at = shape.index(offset)
    found: list[str] = []
    current: list[Item] = []
    for item in shape.items[at : at + 24]:
        if item.text in _LIST_MARKS:
            found.append(_phrase(current))
            current = []
        elif item.tag == "STOP" or item.text in _HALTS or (item.text in ASKING and not current):
            break
        else:
            current.append(item)
    found.append(_phrase(current))
    return [phrase for phrase in found if phrase and phrase not in PRONOUNS]


def antecedent(shape: Shape, offset: int) -> str:
    """What "it" at an offset is: the subject of "if ... helps", the object of "effect of", or the last parameter."""
    head = Shape(shape.items[: shape.index(offset) + 1])
    for rule in _SUBJECTS:
        for match in reversed(list(rule.finditer(head.text))):
            phrase = ahead(head, match.end())
            if phrase and phrase not in PRONOUNS:
                return phrase
    return next((item.text for item in reversed(head.items) if item.tag == "PARAM"), "")


def _phrase(items: Sequence[Item]) -> str:
    parts: list[Item] = []
    for n, item in enumerate(items):
        if item.tag in {"STOP", "NUM"}:
            break
        joined = n + 1 < len(items) and items[n + 1].glued
        if not parts and item.text in _DETERMINERS and not joined:
            continue
        inside = bool(parts) and item.glued and item.text.isalnum()
        if not inside and (item.text in _HALTS or (parts and item.text in ASKING)):
            break
        parts.append(item)
        if len(parts) == _LONGEST:
            break
    return _key(parts)


def _key(parts: Sequence[Item]) -> str:
    """The parameter's name if the phrase is one, else its words ("batch norm" is no batch size)."""
    if len(parts) == 1 and parts[0].tag == "PARAM":
        return parts[0].text
    return "_".join(re.sub(r"[ -]", "_", item.raw.replace("'", "")) for item in parts)
