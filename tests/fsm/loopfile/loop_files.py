"""A loop file that is whole, and the ways in which one cannot be meant."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from wpfsm.fsm.errors import UsageError
from wpfsm.fsm.loopfile.load import parse

GOOD = """\
version: 1
name: digits-lr
backend: local
pool:
  instance_type: ml.g6e.2xlarge
  keep_alive: 10m
job:
  source: src/
  entry: train.py
  hyperparameters: {epochs: 8}
metric: {name: eval_loss, goal: minimize, regex: 'eval_loss=([0-9.eE+-]+)'}
strategy:
  type: sweep
  method: grid
  parameters: {lr: [1e-3, 1e-2]}
"""


# what is written instead of what, and what the message says: line, key, and a word of the reason
CASES = {
    "unknown key": ("keep_alive:", "keepalive:", "line 6: pool.keepalive: unknown key; did you mean keep_alive?"),
    "unknown section": ("metric:", "metrik:", "line 11: metrik: unknown key; did you mean metric?"),
    "unknown key of a strategy": ("method:", "metod:", "line 14: strategy.metod: unknown key; did you mean method?"),
    "a metric twice": ("strategy:", "metrics: [{name: eval_loss, regex: 'x=(.)'}]\nstrategy:", "metrics: eval_loss is there twice"),
    "a metric that captures nothing": ("strategy:", "metrics: [{name: acc, regex: 'acc'}]\nstrategy:", "line 12: metrics.0.regex: "),
    "nothing near": ("backend: local", "qqqq: 1", "line 3: qqqq: unknown key; known keys here: backend,"),
    "missing field": ("  instance_type: ml.g6e.2xlarge\n", "", "line 4: pool.instance_type: is missing; add it"),
    "no source": ("  source: src/\n", "", "line 7: job: give source and entry"),
    "keep-alive of 2 h": ("10m", "2h", "line 6: pool.keep_alive: 2h is beyond the documented 60m; write 60m or less"),
    "keep-alive of 7 h": ("10m", "7h", "line 6: pool.keep_alive: 7h is beyond the service's 6h"),
    "no unit": ("10m", "600", "line 6: pool.keep_alive: 600 is not a duration; write 90s, 10m or 1h"),
    "spot": ("keep_alive: 10m", "spot: true", "line 6: pool.spot: a warm pool cannot be used with managed spot"),
    "two instance types": ("ml.g6e.2xlarge", "[ml.g5.xlarge, ml.g6e.xlarge]",
                           "line 5: pool.instance_type: a warm pool cannot be a heterogeneous cluster; give one"),
    "instance groups": ("instance_type: ml.g6e.2xlarge", "instance_groups: []",
                        "line 5: pool.instance_groups: a warm pool cannot be a heterogeneous cluster"),
    "serverless": ("backend: local", "serverless: true", "line 3: serverless: serverless customization has no instances"),
    "another backend": ("local", "gcp", "line 3: backend: input should be 'local' or 'aws'"),
    "quote in a hyperparameter": ("epochs: 8", "note: \"it's\"", "line 10: job.hyperparameters.note: a single quote breaks"),
    "quote in a trial": ("[1e-3, 1e-2]", "[\"it's\"]", "line 12: strategy: lr: a single quote breaks"),
    "several values": ("epochs: 8", "epochs: [8, 9]", "line 10: job.hyperparameters.epochs: is one value for each job"),
    "a date": ("epochs: 8", "day: 2026-01-01", "line 10: job.hyperparameters.day: must be text, a number, true"),
    "dash in a channel": ("entry: train.py", "entry: train.py\n  inputs: {my-data: s3://a/b}",
                          "line 10: job.inputs.my-data: the SDK's driver exports"),
    "two origins": ("entry: train.py", "entry: train.py\n  request: r.json", "line 10: job.request: stands instead of"),
    "bad YAML": ("pool:\n", "pool: [\n", "line 6: not valid YAML: expected ',' or ']'"),
    "tab": ("  instance_type", "\tinstance_type", "line 5: not valid YAML: found character '\\t'"),
    "duplicate key": ("backend: local", "name: other", 'line 3: not valid YAML: found duplicate key "name"'),
    "too deep": ("version: 1", "version: " + "[" * 3000, "nested too deeply"),
    "no mapping": ("version: 1", "- version: 1", "not valid YAML"),
    "no such strategy": ("sweep", "sweeep", "line 13: strategy.type: 'sweeep' is no strategy; did you mean sweep?"),
    "no strategy type": ("  type: sweep\n", "", "line 12: strategy.type: is missing; write one of sweep, until"),
    "grid with a range": ("[1e-3, 1e-2]", "{min: 1e-5, max: 1e-3}", "line 12: strategy: method grid needs a list"),
    "regex without group": ("=([0-9.eE+-]+)", "=.*", "line 11: metric.regex: the metric regex captures nothing"),
    "regex that does not compile": ("([0-9.eE+-]+)", "([0-9", "line 11: metric.regex: the metric regex does not compile"),
    "goal": ("minimize", "min", "line 11: metric.goal: input should be 'minimize' or 'maximize' (it is 'min')"),
    "name": ("digits-lr", "Digits LR", "line 2: name: 'Digits LR' does not fit: lower-case letters, digits and hyphens"),
    "aws without role": ("local", "aws", "line 4: pool.role: is required for backend: aws"),
    "role": ("keep_alive: 10m", "role: me", "line 6: pool.role: 'me' does not fit: ARN of the jobs' execution role"),
    "number": ("keep_alive: 10m", "instance_count: two", "line 6: pool.instance_count: must be a whole number"),
    "scalar section": ("pool:\n  instance_type: ml.g6e.2xlarge\n  keep_alive: 10m", "pool: ml.g5.xlarge",
                       "line 4: pool: must be a mapping"),
    "version": ("version: 1", "version: 2", "line 1: version: input should be 1"),
    "unknown failure class": ("strategy:", "on_failure: [{when: cuda_omo, do: retry}]\nstrategy:",
                              "line 12: on_failure.0.when: 'cuda_omo' is not a failure class or family; did you mean cuda_oom?"),
    "hold of 3 h": ("strategy:", "on_failure:\n  - {when: any, do: handoff, hold: 3h}\nstrategy:",
                    "line 13: on_failure.0.hold: 3h is beyond the documented 60m of keep-alive"),
    "hold of 7 h": ("strategy:", "on_failure: [{when: any, do: handoff, hold: 7h}]\nstrategy:",
                    "line 12: on_failure.0.hold: 7h is beyond the service's 6h"),
    "a list as text": ("epochs: 8", "layers: [a, b]", """write it as text: '["a", "b"]', or give several values"""),
    "a mapping as text": ("epochs: 8", "lora: {r: 8}", """write it as text: '{"r": 8}'"""),
    "aliases of aliases": ("version: 1", "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    ) + "version: 1", "it stands for more than 20000 values"),
    "rule without action": ("strategy:", "on_failure: [{when: any}]\nstrategy:", "line 12: on_failure.0.do: is missing"),
}  # fmt: skip


def refusal(content: str, overrides: Sequence[str] = ()) -> UsageError:
    """The error of a loop file that must not pass."""
    with pytest.raises(UsageError) as caught:
        parse(content, "loop.yaml", overrides)
    return caught.value
