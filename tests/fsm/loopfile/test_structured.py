"""A hyperparameter that is a list or a mapping: text where the script reads JSON, refused where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from loop_files import GOOD

from wpfsm.fsm.errors import UsageError
from wpfsm.fsm.loopfile.load import load

SCRIPT = """
import argparse, ast, json
p = argparse.ArgumentParser()
p.add_argument("--layers", type=json.loads)
p.add_argument("--lora-cfg", "--lora_cfg", type=lambda text: ast.literal_eval(text))
p.add_argument("--lr", type=float)
"""


@pytest.fixture
def loop_file(tmp_path: Path) -> Path:
    """A good loop file beside its script; what it says of epochs is the hyperparameter at hand."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text(SCRIPT)
    path = tmp_path / "loop.yaml"
    path.write_text(GOOD)
    return path


@pytest.mark.parametrize(
    ("written", "name", "text"),
    [
        ("layers: [64, 32]", "layers", "[64, 32]"),
        ("layers: [[1, 2], [3]]", "layers", "[[1, 2], [3]]"),
        ("lora_cfg: {r: 8, names: [a, b]}", "lora_cfg", '{"r": 8, "names": ["a", "b"]}'),
        ("lora-cfg: []", "lora-cfg", "[]"),
    ],
)
def test_a_list_is_json_text_where_the_script_reads_json(
    loop_file: Path, written: str, name: str, text: str
) -> None:
    """As the SDK would write it, in the loop file and by ``--set``."""
    loop_file.write_text(GOOD.replace("epochs: 8", written))
    assert load(loop_file).job.hyperparameters[name] == text
    loop_file.write_text(GOOD)
    value = written.partition(": ")[2]
    assert load(loop_file, [f"job.hyperparameters.{name}={value}"]).job.hyperparameters[name] == text


@pytest.mark.parametrize("written", ["lr: [1e-4, 5e-5]", "other: {a: 1}"])
def test_anywhere_else_it_is_refused_with_the_text_to_write(loop_file: Path, written: str) -> None:
    """Who writes several rates there wants several jobs."""
    loop_file.write_text(GOOD.replace("epochs: 8", written))
    with pytest.raises(UsageError, match="write it as text"):
        load(loop_file)


def test_a_script_that_cannot_be_read_decides_nothing(loop_file: Path) -> None:
    """It may be missing, or no Python."""
    loop_file.write_text(GOOD.replace("epochs: 8", "layers: [1]"))
    (loop_file.parent / "src" / "train.py").write_text("def (")
    with pytest.raises(UsageError, match="write it as text"):
        load(loop_file)
