"""The parts that an ablation removes."""

from __future__ import annotations

import pytest

from wpfsm.adapters.detect.detect import detect


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("ablate each augmentation: flip, crop, color jitter", ["flip", "crop", "color_jitter"]),
        ("ablation study: remove dropout, remove the warmup", ["dropout", "warmup"]),
        ("baseline vs no label smoothing vs no EMA", ["label_smoothing", "ema"]),
        ("knock out one at a time: mixup, cutmix", ["mixup", "cutmix"]),
        ("train with and without class weights", ["class_weights"]),
    ],
)
def test_an_ablation_of_several_parts_removes_each_alone(text: str, parts: list[str]) -> None:
    """A baseline with everything, then one variant for each part."""
    baseline = dict.fromkeys(parts, True)
    assert detect(text).trials == [baseline, *({**baseline, part: False} for part in parts)]
