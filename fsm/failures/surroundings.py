"""Failures of the place in which a script ran rather than of the script: no list of known messages tells them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from wpfsm.fsm.failures.evidence import Evidence
from wpfsm.fsm.failures.matching import is_local_module

NO_CONTAINER = "/opt/ml is not the container's here"
_CONTAINERS = re.compile(r"(?<![\w.-])/opt/ml(?![\w-])(?!/input/data/(?:sm_drivers|code)\b)")


def advice(class_: str, details: Mapping[str, str], said: Sequence[str], evidence: Evidence) -> str | None:
    """What to do where the script would be right elsewhere; None where it would not.

    Args:
        class_: Of the diagnosis.
        details: What its messages named.
        said: The line that decided, and the exception's.
        evidence: What is known of the job.
    """
    if evidence.local and any(map(_CONTAINERS.search, said)):
        return (
            f"{NO_CONTAINER}: on the local backend let the script take its folders from the "
            "variables of a job (SM_CHANNEL_<NAME>, SM_MODEL_DIR, SM_OUTPUT_DATA_DIR, SM_HPS), which are set on the "
            "image, too."
        )
    top = details.get("module", "").partition(".")[0]
    if class_ != "missing_module" or not top:
        return None
    if top == evidence.source_folder and not is_local_module(top, evidence.source_files):
        return (
            f"{top} is the source folder, and a job has what is in it without the folder's name: import its modules "
            f"without {top}., or give the folder above as job.source."
        )
    if is_local_module(top, evidence.source_files):
        return (
            f"{top} is a module of the source itself, and Python does not find it from where the script starts: set "
            "job.environment: {PYTHONPATH: .} for modules at the top of the source, or name an entry that stands beside it."
        )
    return None
