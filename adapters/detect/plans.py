"""How a request wants its trials run: method, count, repeats, budget, and whether somebody proposes them by hand."""

from __future__ import annotations

from wpfsm.adapters.detect.findings import Plan
from wpfsm.adapters.detect.items import items_of
from wpfsm.adapters.detect.tables import rule

_OFTEN = {"twice": 2, "thrice": 3}


def plan_of(text: str) -> Plan:
    """How a text, in English words, wants its trials run."""
    method = next((name for name in ("bayes", "random", "grid") if rule(f"method {name}").search(text)), "")
    cap = rule("cap").search(text)
    most = number_of(cap["n"] or cap["m"]) if cap else None
    rest = rule("cap").sub(lambda found: " " * len(found.group()), text, count=1)
    each = rule("each").search(rest)
    repeats = None
    if each is not None:
        said = next(found for found in each.groups() if found).lower()
        repeats = _OFTEN.get(said) or number_of(said.split()[0])
        rest = rest[: each.start()] + rest[each.end() :]
    counts = [number_of(match["n"] or match["m"]) for match in rule("count").finditer(rest)]
    count = next((n for n in counts if n and 1 < n <= 500), None)
    money = [item for item in items_of(text) if item.tag == "$" and item.value]
    spent = [i for i in money if rule("spending").search(text[max(0, i.start - 40) : i.start + 40])]
    cost = float(str(spent[0].value)) if spent else None
    said = (rule(name).search(text) is not None for name in ("by hand", "mend first", "emulator"))
    return Plan(method, count, most, repeats, cost, *said)


def number_of(text: str) -> int | None:
    """The count that a figure or a word says: 12, "twelve", "a dozen", "twice"."""
    words = {"half a dozen": 6, "dozen": 12, "couple": 2, "handful": 5, **_OFTEN}
    said = next((value for word, value in words.items() if word in text.lower()), None)
    found = items_of(text.lower())
    return said or (found[0].value if found and isinstance(found[0].value, int) else None)
