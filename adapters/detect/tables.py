"""The words that `detect` knows, read from the tables beside this module when they are first needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Parameter:
    """A hyperparameter.

    Attributes:
        name: its key in a trial.
        domain: "f" for fractions, "i" for whole numbers, "n" for names, "a" for any number.
        counted: it may stand behind its number ("8 epochs").
    """

    name: str
    domain: str = "a"
    counted: bool = False


@cache
def sections(file: str) -> dict[str, list[str]]:
    """The lines of a table file by section, without comments."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (_HERE / file).read_text(encoding="utf-8").splitlines():
        if re.fullmatch(r"\[[\w <>=]+\]", line):
            lines = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return found


@cache
def word_set(section: str) -> frozenset[str]:
    """The words of a section of the vocabulary."""
    return frozenset(" ".join(sections("vocabulary.txt")[section]).split())


@cache
def texts(section: str) -> dict[str, str]:
    """The lines of a section of the vocabulary that give a name its text."""
    return dict(line.split(" = ", 1) for line in sections("vocabulary.txt")[section])


@cache
def rules(section: str) -> tuple[re.Pattern[str], ...]:
    """The lines of a section of the rules, each as an expression."""
    return tuple(re.compile(line, re.IGNORECASE | re.MULTILINE) for line in _filled(section))


@cache
def rule(section: str) -> re.Pattern[str]:
    """The lines of a section of the rules as alternatives of one expression."""
    return re.compile("|".join(f"(?:{line})" for line in _filled(section)), re.IGNORECASE | re.MULTILINE)


def _filled(section: str) -> list[str]:
    """The lines of a section of the rules with their words filled in."""
    words = dict(line.split(" = ", 1) for line in sections("rules.txt")["words"])
    numbers = "|".join(sorted(each.partition("=")[0] for each in word_set("numbers")))

    def filled(match: re.Match[str]) -> str:
        if match["word"]:
            return words[match["word"]]
        return rf"(?P<{match['group']}>\d{{1,3}}|{numbers}|(?:a |half a )?(?:dozen|couple|handful))"

    hole = re.compile(r"(?<!P)<(?:count:(?P<group>\w)|(?P<word>np|jobs|end|choice|number))>")
    return [hole.sub(filled, line) for line in sections("rules.txt")[section]]


def _forms(cell: str) -> list[str]:
    return [form.strip() for form in cell.split("|") if form.strip()]


@cache
def parameters() -> dict[str, tuple[Parameter, bool]]:
    """Each form of a parameter, with the parameter and whether the form keeps the user's own words."""
    found: dict[str, tuple[Parameter, bool]] = {}
    for line in sections("vocabulary.txt")["parameters"]:
        head, _, own = line.partition(" :")
        head, _, prose = head.partition("=")
        name, domain = head.split()
        parameter = Parameter(name, domain[0], domain.endswith("+"))
        found |= dict.fromkeys(_forms(prose), (parameter, False))
        found |= dict.fromkeys(_forms(own), (parameter, True))
    return found


@cache
def named_values() -> dict[str, tuple[str, str]]:
    """Each form of a named value ("bfloat16"), with its parameter and its name."""
    found: dict[str, tuple[str, str]] = {}
    for line in sections("vocabulary.txt")["values"]:
        head, _, forms = line.partition("=")
        parameter, name = head.split()
        found |= dict.fromkeys(_forms(forms), (parameter, name))
    return found


@cache
def methods() -> dict[str, str]:
    """Each form of a training method, with its name."""
    rows = [_forms(line.replace("=", "|")) for line in sections("vocabulary.txt")["methods"]]
    return {form: row[0] for row in rows for form in row}


@cache
def metrics() -> dict[str, tuple[str, bool]]:
    """Each form of a metric, also of a split ("validation loss"), with its name and whether higher is better."""
    plain: dict[str, tuple[str, bool]] = {}
    for line in sections("vocabulary.txt")["metrics"]:
        head, _, forms = line[2:].partition("=")
        name = head.strip()
        plain |= dict.fromkeys([name.replace("_", " "), *_forms(forms)], (name, line[0] == "+"))
    found = dict(plain)
    for line in sections("vocabulary.txt")["splits"]:
        short, _, others = line.partition("=")
        for split in [short.strip(), *_forms(others)]:
            found |= {
                f"{split} {form}": (f"{short.strip()}_{name}", up) for form, (name, up) in plain.items()
            }
    return found


@cache
def packages() -> dict[str, str]:
    """Each form of a Python package, with its name."""
    rows = [row.split("|") for row in word_set("packages")]
    return {form: row[0] for row in rows for form in row}
