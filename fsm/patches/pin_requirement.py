"""Adds or moves one pin in the requirements file of the loop's copy of the source."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.utils import canonicalize_name

from wpfsm.fsm.failures.distributions import well_known
from wpfsm.fsm.failures.matching import is_local_module
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.patches.base import Material, Patch
from wpfsm.fsm.patches.candidates import Candidate, candidates
from wpfsm.fsm.patches.requirements import CannotEditError, pin_of, render_specifier, with_requirement

KIND = "pin_requirement"
DEFAULT_PATH = "requirements.txt"


def propose(diagnosis: Diagnosis, material: Material) -> Patch | str:
    """The first pin that was not tried against this bug, or why there is none."""
    if diagnosis.stuck:
        return diagnosis.stuck
    module = diagnosis.details.get("module", "")
    if module and is_local_module(module, material.files):
        return f"{module} is a module of the source itself: it is not on the path, or not in the upload"
    path = material.requirements_path or DEFAULT_PATH
    text = material.files.get(path, "")
    reason = "neither the message nor the requirements suggest a pin"
    proven_first = sorted(
        candidates(diagnosis, text), key=lambda one: not material.worked(diagnosis, _key(one))
    )
    for candidate in proven_first:
        key = _key(candidate)
        if not _may_be_added(candidate, material):
            reason = _not_unasked(candidate)
            continue
        try:
            edited = with_requirement(text, candidate.requirement, replaces=candidate.replaces)
        except CannotEditError as error:
            reason = str(error)
            continue
        if edited == text:
            reason = f"{path} already says {_label(candidate)}"
        elif material.tried(diagnosis, key):
            reason = f"{_label(candidate)} was tried against this failure before"
        else:
            summary = f"{path}: {_label(candidate)} ({candidate.why})"
            return Patch(KIND, summary, files={path: edited}, key=key)
    return reason


def _may_be_added(candidate: Candidate, material: Material) -> bool:
    """Whether the distribution is well known, named by the loop's own requirements, or allowed by the loop file."""
    name = canonicalize_name(candidate.requirement.name)
    allowed = material.options.get("allow")
    if allowed == "any" or name in well_known():
        return True
    if isinstance(allowed, Sequence) and name in {canonicalize_name(str(each)) for each in allowed}:
        return True
    texts = (
        text
        for path, text in material.files.items()
        if "requirements" in path and path.endswith((".txt", ".in"))
    )
    named = material.files.get(material.requirements_path or DEFAULT_PATH, "")
    return any(pin_of(text, name) is not None for text in (named, *texts))


def _not_unasked(candidate: Candidate) -> str:
    """Names the candidate, and the line that allows it."""
    name = canonicalize_name(candidate.requirement.name)
    return (
        f"{name} is not added unasked: anybody may have registered that name on the index. If it is what is meant, allow "
        f"it in the loop file: on_failure: [{{when: missing_module, do: pin_requirement, allow: [{name}]}}]"
    )


def _key(candidate: Candidate) -> str:
    return f"{KIND}:{_label(candidate)}"


def _label(candidate: Candidate) -> str:
    requirement = candidate.requirement
    return f"{canonicalize_name(requirement.name)}{render_specifier(requirement.specifier)}"
