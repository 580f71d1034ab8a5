"""Where memory ran out, as far as a traceback tells: a smaller batch does not shrink what is not made of batches.

Halving the batch after a failure that has nothing to do with it costs a paid job each time and changes nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wpfsm.fsm.failures.traceback import Frame, local_file


@dataclass(frozen=True)
class Stage:
    """What the job was doing.

    Attributes:
        fix: what to do, in one sentence.
        stuck: why a smaller batch cannot help.
    """

    fix: str
    stuck: str


_LOADING = re.compile(
    r"from_pretrained|load_state_dict|_load_state_dict|load_pretrained|load_checkpoint|torch\.load\(|load_weights|load_model"
    r"|safetensors|init_empty_weights|dispatch_model|materialize|\b(?:model|net|network|module|encoder|decoder|backbone)\.(?:to|cuda|half|bfloat16)\("
    r"|deepspeed\.initialize|FullyShardedDataParallel\(|DistributedDataParallel\(|\bFSDP\(|\bDDP\("
)
_READING = re.compile(
    r"\b(?:read_csv|read_parquet|read_json|read_feather|read_table|to_numpy|to_pandas|concatenate|vstack|hstack|get_dummies|toarray|todense"
    r"|np\.(?:load|zeros|ones|empty|stack|array)|load_dataset|fit_transform|pd\.concat)\b"
)
_TRAINING = re.compile(
    r"forward|backward|\btrain(?:_one|_epoch|_step|_loop|ing_step|er)?\b|training|\bfit\b|\bstep\b|loss|\bbatch|optim|epoch|eval|predict|generate"
    r"|\bloader\b|autograd|_call_impl|__next__|sample",
    re.IGNORECASE,
)
_PROGRESS = re.compile(
    r"\b(?:step|epoch|iter(?:ation)?|batch|loss)\b\W{0,3}\d|\d+/\d+ \[|\bit/s\b|s/it\b|\bloss\W{1,4}[\d.]",
    re.IGNORECASE,
)

_OF_WORKERS = re.compile(r"DataLoader worker|shared memory|/dev/shm|/torch_\d|\bshm\b", re.IGNORECASE)
"""Memory that the loader's workers share: fewer of them need less, whatever was being done."""

LOADING = Stage(
    "Load the weights in a smaller type or sharded (bfloat16, 4 bit, device_map), or use a larger accelerator: they do not "
    "fit, whatever the batch.",
    "it ran out while the weights were loaded, before any batch",
)
READING = Stage(
    "Read the data in chunks, or in a smaller type: it does not fit as a whole, whatever the batch.",
    "it ran out while the data was read as a whole, before any batch",
)
BEFORE = Stage(
    "See what is made at the place given before the first step: it does not fit, whatever the batch.",
    "it ran out before the first step of training",
)


def stage_of(frames: Sequence[Frame], log: Sequence[str], source_files: Mapping[str, str]) -> Stage | None:
    """What was being done, where that had nothing to do with a batch; None when it had, or nothing is known.

    A ``raise`` of the script's own says nothing about what was being made, and what stands in a loop is done in steps.

    Args:
        frames: of the exception that says that memory is full, outermost first.
        log: what the job printed.
        source_files: relative path to text of the loop's copy of the source.
    """
    if not frames or any(map(_OF_WORKERS.search, log)):
        return None
    deepest_first = [f"{frame.function} {frame.code}" for frame in reversed(frames)]
    for text in deepest_first:
        if _LOADING.search(text):
            return LOADING
        if _TRAINING.search(text):
            return None
        if _READING.search(text):
            return READING
    if not frames[-1].is_library and frames[-1].code.startswith("raise"):
        return None
    if any(_PROGRESS.search(line) for line in log) or any(
        _in_a_loop(frame, source_files) for frame in frames
    ):
        return None
    return BEFORE


def _in_a_loop(frame: Frame, source_files: Mapping[str, str]) -> bool:
    """Whether the frame's line stands in the body of a loop of the source."""
    file = None if frame.is_library else local_file(frame, source_files)
    try:
        tree = ast.parse(source_files[file]) if file and file.endswith(".py") else None
    except (SyntaxError, ValueError, RecursionError):
        return False
    return any(
        isinstance(node, ast.For | ast.While)
        and node.body[0].lineno <= frame.line <= (node.body[-1].end_lineno or 0)
        for node in (ast.walk(tree) if tree else ())
    )
