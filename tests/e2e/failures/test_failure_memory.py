"""What cured a failure in one loop is tried first in the next."""

from __future__ import annotations

from failing_loops import Project

GREEDY = """\
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--batch_size", type=int)


def train_step(batch_size):
    if batch_size > 16:
        raise MemoryError


train_step(parser.parse_args().batch_size)
print("eval_loss=0.25")
"""


def test_a_second_loop_begins_with_what_worked_in_the_first(project: Project) -> None:
    """The first loop halves twice; the second one goes straight to the batch that fitted, and says why."""
    project.write({"train.py": GREEDY}, job={"hyperparameters": {"batch_size": 64}})
    first = project.start()
    assert first.code == 0, first.said
    assert [job["params"]["batch_size"] for job in first.jobs] == [64, 32, 16]
    second = project.start()
    assert second.code == 0, second.said
    assert [job["params"]["batch_size"] for job in second.jobs] == [64, 16]
    assert f"worked before on the same failure ({first.jobs[1]['name']})" in second.said


def test_what_is_taken_over_keeps_the_effective_batch_of_the_loop_at_hand(project: Project) -> None:
    """The second loop began with another batch: its accumulation is its own, and the patch says what it changed."""
    script = GREEDY.replace(
        "\n\n\ndef", '\nparser.add_argument("--gradient_accumulation_steps", type=int)\n\n\ndef'
    )
    for batch in (64, 128):
        given = {"batch_size": batch, "gradient_accumulation_steps": 1}
        project.write({"train.py": script}, job={"hyperparameters": given})
        ran = project.start()
        assert ran.code == 0, ran.said
    assert ran.patches == ["batch_size 128 → 16, gradient_accumulation_steps 1 → 8"]
    assert ran.jobs[-1]["params"] == {"batch_size": 16, "gradient_accumulation_steps": 8}
