"""The functions beside the engine: events of SageMaker wake a loop, and the sweep restarts what has died."""

from __future__ import annotations

import functools
import os
import time
from typing import Any

from wpfsm.adapters.engine import executions, place


@functools.cache
def _here() -> place.Place:
    return place.connect(os.environ["WPFSM_DB"])


def wake(event: dict[str, Any], _: object) -> dict[str, Any]:
    """EventBridge's ``SageMaker Training Job State Change``."""
    return {"knocked": executions.job_event(_here(), event.get("detail"))}


def sweep(_: dict[str, Any], __: object) -> dict[str, Any]:
    """Every 15 minutes."""
    return {"begun": executions.sweep(_here(), time.time())}
