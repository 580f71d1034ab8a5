"""Scripts that are right must raise nothing: a false warning teaches people to read over the true ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wpfsm.fsm.loopfile.load import load
from wpfsm.fsm.source_checks.checkpoint_writes import need_of
from wpfsm.fsm.source_checks.examine import SourceUnderTest, examine
from wpfsm.fsm.source_checks.image_modules import image_of
from wpfsm.fsm.source_checks.trial_values import values_given

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[2] / "examples"
SCRIPTS = [
    json.loads(line) for line in (HERE / "right_scripts.jsonl").read_text(encoding="utf-8").splitlines()
]


def test_the_corpus_is_large_enough() -> None:
    assert len(SCRIPTS) >= 60


@pytest.mark.parametrize("row", SCRIPTS, ids=lambda row: row["name"])
def test_a_right_script_raises_nothing(row: dict) -> None:
    asked = SourceUnderTest(
        row["files"],
        row["entry"],
        "requirements.txt" if "requirements.txt" in row["files"] else "",
        image_of(row["image"], local=False),
        values=row["values"],
        metric=("metric", row["regex"]),
    )
    assert [str(one) for one in examine(asked) if one.known] == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/loop.yaml")), ids=lambda path: path.parent.name)
def test_the_examples_raise_nothing(path: Path) -> None:
    file = load(path, ())
    folder = path.parent / str(file.job.source)
    files = {
        str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*.*") if p.suffix in (".py", ".txt")
    }
    asked = SourceUnderTest(
        files,
        str(file.job.entry),
        "requirements.txt" if "requirements.txt" in files else "",
        image_of(None, local=True),
        values=values_given(file),
        metric=(file.metric.name, file.metric.regex) if file.metric else None,
        needs_checkpoint=need_of(file),
    )
    assert [str(one) for one in examine(asked) if one.known] == []
