"""The parts that an ablation switches off, and the recipes that follow one another."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wpfsm.adapters.detect.findings import Trial
from wpfsm.adapters.detect.items import Item
from wpfsm.adapters.detect.tables import methods, rule, rules, word_set

_CELLS = re.compile(r",|;|/|\band\b|\bor\b|\([a-z0-9]\)|\bas well as\b", re.IGNORECASE)
_APART = re.compile(r"\beach\b|\bin turn\b|one (?:by|at|after)|separately|alone|ablat", re.IGNORECASE)


def ablated_parts(text: str) -> list[Trial]:
    """A baseline with every part and, for each part, the variant without it; or one thing's old and new form."""
    text = re.sub(r"\(([a-e1-9]|i{1,3})\)", ",", text)
    versus = rule("old and new").search(text)
    if versus is not None and versus["a"].lower() != versus["b"].lower():
        forms = sorted((versus["a"].lower(), versus["b"].lower()), key=lambda form: form == "new")
        return [{_name(versus["what"]): form} for form in forms]
    listed = rule("parts list").search(text)
    parts = _parts(_CELLS.split(listed["list"].replace("w/o", "without"))) if listed else []
    denied = [] if parts else _parts([match["np"] for match in rule("parts no").finditer(text)])
    against = re.search(r"\b(?:vs\.?|versus|against)\s+no\b|^-", text, re.IGNORECASE)
    parts = parts or (denied if len(denied) > 1 or against else []) or _first(text)
    baseline: Trial = dict.fromkeys(parts, True)
    return [baseline, *({**baseline, part: False} for part in parts)] if parts else []


def _first(text: str) -> list[str]:
    """The part that the first rule finds, and those that are listed behind it where each is to stand alone."""
    for each in rules("parts one"):
        match = each.search(text)
        found = _parts([match["np"] or match.groupdict().get("np2") or ""]) if match else []
        if match and found:
            rest = re.match(
                r"\s*(?:,|and) ?(?:then )?(?P<more>(?:[\w-]+(?:, and |, | and | ))*?[\w-]+)(?=\W*$|\.|, (?:each|one|repeat)| (?:and|in turn|separately|each|one)\b)",
                text[match.end() :],
            )
            more = _parts(_CELLS.split(rest["more"])) if rest and _APART.search(text) else []
            return list(dict.fromkeys(found + (more if all(len(name) < 30 for name in more) else [])))
    return []


def _parts(cells: Sequence[str]) -> list[str]:
    names = [_name(cell) for cell in cells]
    return list(dict.fromkeys(name for name in names if name and name not in word_set("no parts")))


def _name(phrase: str) -> str:
    """The key of a part: its words joined, without articles and what is said of it."""
    phrase = re.split(r"\bone (?:at|by)\b|\bin turn\b|\bseparately\b|\balone\b", phrase.lower())[0]
    words = re.findall(r"[^\W_]+(?:_[^\W_]+)*", re.sub(r"^\s*(?:remove|no|without|drop|minus) ", "", phrase))
    while words and words[0] in word_set("empty words"):
        words.pop(0)
    while words and words[-1] in word_set("empty words"):
        words.pop()
    return (
        "_".join(words)
        if words and len(words) <= 5 and not (words[0] in word_set("no parts") or words[0].isdigit())
        else ""
    )


_FILES = re.compile(r"[\w./-]*\w\.(?:py|ya?ml|sh|json)\b")
_NO_RECIPE = re.compile(r"requirements|config\.ya?ml$|\btrain\.py$")


def recipes_of(text: str, items: Sequence[Item]) -> list[Trial]:
    """The recipes that a text names, in order; each is the trial ``{"recipe": NAME}``."""
    files = [file for file in _FILES.findall(text) if not _NO_RECIPE.search(file)]
    known = [str(item.value) for item in items if item.tag == "m" and item.value in set(methods().values())]
    steps = _sequence(text)
    listed = rule("recipe list").search(text)
    named = [cell.strip(" ,;'\"") for cell in _CELLS.split(listed["list"])] if listed else []
    lettered = rule("recipe letters").search(text)
    letters = re.split(r"\W+|\band\b|\bthen\b|\brecipe\b", lettered["list"]) if lettered else []
    if len(set(known)) > 1 and len(steps) < len(set(known)):
        steps = []
    for found in (files, steps, known, named, [f"recipe {letter}" for letter in letters if letter]):
        cells = list(dict.fromkeys(cell for cell in found if 1 < len(cell) <= 60))
        if len(cells) > 1 or (cells and found is files):
            return [{"recipe": cell} for cell in cells]
    return []


def _sequence(text: str) -> list[str]:
    """The steps of "first A, then B, finally C", without the words around them."""
    marks = list(rule("step mark").finditer(text))
    starts = [0, *(mark.end() for mark in marks)]
    ends = [*(mark.start() for mark in marks), len(text)]
    named: list[str] = []
    for start, end in zip(starts, ends, strict=True) if marks else ():
        piece = rule("step end").split(text[start:end].strip(" ,;:.-\n"))[0].strip()
        piece = re.sub(r"\([^)]*$|'", "", piece)
        while (shorter := rule("step lead").sub("", piece).strip(" ,;:.-")) != piece:
            piece = shorter
        piece = rule("step tail").sub("", piece).strip(" ,;:.-()")
        if 1 < len(piece) <= 60 and re.search(r"[^\W\d_]", piece):
            named.append(piece)
    return list(dict.fromkeys(named))
