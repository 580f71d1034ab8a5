"""A loop file that cannot be meant: line, key and fix; exit code 2; nothing written anywhere."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from cli_bench import Bench

from wpfsm.fsm.errors import UsageError
from wpfsm.fsm.loopfile.load import parse
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.strategies.sweep import SweepConfig

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


@pytest.mark.parametrize(("old", "new", "said"), CASES.values(), ids=CASES)
def test_the_message_names_line_key_and_reason(old: str, new: str, said: str):
    """What is wrong is named where it was written, and what to write instead."""
    assert old in GOOD
    error = refusal(GOOD.replace(old, new, 1))
    assert said in str(error)
    assert str(error).startswith("loop.yaml: ")
    assert error.exit_code == 2
    assert error.fix


def test_every_problem_is_told_at_once():
    """Two mistakes are two lines, in the order of the file."""
    error = refusal(GOOD.replace("keep_alive", "keepalive").replace("goal: minimize", "goal: min"))
    first, second = str(error).splitlines()
    assert "line 6" in first
    assert "line 11" in second


@pytest.mark.parametrize(
    "case", ["unknown key", "keep-alive of 2 h", "spot", "two instance types", "bad YAML"]
)
def test_the_program_refuses_before_it_writes(alone: Bench, case: str):
    """`start` and `plan` exit with 2, say it on stderr, and leave no database and no folder."""
    old, new, said = CASES[case]
    (alone.folder / "loop.yaml").write_text(GOOD.replace(old, new, 1))
    for verb in ("start", "plan"):
        ran = alone.run(verb, "loop.yaml")
        assert ran.code == 2, ran.err
        assert said in ran.err
        assert "fix: " in ran.err
        assert ran.out == ""
        assert [path.name for path in alone.folder.iterdir()] == ["loop.yaml"]


MISSING = {
    "source": ("src/", "code/", "line 8: job.source: there is no folder code; name the one with the training code"),
    "entry": ("train.py", "tarin.py", "line 9: job.entry: tarin.py is not in src; it has train.py"),
    "requirements": ("entry: train.py", "entry: train.py\n  requirements: needs.txt",
                     "line 10: job.requirements: needs.txt is not in src"),
    "inputs": ("entry: train.py", "entry: train.py\n  inputs: {train: data/}",
               "line 10: job.inputs.train: there is no folder data; name the one with the data, or an S3 URI"),
    "request": ("  source: src/\n  entry: train.py", "  request: job.json", "line 8: job.request: there is no file job.json"),
    "source of a recipe": ("  type: sweep\n  method: grid\n  parameters: {lr: [1e-3, 1e-2]}",
                           "  type: recipes\n  recipes:\n    - {name: a}\n    - name: b\n      source: b/",
                           "line 17: strategy.recipes.1.source: there is no folder b"),
    "entry of a recipe": ("  type: sweep\n  method: grid\n  parameters: {lr: [1e-3, 1e-2]}",
                          "  type: recipes\n  recipes:\n    - {name: a}\n    - {name: b, entry: full.py}",
                          "line 16: strategy.recipes.1.entry: full.py is not in src; it has train.py"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), MISSING.values(), ids=MISSING)
def test_a_file_that_is_named_is_looked_for_before_anything_is_written(
    alone: Bench, old: str, new: str, said: str
):
    """A source, entry, requirements or request that is not there is a bad loop file, not a failed start."""
    (alone.folder / "src").mkdir()
    (alone.folder / "src" / "train.py").write_text("")
    assert old in GOOD
    (alone.folder / "loop.yaml").write_text(GOOD.replace(old, new, 1))
    ran = alone.run("start", "loop.yaml")
    assert ran.code == 2, ran.err
    assert f"loop.yaml: {said}" in ran.err
    assert sorted(path.name for path in alone.folder.iterdir()) == ["loop.yaml", "src"]


@pytest.mark.parametrize(("old", "new", "said"), MISSING.values(), ids=MISSING)
def test_a_plan_warns_of_a_file_that_is_still_to_be_written(alone: Bench, old: str, new: str, said: str):
    """What a plan is made from is the loop file alone; a request that it names is part of that."""
    (alone.folder / "src").mkdir()
    (alone.folder / "src" / "train.py").write_text("")
    (alone.folder / "loop.yaml").write_text(GOOD.replace(old, new, 1))
    ran = alone.run("plan", "loop.yaml", "--offline", "-o", "json")
    if "job.request" in said:
        assert ran.code == 3
        return
    assert ran.code == 0, ran.err
    assert ran.json["forecast"]["warm"]["wall_seconds"] > 0
    (finding,) = [f for f in ran.json["findings"] if f["text"].startswith(said.partition(": ")[2])]
    assert finding["level"] == "warn"
    assert "wpfsm start" in finding["fix"]


def test_the_error_is_an_object_for_programs(alone: Bench):
    """With -o json the error is class, message and fix."""
    (alone.folder / "loop.yaml").write_text(GOOD.replace("10m", "2h"))
    error = alone.run("start", "loop.yaml", "-o", "json").json["error"]
    assert error["class"] == "UsageError"
    assert "line 6" in error["message"]
    assert error["fix"]


def test_a_file_that_is_not_there(alone: Bench):
    """The message says how to get one."""
    ran = alone.run("start", "nothing.yaml")
    assert ran.code == 2
    assert "wpfsm init" in ran.err


def hyperparameters(written: str, overrides: Sequence[str] = ()) -> dict[str, object]:
    """What a loop file with these hyperparameters holds."""
    return dict(parse(GOOD.replace("epochs: 8", written), overrides=overrides).job.hyperparameters)


@pytest.mark.parametrize(
    ("written", "value"),
    [("no", "no"), ("yes", "yes"), ("on", "on"), ("1e-4", 1e-4), ("true", True), ("012", 12), ("'1.10'", "1.10"), ("null", None),
     ("0x1F", 31)],
)  # fmt: skip
def test_yaml_is_1_2(written: str, value: object):
    """`1e-4` is a number and `no` is a string: what PyYAML reads differently is read as YAML 1.2 says."""
    found = hyperparameters(f"x: {written}")["x"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("job.hyperparameters.lr=1e-4", ("job", "hyperparameters", "lr"), 1e-4),
        ("job.hyperparameters.note=a=b", ("job", "hyperparameters", "note"), "a=b"),
        ("job.hyperparameters.flag=no", ("job", "hyperparameters", "flag"), "no"),
        ("limits.max_jobs=3", ("limits", "max_jobs"), 3),
        ("pool.keep_alive=20m", ("pool", "keep_alive"), "20m"),
        ("strategy.parameters.lr=[1, 2]", ("strategy", "parameters", "lr"), [1, 2]),
        ("backend=local", ("backend",), "local"),
    ],
)
def test_set_replaces_a_key(setting: str, path: tuple[str, ...], value: object):
    """--set writes a YAML value at a dotted key, and makes the sections that lead there."""
    node: object = parse(GOOD, overrides=[setting]).dump()
    for part in path:
        assert isinstance(node, dict)
        node = node[part]
    assert node == value


def test_set_reaches_into_a_list():
    """An element of a list is named by its number."""
    file = parse(GOOD + "on_failure: [{when: any, do: retry}]\n", overrides=["on_failure.0.times=3"])
    assert file.on_failure[0].times == 3


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("limits", "--set limits: not of the form key=value"),
        ("=3", "--set =3: not of the form key=value"),
        ("name.first=1", "--set name.first=1: name is not a mapping"),
        ("pool.keepalive=3m", "--set pool.keepalive=3m: unknown key; did you mean keep_alive?"),
        ("pool={}", "--set pool={}: pool.instance_type: is missing; add it"),
        ("limits.max_jobs=[1", "--set limits.max_jobs=[1: the value is not valid YAML"),
        ("pool.keep_alive=2h", "--set pool.keep_alive=2h: 2h is beyond"),
    ],
)
def test_set_that_cannot_be_meant(setting: str, said: str):
    """What --set does to the file is judged like the file, and no line of the file is blamed for it."""
    assert str(refusal(GOOD, [setting])).startswith(said)


def test_the_good_file_is_good():
    """The file that every case above breaks is whole."""
    file = parse(GOOD)
    assert isinstance(file, LoopFile)
    assert isinstance(file.strategy, SweepConfig)
