"""Parameters that the vocabulary does not know, by their form: "focal_gamma = 1, 2", "sweep the commitment cost scale ..."."""

from __future__ import annotations

from collections.abc import Sequence

from wpfsm.adapters.detect.clauses import ASKING, RUN, TRY
from wpfsm.adapters.detect.grammar import Item
from wpfsm.adapters.detect.vocabulary import Kind, Parameter, word_set
from wpfsm.adapters.detect.wordforms import singular

LEFT_FILLERS = word_set(
    """
    of to at is = : == in value e.g like such as among over from set ( [ { be either both say around
    about first with for use using i 'd try test go equal - -> , include including namely between range
    candidate option sweep search are set the a an these those following each one all run would eg
    example i.e ie compare new two three different several current currently vary should could ' by on
    explore want only just , respectively start up our choose pick log uniform loguniform logspace
    uniformly e g
    """
)
"""Between a parameter and the list of its values."""
_ASSIGNS = word_set("= : of over in [ ( { at to from among as value")
_MEASURES = word_set(
    """
    rate coef coefficient factor ratio weight prob probability threshold dim dimension scale strength penalty margin
    width gamma tau epsilon temperature noise depth degree regularization regularisation multiplier exponent discount
    radius unit neuron channel size length bandwidth cutoff
    """
)
"""Nouns that take a number: with a list of numbers behind it, such a phrase is a parameter."""
_ELSEWHERE = word_set("temperature threshold channel length")
"""Of these, what is a parameter of other things too; they need a verb of running."""
_OUTSIDE_NAMES = word_set(
    "please again it with on at and or for by my this that same different other all them both me us you we i"
)


def by_form(items: Sequence[Item], start: int) -> Parameter | None:
    """A parameter that the vocabulary does not know, by its form: "focal_gamma = 1, 2", "entropy bonus scale 0.1, 0.3"."""
    at = start - 1
    while at >= 0 and items[at].text in _ASSIGNS:
        at -= 1
    assigned = items[at + 1].text in {"=", ":"}
    parts: list[Item] = []
    while at >= 0 and len(parts) < 4 and (_is_part_of_name(items[at]) or _is_glued_to(items[at], parts)):
        parts.insert(0, items[at])
        at -= 1
    if not parts:
        return None
    last = singular(parts[-1].raw)
    written = len(parts) > 1 and all(part.glued for part in parts[1:])
    verbs = {item.text for item in items[: at + 1]}
    asked = bool(verbs & TRY) or (assigned and not verbs & {"set", "use", "export"})
    runs = bool(verbs & (RUN | {"run"})) and last == parts[-1].raw  # "with loss weights 1 and 2" is one job
    measured = last in _MEASURES and (runs or (asked and last not in _ELSEWHERE))
    if not (measured or (written and asked)):
        return None
    words = [*(part.raw for part in parts[:-1]), parts[-1].raw if written else last]
    return Parameter("_".join(words).replace(" ", "_").replace("-", "_"), Kind.TRAINING)


def _is_glued_to(item: Item, parts: Sequence[Item]) -> bool:
    """Whether a word of the vocabulary is only the beginning of a longer name: "dice_loss_weight"."""
    return bool(parts) and parts[0].glued and item.tag in {"METRIC", "PARAM", "VAL", "METHOD"}


def _is_part_of_name(item: Item) -> bool:
    plain = item.tag == "" and item.raw.replace(" ", "").isalnum() and not item.raw.isdigit()
    return plain and not (item.text in ASKING or item.text in LEFT_FILLERS or item.text in _OUTSIDE_NAMES)
