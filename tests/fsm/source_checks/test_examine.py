"""What each check finds in a script that is wrong, with the place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from wpfsm.fsm.ports import Resolution
from wpfsm.fsm.records import JSON
from wpfsm.fsm.source_checks.examine import Question, examine
from wpfsm.fsm.source_checks.finding import SourceFinding
from wpfsm.fsm.source_checks.image_modules import Image, image_of

PLAIN = image_of("python:3.11-slim", local=False)
PYTORCH = image_of(
    "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.5.1-gpu-py311", local=False
)


def found(
    train: str,
    *,
    image: Image = PLAIN,
    requirements: str | None = None,
    values: Mapping[str, Sequence[JSON]] | None = None,
    regex: str | None = None,
    resolved: Sequence[str] | None = None,
    problem: str = "",
    distribution: str = "",
    ignore: Sequence[str] = (),
    **more: str,
) -> list[SourceFinding]:
    files = {"train.py": train, **{f"{name}.py": text for name, text in more.items()}}
    if requirements is not None:
        files["requirements.txt"] = requirements
    asked = Question(
        files,
        "train.py",
        "requirements.txt" if requirements is not None else "",
        image,
        values=values or {},
        metric=("eval_loss", regex) if regex else None,
        resolution=Resolution(frozenset(resolved) if resolved else None, problem, distribution),
    )
    return list(examine(asked, ignore))


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


def test_an_unknown_image_gives_a_remark_and_no_fault() -> None:
    (one,) = found("import torch\n", image=image_of("team/train:7", local=False))
    assert not one.known
    assert "not known" in one.text


@pytest.mark.parametrize(
    ("parser", "values", "said"),
    [
        ("p.add_argument('--learning_rate')", {"lr": [1]}, "does not know --lr"),
        ("p.add_argument('--batch-size', type=int)", {"batch_size": [8]}, "does not know --batch_size"),
        ("p.add_argument('--fp16', action='store_true')", {"fp16": [True]}, "is a switch"),
        (
            "p.add_argument('--opt', choices=['sgd', 'adam'])",
            {"opt": ["sgd", "lion"]},
            "--opt lion is not among",
        ),
        ("p.add_argument('--epochs', type=int)", {"epochs": [3.5]}, "--epochs 3.5 is not the int"),
        ("p.add_argument('--data', required=True)", {}, "requires --data"),
    ],
)
def test_argparse_refuses(parser: str, values: Mapping[str, Sequence[JSON]], said: str) -> None:
    (one,) = found(
        f"import argparse\np = argparse.ArgumentParser()\n{parser}\np.parse_args()\n", values=values
    )
    assert said in one.text
    assert (one.file, one.line) == ("train.py", 3)


def test_click_and_typer_refuse() -> None:
    click = "import click\n@click.command()\n@click.option('--lr')\ndef main(lr): ...\nmain()\n"
    (one,) = found(click, requirements="click\n", values={"rate": [1]})
    assert "does not know --rate" in one.text
    typer = "import typer\ndef main(batch_size: int = 1): ...\ntyper.run(main)\n"
    (one,) = found(typer, requirements="typer\n", values={"batch_size": [1]}, ignore=["imports"])
    assert (one.text.split(",")[0], one.fix) == (
        "the script's parser does not know --batch_size",
        "did you mean batch-size?",
    )


def test_dataclass_fields_of_hf_argument_parser() -> None:
    script = (
        "from dataclasses import dataclass\nfrom transformers import HfArgumentParser\n@dataclass\nclass A:\n"
        "    lr: float = 1\nHfArgumentParser(A).parse_args_into_dataclasses()\n"
    )
    (one,) = found(script, requirements="transformers\n", values={"learning_rate": [1], "lr": [1]})
    assert "does not know --learning_rate" in one.text


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
    (one,) = found(f"x = 1\n{printed}\n", regex=r"eval_loss=([0-9.]+)")
    assert one.check == "metric"
    assert "nothing that the source prints matches" in one.text
    assert one.fix


def test_a_checkpoint_that_nobody_keeps() -> None:
    asked = Question({"train.py": "print(1)\n"}, "train.py", "", PLAIN, carries_checkpoint=True)
    (one,) = examine(asked)
    assert one.check == "checkpoint"
    assert "WPFSM_CHECKPOINT_DIR" in one.text
    reads = Question(
        {"train.py": "import os\nos.environ['WPFSM_CHECKPOINT_DIR']\n"},
        "train.py",
        "",
        PLAIN,
        carries_checkpoint=True,
    )
    assert not list(examine(reads))


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


@pytest.mark.parametrize(
    ("uri", "python"),
    [
        (
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.5.1-gpu-py311-cu124-ubuntu22.04",
            "3.11",
        ),
        ("python:3.12-slim", "3.12"),
        ("team/train:7", None),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", None),
    ],
)
def test_the_python_of_an_image_comes_from_its_tag(uri: str, python: str | None) -> None:
    assert image_of(uri, local=False).python == python
    assert image_of(uri, local=False, python="3.9").python == "3.9"
