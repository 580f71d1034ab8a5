"""One engine, one end: nothing is answered after it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from emulator_requests import training_job
from emulator_stage import Stage


def test_a_request_after_the_end_gets_no_answer(stage: Stage, sagemaker: Any) -> None:
    """A client that still holds a connection sees it cut, which it retries, and no refusal that it believes."""
    emulator = stage.show()
    sagemaker.create_training_job(**training_job("j"))
    emulator.close()
    with pytest.raises(ReadTimeoutError):
        sagemaker.describe_training_job(TrainingJobName="j")
