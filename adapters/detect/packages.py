"""Which Python packages a request wants changed, and to which version."""

from __future__ import annotations

import re

from wpfsm.adapters.detect.findings import Trial
from wpfsm.adapters.detect.items import Item, items_of
from wpfsm.adapters.detect.tables import packages, rule, word_set


def changed_packages(text: str, pasted: str = "") -> list[Trial]:
    """One trial with the packages and versions that a text names, or none."""
    found: dict[str, str] = {}
    known = packages()
    for match in rule("missing").finditer(f"{text}\n{pasted}"):
        module = next(each for each in match.groups() if each).split(".")[0].strip("-.")
        plain = module.lower()
        certain = match["import"] is None or plain in known or "_" in module
        if plain not in word_set("no packages") and certain:
            found.setdefault(known.get(plain, known.get(plain.replace("_", "-"), module)), "")
    items = items_of(text)
    changes = rule("change").search(text) is not None
    for n, item in enumerate(items):
        if item.tag != "L":
            continue
        version, beside = _version(items[n + 1 : n + 7], text), items[max(0, n - 4) : n + 3]
        everyday = item.text in word_set("everyday packages")
        named = rule("change beside").search(" ".join(each.text for each in beside))
        if version or item.text in found or (named if everyday else changes):
            found[item.text] = found.get(item.text) or version
    spans = [(item.start, item.start + len(item.raw)) for item in items if item.tag in "MP"]
    for match in rule("specified").finditer(text) if changes else ():
        if not any(start <= match.start() < end for start, end in spans):
            sign = "" if match["op"] == "==" else match["op"]
            found[known.get(match["name"].lower(), match["name"])] = f"{sign}{match['version']}"
    if not found:
        return []
    versions = {name: version for name, version in found.items() if version}
    return [{"packages": list(found), "versions": versions}] if versions else [{"packages": list(found)}]


def _version(behind: list[Item], text: str) -> str:
    """The version behind a package: of a move, the second one."""
    sign = version = ""
    for item in behind:
        if item.tag == "X" or (item.tag == "N" and re.fullmatch(r"\d+(?:\.\d+)?", item.raw)):
            tail = re.match(r"\+[a-z0-9.]+", text[item.start + len(item.raw) :])
            version = item.raw.removeprefix("v") + (tail.group() if tail else "")
        elif item.tag in "L.?J" or item.text in {"and", ","}:
            break
        sign = {"below": "<", "under": "<", "<": "<", ">=": ">=", "least": ">="}.get(item.text, sign)
    return f"{sign}{version}" if version else ""
