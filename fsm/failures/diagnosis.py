"""From the evidence of a failed job to a diagnosis: what it is, how sure, where, and what to do.

With the SageMaker SDK's drivers the FailureReason holds only the driver's CalledProcessError, so the log decides and
a wrapper is never the cause. What nothing explains stays ``unknown``: there is no guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from wpfsm.fsm.failures.evidence import Evidence, Reading
from wpfsm.fsm.failures.fingerprint import fingerprint
from wpfsm.fsm.failures.matching import Match, matches, only_wrapper
from wpfsm.fsm.failures.model import Diagnosis, Family, Location, Who
from wpfsm.fsm.failures.taxonomy import CLASSES, FailureClass
from wpfsm.fsm.failures.traceback import Raised, bare, dumped, locate
from wpfsm.fsm.redact import redact, redact_lines

__all__ = ["Diagnosis", "Evidence", "Family", "Location", "Who", "diagnose", "explain"]

MOST_EVIDENCE = 40
"""Lines of evidence that a diagnosis keeps."""
LONGEST_LINE = 500
"""Characters of a line of evidence that are kept."""
UNKNOWN_CONFIDENCE = 0.1
LEAST_CONFIDENCE = 0.3
"""What weighs less is no more than a hint: the class stays ``unknown``."""

_DISTRIBUTION = re.compile(r"[A-Za-z0-9][\w.-]*")


def diagnose(evidence: Evidence) -> Diagnosis:
    """The diagnosis of one failed job, or of a call that the service refused.

    Args:
        evidence: whatever is known; every field may be empty.
    """
    reading = Reading(evidence)
    found = matches(reading)
    if not found or found[0].weight < LEAST_CONFIDENCE or only_wrapper(found[0], reading):
        return _unknown(reading)
    best = found[0]
    if reading.ended_well or not (best.is_fatal or reading.says_failed):
        return _unknown(reading)
    raised = best.raised or reading.root
    details = _details(best, found, reading)
    location = locate(raised.frames if raised else dumped(reading.log.lines), evidence.source_files)
    return Diagnosis(
        family=best.row.family,
        class_=best.row.name,
        confidence=min(best.weight, 0.99),
        evidence=_evidence_lines(reading, best, raised),
        location=location,
        fingerprint=_fingerprint(best, raised, location, details),
        fix=_fix(best.row, details),
        who=best.row.who,
        details=details,
    )


def explain(reason: str, log_text: str) -> Diagnosis:
    """The diagnosis of a failure that is known only by its texts.

    Args:
        reason: a FailureReason, or ``str()`` of a ClientError; may be empty.
        log_text: the end of the log; may be empty.
    """
    return diagnose(Evidence(failure_reason=reason, log=log_text.splitlines()))


def _unknown(reading: Reading) -> Diagnosis:
    row = CLASSES["unknown"]
    raised = reading.root
    lines = tuple(_shortened((*reading.reason.lines[:8], *reading.log.lines[-15:])))
    last = next((line for line in reversed(lines) if line.strip()), "")
    return Diagnosis(
        row.family, row.name, UNKNOWN_CONFIDENCE, lines, locate(raised.frames, {}) if raised else None,
        fingerprint(row.name, last), row.fix, row.who,
    )  # fmt: skip


def _details(best: Match, found: Sequence[Match], reading: Reading) -> dict[str, str]:
    """What the messages of the deciding class named; the heaviest match has the first word on each name."""
    details: dict[str, str] = {}
    for match in found:
        if match.row is best.row and match.weight > best.weight - 0.3:
            for name, value in match.details.items():
                details.setdefault(name, redact(value))
    if best.row.family is Family.DEPENDENCY and "module" in details and "installed" not in details:
        from wpfsm.fsm.failures.distributions import installed_version

        installed = installed_version(details["module"], reading.log.joined)
        details |= {"installed": installed} if installed else {}
    if best.row.name != "false_success" and any(match.row.name == "false_success" for match in found):
        details["false_success"] = "true"
    return details


def _fix(row: FailureClass, details: Mapping[str, str]) -> str:
    """The row's sentence with the details filled in; what is not known is called by its kind."""
    known = {**details}
    for name, stand_in in (("module", "distribution"), ("distribution", "module"), ("requirement", "module")):
        if name not in known and stand_in in details:
            known[name] = details[stand_in]
    return re.sub(r"\{(\w+)\}", lambda m: known.get(m[1], f"the {m[1]}"), row.fix)


def _fingerprint(
    best: Match, raised: Raised | None, location: Location | None, details: Mapping[str, str]
) -> str:
    if best.text.source in ("status", "fact"):
        return fingerprint(best.row.name, "")
    in_exception = raised is not None and (best.raised is not None or best.text.source == "exception")
    if best.row.by_file:
        return fingerprint(best.row.name, "", where=location.file.rpartition("/")[2] if location else "")
    message = raised.headline if in_exception and raised else bare(best.text.lines[best.line])
    where = f"{location.file.rpartition('/')[2]}:{location.function}" if in_exception and location else ""
    subject = details.get("requirement") or details.get("distribution") or details.get("module") or ""
    name = _DISTRIBUTION.match(subject)
    return fingerprint(best.row.name, message, where=where, about=name.group() if name else "")


def _evidence_lines(reading: Reading, best: Match, raised: Raised | None) -> tuple[str, ...]:
    """The reason's beginning, the matched lines with their surroundings, and the traceback."""
    return tuple(_shortened(dict.fromkeys(_chosen_lines(reading, best, raised))))


def _chosen_lines(reading: Reading, best: Match, raised: Raised | None) -> Iterator[str]:
    if reading.evidence.secondary_status and best.text.source == "status":
        yield f"SecondaryStatus: {reading.evidence.secondary_status}"
    if best.text.source in ("fact", "api"):
        yield best.text.lines[best.line]
    reason = reading.reason.lines
    yield from reason[:3]
    if best.text.source == "reason":
        yield from reason[max(0, best.line - 1) : best.line + 3]
    shown: set[int] = set()
    if best.text.source == "log":
        shown.update(range(best.line - 12, best.line + 9))  # an installer explains above and below
    if raised is not None and raised in reading.log.raised:
        shown.update(range(max(raised.start, raised.end - 14), raised.end))
    elif raised is not None:
        yield from reading.reason.lines[max(raised.start, raised.end - 14) : raised.end]
    elif best.text.source != "log":
        shown.update(range(len(reading.log.lines) - 8, len(reading.log.lines)))
    yield from (reading.log.lines[index] for index in sorted(shown) if 0 <= index < len(reading.log.lines))


def _shortened(lines: Iterator[str] | Mapping[str, None] | Sequence[str]) -> list[str]:
    kept = [line[:LONGEST_LINE] for line in lines if line.strip()][:MOST_EVIDENCE]
    return list(redact_lines(kept))[:MOST_EVIDENCE] if kept else []
