"""From the evidence of a failed job to a diagnosis: what it is, how sure, where, and what to do.

With the SageMaker SDK's drivers the FailureReason holds only the driver's CalledProcessError, so the log decides and
a wrapper is never the cause. What nothing explains stays ``unknown``: there is no guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from wpfsm.fsm.failures.evidence import Evidence, ReadEvidence
from wpfsm.fsm.failures.fingerprint import fingerprint
from wpfsm.fsm.failures.matching import Match, matches, only_wrapper
from wpfsm.fsm.failures.memory import stage_of
from wpfsm.fsm.failures.model import STUCK, Diagnosis, Family, Location
from wpfsm.fsm.failures.redact import redact
from wpfsm.fsm.failures.shown import evidence_lines, last_lines
from wpfsm.fsm.failures.surroundings import advice
from wpfsm.fsm.failures.taxonomy import CLASSES
from wpfsm.fsm.failures.taxonomy.rows import FailureClass, LogPattern
from wpfsm.fsm.failures.traceback import Frame, Raised, bare, dumped, locate

UNKNOWN_CONFIDENCE = 0.1
LEAST_CONFIDENCE = 0.3
"""What weighs less is no more than a hint: the class stays ``unknown``."""

_NAMED = re.compile(r"\{(\w+)\}")
_DISTRIBUTION = re.compile(r"[A-Za-z0-9][\w.-]*")


def diagnose(evidence: Evidence) -> Diagnosis:
    """The diagnosis of one failed job, or of a call that the service refused.

    Args:
        evidence: whatever is known; every field may be empty.
    """
    reading = ReadEvidence(evidence)
    found = matches(reading)
    if not found or found[0].weight < LEAST_CONFIDENCE or only_wrapper(found[0], reading):
        return _unknown(reading)
    best = found[0]
    if reading.ended_well or not (best.is_fatal or reading.says_failed):
        return _unknown(reading)
    raised = _raised(best, reading)
    frames = _frames(raised, reading)
    location = locate(frames or dumped(reading.log.lines), evidence.source_files)
    details = _details(best, found, reading)
    stage = (
        stage_of(frames, reading.log.lines, evidence.source_files)
        if best.row.family is Family.OOM and not best.pattern.stuck
        else None
    )
    if stage is not None or best.pattern.stuck:
        details[STUCK] = stage.stuck if stage else best.pattern.stuck
    said = [best.matched, *([raised.headline] if raised else [])]
    elsewhere = advice(best.row.name, details, said, evidence)
    return Diagnosis(
        family=best.row.family,
        class_=best.row.name,
        confidence=min(best.weight, 0.99),
        evidence=evidence_lines(reading, best, raised),
        location=location,
        fingerprint=_fingerprint(best, raised, location, details),
        fix=elsewhere or (stage.fix if stage else _fix(best.row, best.pattern, details, location)),
        who="you" if elsewhere or STUCK in details else best.row.who,
        details=details,
    )


def explain(reason: str, log_text: str) -> Diagnosis:
    """The diagnosis of a failure that is known only by its texts.

    Args:
        reason: a FailureReason, or ``str()`` of a ClientError; may be empty.
        log_text: the end of the log; may be empty.
    """
    return diagnose(Evidence(failure_reason=reason, log=log_text.splitlines()))


def _unknown(reading: ReadEvidence) -> Diagnosis:
    row = CLASSES["unknown"]
    raised = reading.root
    lines = last_lines(reading)
    last = next(
        (line for line in reversed((*reading.reason.lines[:8], *reading.log.lines[-15:])) if line.strip()), ""
    )
    return Diagnosis(
        row.family,
        row.name,
        UNKNOWN_CONFIDENCE,
        lines,
        locate(raised.frames, {}) if raised else None,
        fingerprint(row.name, last),
        row.fix,
        row.who,
    )


def _details(best: Match, found: Sequence[Match], reading: ReadEvidence) -> dict[str, str]:
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


def _raised(best: Match, reading: ReadEvidence) -> Raised | None:
    """The exception that the deciding match lies in, as the log has it where FailureReason only quotes it."""
    own = best.raised
    if own is None or own.is_wrapper:
        return reading.root or own
    if own.frames or best.text.source == "log":
        return own
    return next((one for one in reversed(reading.log.raised) if one.name == own.name and one.frames), own)


def _frames(raised: Raised | None, reading: ReadEvidence) -> Sequence[Frame]:
    """The frames of the exception, or of the one that ended the job where a line without any told why.

    A launcher's own frames say where it waited for the script, and nothing of the script.
    """
    for one in (raised, reading.root):
        if one is not None and one.frames:
            return () if one.is_wrapper else one.frames
    return ()


def _fix(
    row: FailureClass, pattern: LogPattern, details: Mapping[str, str], location: Location | None
) -> str:
    """The sentence that names what it is about; the row's other one where the message did not name it."""
    known = dict(details)
    for name, stand_in in (
        ("module", "distribution"),
        ("distribution", "module"),
        ("requirement", "distribution"),
        ("requirement", "module"),
        ("override", "override_key"),
    ):
        if name not in known and stand_in in known:
            known[name] = known[stand_in]
    if location is not None:
        known["place"] = f"{location.file}:{location.line}"
    for sentence in (pattern.fix, row.fix):
        if sentence and all(name in known for name in _NAMED.findall(sentence)):
            return _NAMED.sub(lambda found: known[found[1]], sentence)
    return row.otherwise or _NAMED.sub(lambda found: f"the {found[1]}", row.fix)


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
