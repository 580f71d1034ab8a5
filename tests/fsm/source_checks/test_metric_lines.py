"""A metric that nothing prints."""

from __future__ import annotations

import pytest
from checked_scripts import found


@pytest.mark.parametrize(
    "printed",
    [
        "print(f'eval_loss: {x:.3f}')",
        "print('eval loss = %.3f' % x)",
        "print('val', x)",
        "import logging; logging.info('eval_loss is %s', x)",
    ],
)
def test_a_metric_that_no_line_prints(printed: str) -> None:
    """The job would train, and the loop would see no metric."""
    (one,) = found(f"x = 1\n{printed}\n", regex=r"eval_loss=([0-9.]+)")
    assert one.check == "metric"
    assert "nothing that the source prints matches" in one.text
    assert one.fix
