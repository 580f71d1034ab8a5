"""Until a number is reached."""

from __future__ import annotations

import pytest

from wpfsm.adapters.detect.detect import detect


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("train until eval loss < 0.3", ("eval_loss", "<", 0.3)),
        ("keep going until accuracy reaches 90%", ("accuracy", ">=", 0.9)),
        ("retrain until the loss drops below 0.5", ("loss", "<", 0.5)),
        ("as long as perplexity is above 12 train again", ("perplexity", "<=", 12)),
        ("keep training until val_acc > 0.9", ("val_acc", ">", 0.9)),
        ("recall is 0.81 today and must be at least 0.9, keep retraining", ("recall", ">=", 0.9)),
        ("keep retraining until NDCG@10 is 0.45 or better", ("ndcg@10", ">=", 0.45)),
        ("train until it converges", None),
    ],
)
def test_a_target_is_a_metric_a_comparison_and_a_number(
    text: str, target: tuple[str, str, float] | None
) -> None:
    """Comparisons in words and signs agree; what is measured now is no target; names stay."""
    found = detect(text).target
    assert (found and (found.metric, found.op, found.value)) == target
