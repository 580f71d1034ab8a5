"""Which lines a diagnosis shows as its evidence: the one that matters first, then what stands around it.

A launcher prints the environment, every ``SM_*`` variable and the commands of its shell script; none of that says why
a job failed, and it pushes what does out of sight.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from wpfsm.fsm.failures.evidence import ReadEvidence
from wpfsm.fsm.failures.matching import HOLLOW, Match
from wpfsm.fsm.failures.redact import redact_lines
from wpfsm.fsm.failures.traceback import Raised, bare

MOST_EVIDENCE = 40
"""Lines of evidence that a diagnosis keeps."""
LONGEST_LINE = 500
"""Characters of a line of evidence that are kept."""
LAST_LINES = 15
"""Lines of the log's end that are shown where nothing in it decided."""

_NOISE = re.compile(
    r"^\s*(?:(?:export |declare -x )?(?:SM|SAGEMAKER|TRAINING_JOB|AWS|PYTHON|NCCL|OMPI|PMIX|FI|CONDA)_\w+=|\+{1,4} \S"
    r"|(?:PATH|LD_LIBRARY_PATH|HOSTNAME|PWD|HOME)=|\"(?:additional_framework_parameters|channel_input_dirs|current_host"
    r"|current_instance_\w+|framework_module|hosts|hyperparameters|input_\w+|is_\w+|job_name|log_level|master_hostname|model_dir"
    r"|module_\w+|network_interface_name|num_\w+|output_\w+|resource_config|user_entry_point|distribution_\w+)\":"
    r"|Invoking script with the following command|Training Env:|Environment variables:|Setting up environment variables)"
)
_SAYS_WHY = re.compile(
    r"\b(?:error|exception|fatal|fail(?:ed|ure)?|cannot|could not|unable|giving up|abort\w*|not found|denied|killed|invalid|missing)\b",
    re.IGNORECASE,
)


def evidence_lines(reading: ReadEvidence, best: Match, raised: Raised | None) -> tuple[str, ...]:
    """The line that matters, the traceback, what stands around the match, and the reason's beginning."""
    if (
        best.weight <= HOLLOW
        and best.text.source == "reason"
        and not (raised and raised in reading.log.raised)
    ):
        return last_lines(reading)
    first, *others = [line for line in _chosen(reading, best, raised) if line.strip()] or [""]
    # What spans lines is only understood in its place, so the first line may come twice.
    return tuple(
        _shortened((first, *(line for line in dict.fromkeys(others) if line != others[0] or line != first)))
    )


def last_lines(reading: ReadEvidence) -> tuple[str, ...]:
    """The end of the log where nothing decided: the last line that looks like a reason first."""
    log = [line for line in reading.log.lines[-4 * LAST_LINES :] if line.strip() and not _is_noise(line)]
    log = log[-LAST_LINES:]
    first = next((line for line in reversed(log) if _SAYS_WHY.search(line)), log[-1] if log else "")
    return tuple(_shortened(dict.fromkeys((first, *reading.reason.lines[:8], *log))))


def _chosen(reading: ReadEvidence, best: Match, raised: Raised | None) -> Iterator[str]:
    if reading.evidence.secondary_status and best.text.source == "status":
        yield f"SecondaryStatus: {reading.evidence.secondary_status}"
    matched = best.text.lines[best.line] if best.line < len(best.text.lines) else ""
    in_exception = raised is not None and not raised.is_wrapper
    if raised is not None and in_exception and (best.text.source == "exception" or best.raised is not None):
        yield raised.headline
    else:
        yield bare(matched)
    if best.text.source in ("fact", "api", "call"):
        yield matched
    shown: set[int] = set()
    if raised is not None and raised in reading.log.raised:
        shown.update(range(max(raised.start, raised.end - 14), raised.end))
    if best.text.source == "log":
        shown.update(range(best.line - 12, best.line + 9))  # an installer explains above and below
    elif not shown:
        shown.update(range(len(reading.log.lines) - 8, len(reading.log.lines)))
    log = reading.log.lines
    yield from (log[index] for index in sorted(shown) if 0 <= index < len(log) and not _is_noise(log[index]))
    reason = reading.reason.lines
    yield from reason[:3]
    if best.text.source == "reason":
        yield from reason[max(0, best.line - 1) : best.line + 3]
    if raised is not None and raised in reading.reason.raised:
        yield from reason[max(raised.start, raised.end - 14) : raised.end]


def _is_noise(line: str) -> bool:
    return bool(_NOISE.match(bare(line)))


def _shortened(lines: Iterable[str]) -> list[str]:
    kept = [line[:LONGEST_LINE] for line in lines if line.strip()][:MOST_EVIDENCE]
    return list(redact_lines(kept))[:MOST_EVIDENCE] if kept else []
