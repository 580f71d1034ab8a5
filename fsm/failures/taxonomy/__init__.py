"""The failure classes: one declarative table, with a module for each family (``service`` holds four).

Each row says what a failure looks like, what it means, what to do and who can do it. A pattern describes the
nature of a message, never one message. Its strength is the confidence of the diagnosis when it decides:

- 0.9 and more: the message states the cause ("CUDA out of memory", "No module named");
- 0.7 to 0.9: it names it, and something else could have printed it too;
- below 0.7: it fits when nothing else does; a plain exception of the script is 0.6.

The texts come from the sources of PyTorch, pip, uv, transformers, XGBoost, NCCL, the SageMaker training toolkit
and the developer guide ("Troubleshooting", "train-warm-pools"). The service may change its wording.
"""

from __future__ import annotations

from wpfsm.fsm.failures.taxonomy import data, dependency, oom, other, permissions, script, service, timeout
from wpfsm.fsm.failures.taxonomy.rows import FailureClass

TAXONOMY: tuple[FailureClass, ...] = (
    *dependency.ROWS,
    *oom.ROWS,
    *service.ROWS,
    *timeout.ROWS,
    *permissions.ROWS,
    *data.ROWS,
    *script.ROWS,
    *other.ROWS,
)
"""Every class; ``unknown`` is last and has no pattern."""

CLASSES: dict[str, FailureClass] = {row.name: row for row in TAXONOMY}
"""Every class by its name."""
