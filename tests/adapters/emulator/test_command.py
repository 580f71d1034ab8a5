"""The command: what it accepts, what it refuses and how, and that it starts light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from emulator_process import emulator_process

from wpfsm.adapters.emulator.command import emulator


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--quota", "ml.m5.large"], "TYPE=N"),
        (["--quota", "ml.m5.large=-1"], "TYPE=N"),
        (["--quota", "ml.m5.large:spot=1"], "TYPE=N"),
        (["--quota", "ml.m5.larg=1"], "did you mean ml.m5.large?"),
        (["--switch", "nothing=1"], "there are"),
        (["--switch", "pool_choice=best"], "is one of"),
        (["--image", "uri"], "URI=ENV"),
        (["--image", "uri=/no/such/environment"], "URI=ENV"),
        (["--account", "12"], "twelve digits"),
        (["--time-scale", "0"], "time-scale"),
        (["--cold-start", "-1"], "cold-start"),
        (["--port", "70000"], "port"),
        (["--faults", "/no/such/file"], "faults"),
    ],
)
def test_bad_options_are_bad_usage(options: list[str], words: str) -> None:
    """A bad option is exit code 2 with the option and what it wants; nothing is served."""
    result = CliRunner().invoke(emulator, options)
    assert result.exit_code == 2
    assert words in result.output


@pytest.mark.parametrize("text", ["{", '{"kind": "meteor"}'])
def test_a_bad_fault_file_is_bad_usage(tmp_path: Path, text: str) -> None:
    """A fault file that is not JSON, or names no fault, is refused before anything is served."""
    path = tmp_path / "faults.json"
    path.write_text(text)
    result = CliRunner().invoke(emulator, ["--faults", str(path), "--state", str(tmp_path / "state")])
    assert result.exit_code == 2
    assert "--faults" in result.output
    assert not (tmp_path / "state").exists()


def test_help_imports_nothing_heavy() -> None:
    """The command's help is there without botocore, moto, werkzeug or SQLite."""
    code = (
        "import sys; from wpfsm.adapters.emulator.command import emulator\n"
        "try: emulator(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('botocore', 'boto3', 'moto', 'werkzeug', 'sqlite3', 'regex') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "--cold-start" in done.stdout


def test_options_reach_the_endpoint(tmp_path: Path) -> None:
    """Quotas, account and switches given on the command line are what clients see."""
    options = ["--quota", "ml.m5.large=2", "--quota", "ml.m5.large:training=7", "--account", "999999999999"]
    with emulator_process(tmp_path, *options, "--switch", "untouched_quotas=omitted") as process:
        pages = process.client("service-quotas", account="mine").get_paginator("list_service_quotas")
        quotas = {
            q["QuotaName"]: q["Value"] for p in pages.paginate(ServiceCode="sagemaker") for q in p["Quotas"]
        }
        assert quotas == {
            "ml.m5.large for training job usage": 7.0,
            "ml.m5.large for training warm pool usage": 2.0,
        }
        identity = process.client("sts", account="mine").get_caller_identity()
        assert identity["Account"] == "999999999999"
