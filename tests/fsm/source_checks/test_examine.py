"""What each check finds in a script that is wrong, with the place."""

from __future__ import annotations

import pytest
from checked_scripts import PYTORCH, found


def test_a_module_that_nothing_brings_is_named_with_its_line() -> None:
    one, = found("import os\nimport evaluate\n", image=PYTORCH, requirements="tqdm\n")  # fmt: skip
    assert (one.file, one.line, one.fix) == ("train.py", 2, "add evaluate to the requirements")
    assert (
        "imports evaluate, which neither the requirements nor the image (PyTorch, as of 2026-11) bring"
        in one.text
    )


def test_a_module_of_a_file_that_the_entry_imports_is_found() -> None:
    one, = found("from helper import go\ngo()\n", helper="def go():\n    import cv2\n")  # fmt: skip
    assert (one.file, one.line) == ("helper.py", 2)
    assert "opencv" in one.fix


def test_what_a_resolver_found_counts_as_brought() -> None:
    script = "import huggingface_hub, rapidfuzz\n"
    assert not found(script, requirements="jiwer\n", resolved=["jiwer", "rapidfuzz", "huggingface-hub"])
    (one,) = found(script, requirements="jiwer\n", resolved=["jiwer", "rapidfuzz"])
    assert "huggingface_hub" in one.text
    assert not found(script, requirements="jiwer\n"), "nobody knows what comes with it"


def test_a_requirement_that_an_index_refuses_is_named_with_its_line() -> None:
    said = found(
        "print()\n", requirements="# pins\ntqdm\nnumpy==1.21.0\n", problem="no wheel", distribution="numpy"
    )
    assert [(one.check, one.file, one.line, one.text) for one in said] == [
        ("requirements", "requirements.txt", 3, "no wheel")
    ]


@pytest.mark.parametrize("check", ["imports", "hyperparameters", "metric"])
def test_each_check_can_be_silenced(check: str) -> None:
    script = (
        "import argparse, evaluate\np = argparse.ArgumentParser()\np.add_argument('--a')\nprint('loss 1')\n"
    )
    everything = found(script, values={"b": [1]}, regex="eval_loss=(.*)")
    assert {one.check for one in everything} == {"imports", "hyperparameters", "metric"}
    rest = found(script, values={"b": [1]}, regex="eval_loss=(.*)", ignore=[check])
    assert check not in {one.check for one in rest}
    assert len(rest) == len(everything) - 1


def test_what_cannot_be_parsed_is_passed_over() -> None:
    assert not found("print 'python 2'\n", values={"lr": [1]}, regex="eval_loss=(.*)")
