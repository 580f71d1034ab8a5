"""A loop file is YAML 1.2, and `--set` writes into it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from loop_files import GOOD, refusal

from wpfsm.fsm.loopfile.load import parse
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.strategies.sweep import SweepConfig


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
