"""What the name of an image tells."""

from __future__ import annotations

import pytest
from checked_scripts import found

from wpfsm.fsm.source_checks.image_modules import image_of


def test_an_unknown_image_gives_a_remark_and_no_fault() -> None:
    """What it brings is not known, so nothing is blamed."""
    (one,) = found("import torch\n", image=image_of("team/train:7", local=False))
    assert not one.known
    assert "not known" in one.text


@pytest.mark.parametrize(
    ("uri", "python"),
    [
        (
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.5.1-gpu-py311-cu124-ubuntu22.04",
            "3.11",
        ),
        ("python:3.12-slim", "3.12"),
        ("team/train:7", None),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", None),
    ],
)
def test_the_python_of_an_image_comes_from_its_tag(uri: str, python: str | None) -> None:
    """And what the loop file says wins."""
    assert image_of(uri, local=False).python == python
    assert image_of(uri, local=False, python="3.9").python == "3.9"
