"""A script that keeps no checkpoint where the loop counts on one: the next job would begin from nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wpfsm.fsm.source_checks.execution import Source
from wpfsm.fsm.source_checks.finding import SourceFinding

_PLACES = re.compile(
    r"WPFSM_CHECKPOINT_DIR|warmpoolcache|SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY|/opt/ml/checkpoints"
    r"|SM_CHECKPOINT|checkpoint[_-]?(?:dir|path|folder)|ckpt[_-]?(?:dir|path)|resume|HF_HOME|TORCH_HOME",
    re.IGNORECASE,
)


def lost_checkpoint(source: Source) -> Iterator[SourceFinding]:
    """What is said when no text of the source names a place in which a checkpoint outlives its job."""
    texts = [
        source.files[name]
        for name in source.files
        if name.endswith((".py", ".sh", ".yaml", ".yml", ".json", ".toml"))
    ]
    if source.entry not in source.files or any(map(_PLACES.search, texts)):
        return
    yield SourceFinding(
        "checkpoint",
        "each job is to continue from the checkpoint of the one before, and the source reads no WPFSM_CHECKPOINT_DIR",
        source.entry,
        1,
        "write and read the checkpoint in the folder that the variable WPFSM_CHECKPOINT_DIR names, "
        "or set strategy.carry_checkpoint: false and propose trials",
    )
