"""Searches the evidence with the table and weighs what it finds.

A match weighs as much as its pattern's strength. It weighs less where the message did no harm: in a warning, or in
an exception that was handled before another one ended the job. The heaviest match decides; among equals the earlier
row of the table does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wpfsm.fsm.failures.evidence import JOB_CALLS, ReadEvidence, Text
from wpfsm.fsm.failures.taxonomy import TAXONOMY
from wpfsm.fsm.failures.taxonomy.rows import FailureClass, LogPattern
from wpfsm.fsm.failures.traceback import Raised

WARNED = 0.45
"""Taken from the weight of a match in a warning."""
HANDLED = 0.35
"""Taken from the weight of a match in an exception after which the program went on."""
SURVIVED = 0.4
"""Taken from the weight of a line after which the program went on until an exception of another nature ended it."""
WENT_ON = 30
"""Lines of output that say that the program went on."""
QUOTED_API_ERROR = 0.03
"""Taken from the weight of an API exception that the log quotes: the controller did not get it itself."""
HOLLOW = 0.45
"""At most this weight says only *that* the program failed."""
MATCHES_PER_PATTERN = 20

_WARNING_LINE = re.compile(
    r"^.{0,80}?\b(?:WARN(?:ING)?|INFO|DEBUG|\w*Warning)\b(?!.{0,40}\bERROR\b)|^\[W\d{3,}", re.IGNORECASE
)
_GLOG = re.compile(r"(?:^|[\s:>])[IW](?:\d{4} \d\d:\d\d:\S+\s+\d+)? [\w./-]+\.(?:cc|cpp|cu|h|py):\d+\]")
_BUG = re.compile(
    r"^(?:Key|Index|Type|Name|UnboundLocal|ZeroDivision|NotImplemented|Syntax|Indentation|Tab|Recursion)Error\b"
)
"""Exceptions that the code alone explains: neither memory nor a machine nor a missing library leads to them."""
_ENVIRONMENT = re.compile(
    r"^(?:[\w.]+\.)?(?:OS|IO|EOF|FileNotFound|Permission|\w*Connection|\w*Timeout)\w*Error\b"
)
_OTHER_CALL = re.compile(rf"when calling the (?!(?:{'|'.join(sorted(JOB_CALLS))}) )\w+ operation")
_INSTALLED = re.compile(r"^\W*(?:Successfully installed\b|Installed \d+ packages?\b)")
_SERVICE = re.compile(
    r"boto|aws|ClientError|HTTP|RateLimit|Throttl|TooManyRequests|^(?:requests|urllib3?|httpx|aiohttp|grpc|google|openai|anthropic"
    r"|huggingface_hub|wandb|mlflow|comet_ml|ray|torch|tensorflow|jax|jaxlib|nccl|s3fs|fsspec|sagemaker)\.|\.Dist\w+Error",
    re.IGNORECASE,
)
"""Types of exceptions that speak for a service or a machine, not for the script that raised them."""
_NCCL = re.compile(r"\bNCCL WARN\b")  # NCCL prints its errors as warnings
_WRAPPED = re.compile(r"CalledProcessError|Training Execution failed|ChildFailedError")
_OWN_CODE = re.compile(r"\(/opt/ml/(?!.*(?:site|dist)-packages)")


@dataclass(frozen=True)
class Match:
    """One pattern found in one place."""

    row: FailureClass
    pattern: LogPattern
    weight: float
    text: Text
    line: int
    matched: str
    details: Mapping[str, str] = field(default_factory=dict)
    is_fatal: bool = True
    """False in a warning, and where the program went on."""

    @property
    def raised(self) -> Raised | None:
        """The exception of the log or of FailureReason that the match lies in."""
        return _raised_at(self.text, self.line) if self.text.source in ("log", "reason") else None


def matches(reading: ReadEvidence) -> list[Match]:
    """Every match, heaviest first; matches of equal weight in the order of the table."""
    found = [
        match for row in TAXONOMY for pattern in row.patterns for match in _search(row, pattern, reading)
    ]
    return sorted(found, key=lambda match: -match.weight)


def only_wrapper(best: Match, reading: ReadEvidence) -> bool:
    """Whether nothing but a launcher's wrapper is known: it says that a process failed, never why."""
    if best.weight > HOLLOW or best.row.name != "script_error":
        return False
    known = f"{reading.reason.joined}\n{reading.log.joined}"
    return bool(_WRAPPED.search(known)) and "ExecuteUserScriptError" not in known


def _search(row: FailureClass, pattern: LogPattern, reading: ReadEvidence) -> Iterator[Match]:
    for text in _texts(pattern, reading):
        for count, match in enumerate(pattern.compiled.finditer(text.searchable)):
            if count == MATCHES_PER_PATTERN:
                break
            line = text.line_at(match.start() + len(match.group()) - len(match.group().lstrip()))
            details = {name: value.strip(" '\"`,.") for name, value in match.groupdict().items() if value}
            if pattern.unless_local and _is_local(details.get("module", ""), text.lines[line], reading):
                continue
            if _is_the_scripts_own(row, pattern, text, line, reading):
                continue
            last = text.line_at(match.end())
            less = _discount(text, last, reading)
            weight = round(pattern.strength - less, 3)
            yield Match(
                row, pattern, weight, text, line, match.group().strip(), details, less <= QUOTED_API_ERROR
            )


def _is_the_scripts_own(
    row: FailureClass, pattern: LogPattern, text: Text, line: int, reading: ReadEvidence
) -> bool:
    """Whether the words are those of the user's code, which uses them for something else.

    A running script's own calls say nothing about the call that made its job; and words such as "capacity" or "rate
    limit" speak of the service only where the service, or a client of it, speaks.
    """
    if row.no_job and (text.source == "call" or _OTHER_CALL.search(text.lines[line])):
        return True
    if (
        not (row.no_job or pattern.prose)
        or not reading.script_ran
        or text.source not in ("log", "reason", "call")
    ):
        return False
    if row.no_job:
        return text.source != "reason" or _quotes(text.lines[line], reading.root)
    root, raised = reading.root, _raised_at(text, line) if text.source != "call" else None
    assert root is not None, "a script that ran has an exception"
    if text.source == "reason" and not _quotes(text.lines[line], root):
        return False
    speaker = raised if raised is not None and raised.frames else root
    return not _SERVICE.search(speaker.type)


def _quotes(line: str, root: Raised | None) -> bool:
    """Whether a line of FailureReason repeats what the script's exception says."""
    first = root.message.splitlines()[0].strip() if root and root.message.strip() else ""
    return bool(root) and (first[:60] in line if first else root is not None and root.type in line)


def _texts(pattern: LogPattern, reading: ReadEvidence) -> tuple[Text, ...]:
    match pattern.at:
        case "any":
            return (reading.reason, *reading.api_errors, *reading.own_calls, reading.log)
        case "reason":
            return (reading.reason,)
        case "log":
            return (reading.log,)
        case "api":
            return reading.api_errors
        case "call":
            return (*reading.api_errors, *reading.own_calls)
        case "status":
            return (Text("status", (reading.evidence.secondary_status,)),)
        case "fact":
            return (reading.facts,)
        case "exception":
            return (Text("exception", _headlines(reading.root)),)


def _headlines(raised: Raised | None) -> tuple[str, ...]:
    return (raised.headline,) if raised else ()


def _discount(text: Text, line: int, reading: ReadEvidence) -> float:
    """What a match loses because its message did no harm."""
    if text.source == "call":
        return QUOTED_API_ERROR
    if text.source == "api":
        own = reading.evidence.api_error_code or reading.reason.joined
        return 0 if own else QUOTED_API_ERROR
    if text.source != "log":
        return 0
    here, raised = text.lines[line], _raised_at(text, line)
    if (_WARNING_LINE.search(here) and not _NCCL.search(here)) or _GLOG.search(here):
        return WARNED
    if _was_handled(raised, text):
        return HANDLED
    return SURVIVED if _was_survived(raised, text, line) else 0


def _was_survived(raised: Raised | None, text: Text, line: int) -> bool:
    """Whether a line outside of any traceback is unlikely to be why a later exception was raised."""
    last = text.root
    if last is None or not last.frames or line >= last.start or (raised is not None and raised.frames):
        return False
    if any(_INSTALLED.search(other) for other in text.lines[line + 1 : last.start]):
        return True  # the installer complained, and installed
    if _BUG.match(last.headline):
        return True
    between = sum(1 for other in text.lines[line + 1 : last.start] if other.strip())
    return between >= WENT_ON and not _ENVIRONMENT.match(last.headline)


def _was_handled(raised: Raised | None, text: Text) -> bool:
    """Whether the program went on after this exception and a later one of the same stream ended it."""
    last = text.root
    if raised is None or last is None or raised is last or not raised.frames:
        return False
    return raised.stream == last.stream and raised.chain != last.chain and raised.end <= last.start


def _raised_at(text: Text, line: int) -> Raised | None:
    return next((one for one in text.raised if one.start <= line < one.end), None)


def _is_local(module: str, line: str, reading: ReadEvidence) -> bool:
    """Whether the module is the user's own: in the source, or printed with a path of the user's code."""
    return is_local_module(module, reading.evidence.source_files) or bool(_OWN_CODE.search(line))


def is_local_module(module: str, source_files: Mapping[str, str]) -> bool:
    """Whether an import of that name would find a file or a package of the source, at any depth.

    Args:
        module: dotted name; its first part decides.
        source_files: relative path to text.
    """
    top = module.partition(".")[0]
    if not top:
        return False
    return any(
        f"{top}.py" in parts or top in parts[:-1] for parts in (path.split("/") for path in source_files)
    )
