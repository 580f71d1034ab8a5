"""A loop file that cannot be meant: line, key and fix; exit code 2; nothing written anywhere."""

from __future__ import annotations

import pytest
from cli_bench import Bench
from loop_files import CASES, GOOD


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
