"""Which Python packages a request wants changed, and to which version."""

from __future__ import annotations

import re

from wpfsm.adapters.detect.findings import Trial
from wpfsm.adapters.detect.items import Item, items_of
from wpfsm.adapters.detect.tables import packages, word_set

_MISSING = re.compile(
    r"(?:No module named|cannot import name \S+ from|could not import|can't import|import(?:ing)? of|package|module)\s+['\"`]?(?P<name>[A-Za-z_][\w.-]*)['\"`]?",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"(?:No module named|ModuleNotFoundError:?|from|import)\s+['\"`](?P<name>[A-Za-z_]\w*)")
_SPECIFIED = re.compile(
    r"(?<![\w/.])(?P<name>[A-Za-z][\w-]*[A-Za-z0-9])\s?(?P<op>==|>=|<=|~=|<|>)\s?(?P<version>\d+(?:\.[\dx*]+)*(?:\+\w+)?)"
)
_CHANGE = re.compile(
    r"\b(?:bump|upgrade|update|pin|downgrade|install|reinstall|fix|add|unpin|version|requirement|import|dependenc|patch|swap|change|move|migrate|wheel|remove|roll)",
    re.IGNORECASE,
)


def changed_packages(text: str, pasted: str = "") -> list[Trial]:
    """One trial with the packages and versions that a text names, or none."""
    found: dict[str, str] = {}
    known = packages()
    for rule in (_QUOTED, _MISSING):
        for match in rule.finditer(f"{text}\n{pasted}"):
            name = match["name"].split(".")[0].strip("-.")
            plain = name.lower()
            named = (
                plain in known
                or rule is _QUOTED
                or "_" in name
                or re.match(r"no module named|could not import|can't import", match.group(), re.IGNORECASE)
            )
            if plain not in word_set("no packages") and named:
                found.setdefault(known.get(plain, known.get(plain.replace("_", "-"), name)), "")
    specified = {match["name"].lower(): match for match in _SPECIFIED.finditer(text)}
    items = items_of(text)
    for n, item in enumerate(items):
        version = _version(items, n, text)
        if item.tag != "L" or (
            item.text in word_set("everyday packages") and not version and not _beside_a_change(items, n)
        ):
            continue
        if version or _CHANGE.search(text) or item.text in found:
            found[item.text] = found.get(item.text) or version
    if _CHANGE.search(text):
        for plain, match in specified.items():
            if _is_metric(items, match.start()):
                continue
            name = known.get(plain, match["name"])
            sign = "" if match["op"] == "==" else match["op"]
            found[name] = f"{sign}{match['version']}"
    if not found:
        return []
    trial: Trial = {"packages": list(found)}
    versions = {name: version for name, version in found.items() if version}
    if versions:
        trial["versions"] = versions
    return [trial]


def _is_metric(items: list[Item], start: int) -> bool:
    return any(item.tag in "MP" and item.start <= start < item.start + len(item.raw) for item in items)


def _beside_a_change(items: list[Item], n: int) -> bool:
    before = " ".join(item.text for item in items[max(0, n - 4) : n + 3])
    return (
        re.search(
            r"\b(?:bump|upgrade|update|pin|downgrade|install|reinstall|unpin|add|swap|lack|latest|older|newer|conflict|rid of|needs?)s?\b|no module named|modulenotfounderror",
            before,
        )
        is not None
    )


def _version(items: list[Item], n: int, text: str) -> str:
    """The version behind a package: of a move, the second one."""
    sign = ""
    version = ""
    for item in items[n + 1 : n + 7]:
        if item.tag == "X" or (item.tag == "N" and re.fullmatch(r"\d+(?:\.\d+)?", item.raw)):
            end = item.start + len(item.raw)
            tail = re.match(r"\+[a-z0-9.]+", text[end:])
            version = item.raw.removeprefix("v") + (tail.group() if tail else "")
        elif item.tag == "L" or item.tag in ".?J" or item.text in {"and", ","}:
            break
        elif item.text in {"below", "under", "<"}:
            sign = "<"
        elif item.text in {">=", "least"}:
            sign = ">="
    return f"{sign}{version}" if version else ""
