"""Which rule answers a failure."""

from __future__ import annotations

from dataclasses import replace

from wpfsm.fsm.failures.diagnosis import explain
from wpfsm.fsm.failures.taxonomy import TAXONOMY
from wpfsm.fsm.patches.on_failure import DEFAULT_RULES, Rule, applicable

OOM = explain("", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")

QUOTA = explain(
    "An error occurred (ResourceLimitExceeded) when calling the CreateTrainingJob operation: The account-level",
    "",
)


def test_the_built_in_rules_answer_every_class():
    """Nothing falls through: the last row is a hand-off for anything."""
    for row in TAXONOMY:
        assert applicable(DEFAULT_RULES, replace(OOM, family=row.family, class_=row.name), {})


def test_the_first_rule_that_is_not_used_up_wins():
    """The loop file's rows stand above the built-in ones, by class, by family, or for any."""
    own = (Rule("cuda_oom", "scale", times=2), Rule(["script", "data"], "handoff"))
    rules = (*own, *DEFAULT_RULES)

    assert applicable(rules, OOM, {})[0] is own[0]
    assert applicable(rules, OOM, {own[0].key: 2})[0] == Rule("oom", "scale", times=4)
    assert applicable(rules, explain("", "KeyError: 'x'"), {})[0] is own[1]
    assert applicable((Rule("any", "release", times=1),), OOM, {"any:release": 1}) == []
    assert applicable(DEFAULT_RULES, QUOTA, {})[0] == Rule("quota", "release")
