"""Which pins might cure a dependency failure, the likeliest first.

Each comes from what the installer or the interpreter printed. One job tries one pin; what it breaks next is the next
diagnosis.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from wpfsm.fsm.failures.distributions import is_known, requirement_for
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.patches.install_command import named_requirements
from wpfsm.fsm.patches.known_breaks import known_break
from wpfsm.fsm.patches.requirements import pin_of, requirements

_REQUESTED = re.compile(r"The user requested (?:\(constraint\) )?(?P<requirement>[^\n]+)")
_DEPENDS = re.compile(
    r"(?P<parent>[A-Za-z0-9][\w.-]*)(?:\[[\w,-]+\])?(?:==| )(?P<version>\d[\w.]*) depends on "
    r"(?P<requirement>[A-Za-z0-9][\w.-]*(?:\[[\w,-]+\])?(?: ?[<>=!~][^\s;,]*(?:(?:, ?(?:and )?| and )[<>=!~][^\s;,]*)*)?)"
)
_YOU_REQUIRE = re.compile(
    r"(?:you|your project) (?:require|depends on|requires) (?P<requirement>[^\s,]+(?:,[<>=!~][^\s,]+)*)"
)
_DEPENDENT = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[\w,-]+\])?(?:==(?P<version>[\w.]+))?")
_TIDY = re.compile(r"[│╰╭─▶\u00d7├]|ERROR:|INFO:")


@dataclass(frozen=True)
class Candidate:
    """One pin that may be tried.

    Attributes:
        requirement: the distribution and the versions that it shall have.
        why: what suggests it, for the patch's summary.
        replaces: a distribution whose line is taken over by it.
    """

    requirement: Requirement
    why: str
    replaces: str | None = None


def candidates(diagnosis: Diagnosis, text: str) -> Iterator[Candidate]:
    """Pins to try, likeliest first.

    Args:
        diagnosis: of the family ``dependency``.
        text: the requirements file as it stands.
    """
    source = _SOURCES.get(diagnosis.class_)
    if source is not None:
        yield from source(diagnosis, text)


def _missing_module(diagnosis: Diagnosis, text: str) -> Iterator[Candidate]:
    details = diagnosis.details
    yield from _parsed(details.get("requirement"), "the message asks for it")
    for asked in named_requirements(details.get("install", "")):
        if not asked.specifier and (pinned := pin_of(text, asked.name)) is not None:
            asked.specifier = pinned  # the extras are what is asked for
        yield Candidate(asked, "the message asks for it")
    module = details.get("module", "")
    yield from _parsed(known_break(module, ""), f"{module} was there before")
    wanted = requirement_for(module) if module else details.get("distribution")
    taken = "" if not module or is_known(module) else ", a distribution of the same name"
    if wanted and pin_of(text, _name(wanted)) is None:
        yield from _parsed(wanted, f"provides {module or wanted}{taken}")
    elif wanted and "." in module:  # the package is there, a part of it is not
        yield from _other_version(_name(wanted), details, text)


def _missing_name(diagnosis: Diagnosis, text: str) -> Iterator[Candidate]:
    details = diagnosis.details
    module, name = details.get("module", ""), details.get("name", "")
    module = module.lower() if module == "NumPy" else module
    for known in (known_break(module, name), known_break(module.partition(".")[0], name)):
        yield from _parsed(known, f"{module} had {name} before")
    distribution = requirement_for(module) if module else None
    if distribution:
        yield from _other_version(_name(distribution), details, text)


def _incompatible(diagnosis: Diagnosis, text: str) -> Iterator[Candidate]:
    details = diagnosis.details
    shown = "\n".join(diagnosis.evidence)
    yield from _parsed(details.get("requirement"), "the message asks for it")
    module = details.get("module", "").lower()
    if module == "numpy" or "_ARRAY_API" in shown:
        yield from _parsed("numpy<2", "the others were built against NumPy 1")
    elif module == "keras":
        yield from _parsed("tf-keras", "provides Keras 2 beside Keras 3")
    elif "Descriptors cannot" in shown:
        yield from _parsed("protobuf<3.21", "the generated code is of an older protoc")
    elif module:
        yield from _other_version(_name(module), details, text, newer_first=True)


def _conflict(diagnosis: Diagnosis, text: str) -> Iterator[Candidate]:
    """Moves the user's own pin to what the other package depends on, else unpins the one that depends."""
    shown = _unwrapped(diagnosis.evidence)
    listed = {canonicalize_name(item.name): item for item in requirements(text)}
    depends = [(m["parent"], m["version"], _spelled(m["requirement"])) for m in _DEPENDS.finditer(shown)]
    asked = {
        _name(_spelled(m["requirement"])) for rx in (_REQUESTED, _YOU_REQUIRE) for m in rx.finditer(shown)
    }
    for parent, version, wanted in depends:
        name = _name(wanted)
        if name in listed and (name in asked or not asked):
            yield from _parsed(wanted, f"{parent} {version} depends on it")
    for parent, version, wanted in depends:
        own = listed.get(canonicalize_name(parent))
        if own is not None and own.specifier:
            yield Candidate(
                Requirement(own.name), f"{parent} {version} needs {wanted}; let the resolver choose"
            )
    yield from _parsed(diagnosis.details.get("requirement"), "another package requires it")


def _no_distribution(diagnosis: Diagnosis, text: str) -> Iterator[Candidate]:
    details = diagnosis.details
    asked = _requirement(details.get("requirement") or details.get("distribution"))
    if asked is None:
        return
    dependent = _DEPENDENT.match(details.get("dependent", ""))
    if (
        dependent is not None
    ):  # what one package asks of another is not ours to pin: another version of the asker may be
        yield from _another(dependent["name"], dependent["version"], asked, text)
        return
    versions = _versions(details.get("versions", ""))
    for version in _nearest(asked.specifier, versions):
        yield Candidate(Requirement(f"{asked.name}=={version}"), "the newest that the index has")
    if not versions:
        other = requirement_for(asked.name) or requirement_for(asked.name.replace("-", "_"))
        if other and _name(other) != canonicalize_name(asked.name):
            yield Candidate(Requirement(other), f"{asked.name} is an import name", replaces=asked.name)
    if details.get("versions") != "none" and pin_of(text, asked.name):
        yield Candidate(Requirement(asked.name), "let the resolver choose")


def _another(name: str, version: str | None, asked: Requirement, text: str) -> Iterator[Candidate]:
    """Another version of the package that asks for what the index does not have."""
    if pin_of(text, name):
        yield Candidate(Requirement(name), f"it asks for {asked}; let the resolver choose")
    if version:
        yield Candidate(Requirement(f"{name}!={version}"), f"{version} asks for {asked}")


def _build(diagnosis: Diagnosis, text: str) -> Iterator[Candidate]:
    name = diagnosis.details.get("distribution", "")
    if not name:
        return
    other = requirement_for(name)
    if other and is_known(name) and _name(other) != canonicalize_name(name):
        yield Candidate(Requirement(other), f"{name} is an import name", replaces=name)
    for version in _pinned(pin_of(text, name)):
        yield Candidate(Requirement(f"{name}>{version}"), f"{version} has no wheel for this Python")


_SOURCES: Mapping[str, Callable[[Diagnosis, str], Iterator[Candidate]]] = {
    "missing_module": _missing_module,
    "import_name": _missing_name,
    "incompatible_version": _incompatible,
    "resolver_conflict": _conflict,
    "no_matching_distribution": _no_distribution,
    "build_failure": _build,
}


def _other_version(
    name: str, details: Mapping[str, str], text: str, *, newer_first: bool = False
) -> Iterator[Candidate]:
    """A newer version of what is pinned, or one below the major version that is installed.

    A pin that holds a package back is the likelier culprit when there is one; without a pin the newest is installed,
    and an older one is what the code was written for.
    """
    pinned = _pinned(pin_of(text, name))
    installed = _version(details.get("installed", "")) or next(iter(pinned), None)
    newer = [f"{name}>{installed}"] if installed and (pinned or newer_first) else []
    older = [f"{name}<{_ceiling(installed)}"] if installed and _ceiling(installed) else []
    for wanted in (*newer, *older):
        yield from _parsed(wanted, f"{installed} does not fit")


def _ceiling(installed: Version) -> str | None:
    """The start of the installed major version; of the minor one before 1.0. None when there is nothing below."""
    if installed.major >= 1:
        return str(installed.major) if installed.major > 1 else "1"
    return f"0.{installed.minor}" if installed.minor else None


def _nearest(specifier: SpecifierSet, versions: list[Version]) -> list[Version]:
    """What the index has that is nearest to what was asked: the same major version first, then the nearest."""
    asked = max(
        (v for v in (_version(one.version.removesuffix(".*")) for one in specifier) if v), default=None
    )
    if not versions:
        return []
    if asked is None:
        return [max(versions)]
    same = [version for version in versions if version.major == asked.major]
    below = [version for version in versions if version < asked]
    return [max(same) if same else max(below) if below else min(versions)]


def _versions(listed: str) -> list[Version]:
    """The final releases of a ``from versions:`` list; its pre-releases when there is nothing else."""
    found = [version for part in listed.split(",") if (version := _version(part.strip()))]
    return [version for version in found if not version.is_prerelease] or found


def _pinned(specifier: SpecifierSet | None) -> list[Version]:
    """The versions that a specifier holds the package at or below."""
    upper = [one for one in specifier or () if one.operator in ("==", "~=", "<", "<=")]
    return [version for one in upper if (version := _version(one.version.removesuffix(".*")))]


def _parsed(requirement: str | None, why: str) -> Iterator[Candidate]:
    parsed = _requirement(requirement)
    if parsed is not None:
        yield Candidate(parsed, why)


def _requirement(text: str | None) -> Requirement | None:
    try:
        parsed = Requirement(text) if text else None
    except (InvalidRequirement, InvalidSpecifier):
        return None
    if parsed is None or parsed.url:
        return None
    parsed.marker = None
    return parsed


def _version(text: str) -> Version | None:
    try:
        return Version(re.sub(r"^[A-Za-z][\w.-]*?[= -]+(?=\d)", "", text.strip()))
    except InvalidVersion:
        return None


def _name(requirement: str) -> str:
    parsed = _requirement(requirement)
    return canonicalize_name(parsed.name) if parsed else ""


def _spelled(requirement: str) -> str:
    """A specifier as pip prints it in prose (``!=0.11.3, <0.14 and >=0.11.1``), as PEP 508 writes it."""
    return re.sub(r",? and |, ", ",", requirement).strip(" .,")


def _unwrapped(lines: Iterable[str]) -> str:
    """The installer's lines as running text: uv draws a tree and breaks lines anywhere."""
    tidy = [_TIDY.sub(" ", line).strip() for line in lines]
    return " ".join(tidy) if any("No solution found" in line for line in tidy) else "\n".join(tidy)
