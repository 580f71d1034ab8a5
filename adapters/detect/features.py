"""The features of a request: word and character n-grams of what it asks, and what the rules read in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from wpfsm.adapters.detect.evidence import RequestEvidence
from wpfsm.adapters.detect.languages import language
from wpfsm.adapters.detect.tables import rule

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*(?:e[-+]?\d+)?")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[^\w\s]")


def features(evidence: RequestEvidence) -> Iterator[str]:
    """The features by kind: `w:` words, `c:` characters, `s:` words with the names and numbers as tags, `r:` rules."""
    seen = {f"r:{fact}" for fact in _facts(evidence)}
    for text in dict.fromkeys((evidence.request.asked, evidence.request.english)):
        words = _WORD.findall(_NUMBER.sub("0", text.lower()))
        seen.update(f"w:{gram}" for gram in _grams(["^", *words, "$"], 1, 3))
        joined = f" {' '.join(words)} "
        for n in (2, 3, 4, 5):
            seen.update(f"c:{joined[at : at + n]}" for at in range(len(joined) - n + 1))
    tags = [item.tag if item.tag in "NPVMILXDFJmu$T" else item.text for item in evidence.reading.items]
    seen.update(f"s:{gram}" for gram in _grams(["^", *tags, "$"], 2, 4))
    yield from sorted(feature for feature in seen if "\n" not in feature and "\t" not in feature)


def _grams(words: Sequence[str], shortest: int, longest: int) -> Iterator[str]:
    for n in range(shortest, longest + 1):
        yield from (" ".join(words[at : at + n]) for at in range(len(words) - n + 1))


def _facts(evidence: RequestEvidence) -> Iterator[str]:
    """What the rules found, in words."""
    trials, asked, plan = evidence.trials, evidence.request.asked, evidence.plan
    names = " ".join({name: name for trial in trials for name in trial})
    listed = len(trials) > 1
    if listed:
        yield f"trials {min(len(trials[0]), 3)}"
        yield f"trials {'few' if len(trials) < 5 else 'many'}"
        sure = all(each.sure for each in evidence.reading.assignments if each.varies)
        yield "named" if sure else "unnamed"
    facts = {
        "trials": listed,
        "kind run": listed and rule("kind run").search(names),
        "kind recipe": listed and rule("kind recipe").search(names),
        "rows": listed and evidence.rows,
        "counted": listed and plan.count == len(trials),
        "range": evidence.varies and not listed,
        "data": evidence.data.rows or evidence.data.columns,
        "seeds": evidence.seeds,
        "rule": evidence.rule,
        "target": evidence.goals.target,
        "metric": evidence.goals.taken and not evidence.goals.target,
        "recipes": len(evidence.recipes) > 1,
        "packages": evidence.packages,
        "versions": evidence.packages and "versions" in evidence.packages[0],
        "values": evidence.reading.assignments,
        "error": rule("error").search(f"{asked} {evidence.request.pasted}"),
        "pasted": evidence.request.pasted,
        "ends with a question": asked.rstrip().endswith("?"),
        "conversation": evidence.request.before,
    }
    yield from (name for name, found in facts.items() if found)
    said = ("method", "count", "most", "repeats", "cost", "by_hand")
    yield from (f"plan {name}" for name in said if getattr(plan, name))
    yield from (f"reason {reason.kind}" for reason in evidence.reasons)
    yield f"parts {min(len(evidence.parts), 3)}"
    yield f"settings {min(len(evidence.settings), 3)}"
    yield f"length {min(len(asked.split()) // 8, 4)}"
    yield f"language {language(asked)}"
