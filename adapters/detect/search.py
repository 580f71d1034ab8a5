"""From values to trials: grids, rows that belong together, ranges, values made by a rule, and how they shall be run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice, product

from wpfsm.adapters.detect.findings import Plan, Trial, Value
from wpfsm.adapters.detect.items import Item, items_of
from wpfsm.adapters.detect.tables import word_set
from wpfsm.adapters.detect.values import MAX_TRIALS, Assignment, Reading, related

_PAIRED = re.compile(
    r"\b(?:respectively|paired?|pairwise|pairs|corresponding|correspondingly|matching|in lockstep|zip|zipped|each with its own|one to one|accordingly)\b",
    re.IGNORECASE,
)
_TUPLE = re.compile(r"[(\[]\s*(?P<row>[\w.+-]+(?:\s*[,;/]\s*[\w.+-]+)+)\s*[)\]]")
_SLASHED = re.compile(r"(?<![\w/.])(?P<row>[\w.+-]+(?:/[\w.+-]+)+)(?![\w/])")
_ALTERNATELY = re.compile(
    r"\b(?:one at a time|one factor at a time|independently of each other|one-at-a-time)\b", re.IGNORECASE
)

_COUNT_WORD = r"(?P<n>\d{1,3}|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|(?:a |half a )?(?:dozen|couple|handful))"
_JOBS = r"(?:training |random |bayesian |more |different |separate |new |retraining |trial |sagemaker |full )*(?:runs?|jobs?|trials?|tries|combos?|combinations?|experiments?|attempts?|trainings?|retrainings?|draws?|launches|iterations?|rounds|evaluations?|configs?|configurations?|samples?|points|models|times)\b"
_CAP = re.compile(
    rf"\b(?:max(?:imum|imal)?\.?|at most|up to|no more than|not more than|limit(?:ed)? to|give up after|or after|stop after|höchstens|within)\s*:?\s*(?:of )?{_COUNT_WORD}\s+{_JOBS}|{_COUNT_WORD.replace('<n>', '<m>')}\s+{_JOBS}\s*(?:max|at most|tops|maximum)",
    re.IGNORECASE,
)
_COUNT = re.compile(
    rf"(?<![\w.$]){_COUNT_WORD}\s+{_JOBS}|\b(?P<jobs>trials|draws|n_trials|num_trials|count|max_trials)\s*[=:]\s*(?P<m>\d{{1,3}})",
    re.IGNORECASE,
)
_EACH = re.compile(
    rf"\b(?:each|every|all|both)\b[^.;\n]{{0,30}}?\b(?:(?P<word>twice|thrice)|{_COUNT_WORD} times|with {_COUNT_WORD.replace('<n>', '<s>')} (?:different )?(?:random )?seeds?)|(?P<word2>twice|thrice|(?:{_COUNT_WORD.replace('<n>', '<t>')}) times) each|{_COUNT_WORD.replace('<n>', '<u>')} (?:random )?seeds (?:each|per|for each)|repeat(?:ed)? each (?:\w+ )?(?P<word3>twice|\d+)",
    re.IGNORECASE,
)
_COST = re.compile(
    r"\b(?:budget|spend|spent|cost|burn(?:ed|t)?|for|limit|cap|most|under|over|allows|approved)\b",
    re.IGNORECASE,
)
_BY_HAND = re.compile(
    r"\bi(?:'ll| will| want to|'d like to)? (?:then )?(?:tell|say|decide|look|hand|give|pick|watch|read|change|see|send|choose|review|check|adjust)\b[^.\n]*\b(?:after|between|each|every|next|again|what to|new)\b"
    r"|\bme in the loop\b|\bby hand\b|\bafter each (?:run|job|training|one|round)[, ]+(?:i|we)\b|\bi look at\b|\bmy workflow is\b|\bin between\b|\bping me between\b|(?:tell|report)[^.]*before (?:the )?next",
    re.IGNORECASE,
)


def plan_of(text: str) -> Plan:
    """How a text, in English words, wants its trials run."""
    method = ""
    if re.search(r"\bbayes\w*|\boptuna\b|\btpe\b|gaussian process", text, re.IGNORECASE):
        method = "bayes"
    elif re.search(
        r"\brandom(?:ly|ised|ized)? (?:search|draw|sampl|combo|trial|tri|subset|point|config|value|experiment)|\brandom(?:ly)?\b(?! (?:seed|init|forest|state|crop|flip|erasing|rotation|weights|baseline|split))|\blog-?uniform|\buniform",
        text,
        re.IGNORECASE,
    ):
        method = "random"
    elif re.search(
        r"\bgrid\b|all (?:\w+ )?comb|full factorial|every combination|each combination|cartesian|cross(?:ed)?\b",
        text,
        re.IGNORECASE,
    ):
        method = "grid"
    cap = _CAP.search(text)
    most = number_of(cap["n"] or cap["m"]) if cap else None
    rest = text if cap is None else text[: cap.start()] + " " * (cap.end() - cap.start()) + text[cap.end() :]
    each = _EACH.search(rest)
    repeats = None
    if each is not None:
        said = next(each[key] for key in ("word", "n", "s", "word2", "t", "u", "word3") if each[key])
        repeats = {"twice": 2, "thrice": 3}.get(said.lower()) or number_of(said.split()[0])
        rest = rest[: each.start()] + rest[each.end() :]
    counts = [number_of(match["n"] or match["m"]) for match in _COUNT.finditer(rest)]
    count = next((n for n in counts if n and 1 < n <= 500), None)
    money = [item for item in items_of(text) if item.tag == "$"]
    spent = [item for item in money if _COST.search(text[max(0, item.start - 40) : item.start + 40])]
    cost = (
        float(str(spent[0].value))
        if spent and isinstance(spent[0].value, float) and spent[0].value > 0
        else None
    )
    return Plan(method, count, most, repeats, cost, by_hand=_BY_HAND.search(text) is not None)


def number_of(text: str) -> int | None:
    """The count that a figure or a word says: 12, "twelve", "a dozen"."""
    if text.isdigit():
        return int(text)
    words = {"dozen": 12, "couple": 2, "handful": 5}
    for word, value in words.items():
        if word in text.lower():
            return 6 if text.lower().startswith("half") else value
    found = items_of(text.lower())
    return found[0].value if found and isinstance(found[0].value, int) else None


# --- trials -------------------------------------------------------------------------------------------------------


def trials_of(reading: Reading, text: str) -> tuple[list[Trial], dict[str, Value], bool]:
    """The trials that a reading makes, the settings that all share, and whether the trials are rows of their own."""
    rows = _tuples(reading, text) or _repeated(reading.assignments) or _beside(text)
    if rows:
        changing = [name for name in rows[0] if len({repr(row[name]) for row in rows}) > 1]
        shared = {name: value for name, value in rows[0].items() if name not in changing}
        extra = {
            a.name: a.values[0] for a in reading.assignments if len(a.values) == 1 and a.name not in rows[0]
        }
        return [{name: row[name] for name in changing} for row in rows], {**shared, **extra}, True
    groups = _groups(reading.assignments)
    wide = {name: group for name, group in groups.items() if group.varies}
    settings = {name: group.values[0] for name, group in groups.items() if not group.varies and group.values}
    listed = {name: group.values for name, group in wide.items() if len(group.values) > 1}
    ranges = {
        name: {"min": group.bounds[0], "max": group.bounds[1]} for name, group in wide.items() if group.bounds
    }
    if not listed:
        return ([dict(ranges)] if ranges else []), settings, False
    if ranges:  # a search over both: what is listed stays a choice
        return [{**ranges, **{name: list(values) for name, values in listed.items()}}], settings, False
    sizes = {len(values) for values in listed.values()}
    if len(listed) > 1 and len(sizes) == 1 and (_PAIRED.search(text) or _same_product(listed)):
        return (
            [dict(zip(listed, point, strict=True)) for point in zip(*listed.values(), strict=True)],
            settings,
            True,
        )
    points = islice(product(*listed.values()), MAX_TRIALS)
    return [dict(zip(listed, point, strict=True)) for point in points], settings, False


def _groups(assignments: Sequence[Assignment]) -> dict[str, Assignment]:
    """The assignments by name: what is asked for in turn adds up, a list stands over single values before it."""
    groups: dict[str, Assignment] = {}
    for each in assignments:
        key = next((name for name in groups if related(name, each.name)), each.name)
        found, earlier = replace(each, name=key), groups.get(key)
        if earlier is None:
            groups[found.name] = found
        elif found.bounds or earlier.bounds:
            groups[found.name] = earlier if earlier.bounds else found
        else:
            values = tuple(dict.fromkeys([*earlier.values, *found.values]))
            groups[found.name] = Assignment(found.name, values, None, earlier.start, found.end, found.domain)
    return groups


def _same_product(listed: Mapping[str, Sequence[Value]]) -> bool:
    """Batch sizes and accumulation steps that keep the effective batch."""
    names = sorted(listed)
    if len(names) != 2 or not any("acc" in name or name == "ga" for name in names):
        return False
    products = {
        a * b for a, b in zip(*listed.values(), strict=True) if isinstance(a, int) and isinstance(b, int)
    }
    return len(products) == 1


def _repeated(assignments: Sequence[Assignment]) -> list[dict[str, Value]]:
    """Whole configurations one after the other: "lr 1e-4 bs 8, then lr 5e-5 bs 16"."""
    rows: list[dict[str, Value]] = [{}]
    for found in assignments:
        if len(found.values) != 1:
            return []
        name = next((known for known in rows[0] if related(known, found.name)), found.name)
        if name in rows[-1]:
            rows.append({})
        rows[-1][name] = found.values[0]
    same = len(rows) > 1 and len(rows[0]) > 1 and all(row.keys() == rows[0].keys() for row in rows)
    return rows if same and len({tuple(row.items()) for row in rows}) == len(rows) else []


def _beside(text: str) -> list[dict[str, Value]]:
    """Values that are given in turn with another's: "lr 1e-4 with batch size 8, 5e-5 with 16 and 2e-5 with 32"."""
    number = r"(\d*\.?\d+(?:e[-+]?\d+)?)"
    first = re.search(
        rf"([A-Za-z_ ]+?)[ =]*{number} (?:with|at|and) ([A-Za-z_ ]+?)[ =]*{number}(?P<rest>(?:(?:,| and|, and|;)\s*{number} (?:with|at) {number})+)",
        text,
    )
    if first is None:
        return []
    names = [
        items[-1].text
        for part in (first[1], first[3])
        if (items := [item for item in items_of(part) if item.tag == "P"])
    ]
    pairs = [(first[2], first[4]), *re.findall(rf"{number} (?:with|at) {number}", first["rest"])]
    if len(names) != 2:
        return []
    return [{name: items_of(cell)[0].value for name, cell in zip(names, pair, strict=True)} for pair in pairs]  # type: ignore[misc]


def _tuples(reading: Reading, text: str) -> list[dict[str, Value]]:
    """Rows in brackets or with strokes: "(lr, batch) = (1e-4, 8), (5e-5, 16)"."""
    for form, split in ((_TUPLE, r"[,;/]"), (_SLASHED, r"/")):
        matches = [
            match
            for match in form.finditer(text)
            if form is _SLASHED or not _is_named(reading, match.start())
        ]
        cells = [[cell.strip() for cell in re.split(split, match["row"])] for match in matches]
        for width in (2, 3, 4):
            rows = [row for row in cells if len(row) == width and _valued(row)]
            heads = [
                row
                for row in cells
                if len(row) == width and not any(re.match(r"[\d.]", cell) for cell in row)
            ]
            names = [items_of(cell)[0].text if items_of(cell) else cell for cell in heads[0]] if heads else []
            if not names:
                mentioned = list(dict.fromkeys(reading.mentioned))
                names = (
                    mentioned if len(mentioned) == width and form is _TUPLE else _named_slashes(text, width)
                )
            if len(rows) > 1 and len(names) == width and len(set(names)) == width:
                return [{name: _cell(cell) for name, cell in zip(names, row, strict=True)} for row in rows]
    return []


def _is_named(reading: Reading, start: int) -> bool:
    """Whether a bracket has a name of its own before it: then it is a list of that name's values."""
    before = [item for item in reading.items if item.start < start][-5:]
    while before and before[-1].tag in "aw" and before[-1].text not in {"are", "is", ":"}:
        before.pop()
    return bool(before) and before[-1].tag == "P"


def _named_slashes(text: str, width: int) -> list[str]:
    items = items_of(text)
    for n in range(len(items)):
        window = items[n : n + 2 * width - 1]
        named = window[::2]
        if (
            len(window) == 2 * width - 1
            and all(item.tag == "P" for item in named)
            and all(item.text == "/" for item in window[1::2])
        ):
            return [item.text for item in named]
    return []


def _valued(row: Sequence[str]) -> bool:
    items: list[Item] = [item for cell in row for item in items_of(cell)[:1]]
    return (
        len(items) == len(row)
        and all(item.tag in "NV" for item in items)
        and any(item.tag == "N" for item in items)
    )


def _cell(cell: str) -> Value:
    value = items_of(cell)[0].value
    return value if value is not None else cell


# --- values that a rule makes -------------------------------------------------------------------------------------

_FACTORS = re.compile(
    r"\b(?P<half>halv(?:e|ing)|half each|in half|divide by two)|\b(?P<double>doubl(?:e|ing)|twice as|power of two|powers of two)"
    r"|\b(?:divid\w*|lower\w*|reduc\w*|shrink\w*|cut\w*|decreas\w*|drop\w*)[^.;\n]{0,30}?\bby (?:a factor of )?(?P<by>\d+)\b(?!\s?%)"
    r"|\b(?:multipl\w*|increas\w*|rais\w*|push\w*)[^.;\n]{0,30}?\b(?:by (?:a factor of )?|x)(?P<times>\d+)\b(?!\s?%)",
    re.IGNORECASE,
)
_AGAIN = re.compile(
    r"\b(?:each|every|again|repeated|until|till|times|step by step|keep|start|begin|another|per run|repeatedly|progressively|from)\b",
    re.IGNORECASE,
)
_START = re.compile(
    r"\b(?:start(?:ing|s)?|begin(?:ning)?|from|first)\b[^\d.;\n]{0,25}(?P<n>\d*\.?\d+(?:e[-+]?\d+)?)|(?P<m>\d*\.?\d+(?:e[-+]?\d+)?) (?:first|to start)",
    re.IGNORECASE,
)
_STOP = re.compile(
    r"\b(?:up to|until|to|at most|down to|till|max(?:imum)?)\s+(?:\w+ ){0,2}?(?P<n>\d*\.?\d+(?:e[-+]?\d+)?)(?!\s*(?:times|runs|jobs|trials|trainings))|(?P<m>\d+) at most",
    re.IGNORECASE,
)
_RULE_VALUES = 6


def made_by_rule(text: str, reading: Reading, count: int | None) -> tuple[str, tuple[Value, ...], str] | None:
    """Values of a rule such as "double it each time, starting at 1e-5": the name, the values, and the rule in words."""
    rule = _FACTORS.search(text)
    if rule is None or not _AGAIN.search(text) or any(len(each.values) > 2 for each in reading.assignments):
        return None
    factor = (
        0.5
        if rule["half"]
        else 2.0
        if rule["double"]
        else 1 / float(rule["by"])
        if rule["by"]
        else float(rule["times"] or 1)
    )
    name = reading.mentioned[0] if reading.mentioned else "lr"
    if factor in {0, 1} or name in word_set("pool"):
        return None
    start = _START.search(text)
    single = next((each for each in reading.assignments if len(each.values) == 1 and each.name == name), None)
    first: Value | None = items_of(start["n"] or start["m"])[0].value if start else None
    if first is None and single is not None:
        first = single.values[0]
    said = " ".join(rule.group().split())
    if not isinstance(first, int | float) or first == 0:
        return name, (), said
    stop = _STOP.search(text[start.end() if start else rule.end() :])
    last = items_of(stop["n"] or stop["m"])[0].value if stop else None
    values: list[Value] = [first]
    while len(values) < min(count or _RULE_VALUES, 20):
        raw = float(values[-1]) * factor
        following: int | float = (
            int(raw) if isinstance(first, int) and raw.is_integer() else float(f"{raw:.6g}")
        )
        if isinstance(first, int) and raw < 1:
            break
        if isinstance(last, int | float) and (
            (factor > 1 and following > last) or (factor < 1 and following < last)
        ):
            break
        values.append(following)
        if count is None and isinstance(last, int | float) and len(values) >= 20:
            break
    return name, tuple(values), said


_TIMES = re.compile(
    rf"(?<![\w.-])(?:{_COUNT_WORD} times|{_COUNT_WORD.replace('<n>', '<r>')} (?:repeats|repetitions|restarts)|(?P<word>twice|thrice)\b)|\bx\s?(?P<x>\d{{1,2}})\b|(?<![\w.])(?P<y>\d{{1,2}})x\b",
    re.IGNORECASE,
)
_SEEDS = re.compile(
    rf"(?<![\w.-]){_COUNT_WORD} (?:\w+ ){{0,2}}?(?:random[ _]?)?(?:seeds?|inits?|initiali[sz]ations?|random_states?)\b|seeds? x ?(?P<x>\d+)",
    re.IGNORECASE,
)


def repeated_seeds(text: str) -> list[Trial]:
    """The same job several times: "five different seeds", "run it 4 times to see the variance"."""
    match = _SEEDS.search(text)
    n = number_of(match["n"] or match["x"]) if match else None
    if n is None and re.search(
        r"seed|varian|spread|noise|deviation|error bar|stabil|reproduc|same (?:job|config|training|run)|random_state",
        text,
        re.IGNORECASE,
    ):
        times = _TIMES.search(text)
        if times is not None:
            word = {"twice": 2, "thrice": 3}.get((times["word"] or "").lower())
            n = word or number_of(times["n"] or times["r"] or times["x"] or times["y"] or "0")
        else:
            count = _COUNT.search(text)
            n = number_of(count["n"] or count["m"]) if count else None
    return [{"seed": value} for value in range(n)] if n and 2 <= n <= MAX_TRIALS else []
