"""Findings about the source as Preflight and plan give them: levels, silencing, and when an index is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.ports import Resolution
from wpfsm.fsm.states.preflight.source import examine_source

FILES = {"train.py": "import numpy\nprint(f'eval_loss={1}')\n", "requirements.txt": "tqdm\nnumpy==1.21.0\n"}


class Index:
    """Answers every question with one problem, and remembers the questions."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def resolve(
        self, folder: str, requirements: str, python: str, environment: Mapping[str, str], seconds: float
    ) -> Resolution:
        self.asked.append(python)
        return Resolution(None, "no wheel", "numpy")


def loop_file(**more: Any) -> LoopFile:
    job = {"source": "src/", "entry": "train.py", **more.pop("job", {})}
    return LoopFile.model_validate(
        {"version": 1, "name": "x", "pool": {"instance_type": "ml.g5.xlarge"}, "job": job,
         "metric": {"name": "eval_loss", "regex": "eval_loss=(.*)"}, "strategy": {"type": "fix"}, **more}
    )  # fmt: skip


def levels(file: LoopFile, index: Index | None) -> dict[str, str]:
    return {finding.text: finding.level for finding in examine_source(file, FILES, "/nowhere", index)}


def test_findings_warn_with_their_place() -> None:
    index = Index()
    assert levels(loop_file(job={"python": "3.10"}), index) == {"requirements.txt:2: no wheel": "warn"}
    assert index.asked == ["3.10"]


def test_strict_refuses() -> None:
    assert levels(loop_file(checks={"strict": True}), Index()) == {"requirements.txt:2: no wheel": "refuse"}


def test_a_silenced_check_asks_nobody() -> None:
    index = Index()
    assert levels(loop_file(checks={"ignore": ["requirements", "imports"]}), index) == {}
    assert index.asked == []


def test_an_image_of_unknown_python_asks_nobody_and_says_what_is_not_known() -> None:
    index = Index()
    role = {"instance_type": "ml.g5.xlarge", "role": "arn:aws:iam::123456789012:role/Train"}
    file = loop_file(backend="aws", pool=role, job={"image": "team/train:7"})
    assert set(levels(file, index).values()) <= {"note"}
    assert index.asked == []


def test_a_request_of_the_users_own_is_not_read() -> None:
    file = loop_file(job={"source": None, "entry": None, "request": "request.json"})
    assert examine_source(file, FILES, "/nowhere", Index()) == []
