"""What it takes to ask: no verb that reads an account needs the SageMaker SDK."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cli_in_process import written

from wpfsm.adapters.emulator.pytest_plugin import SageMakerEmulator

CHECKS = """\
import sys
from wpfsm.cli import cli
codes = []
for words in (["plan", sys.argv[1]], ["doctor", "--instance-type", "ml.g5.xlarge"], ["pools"]):
    try:
        cli.main(words)
    except SystemExit as end:
        codes.append(end.code)
assert codes == [0, 0, 0], codes
assert "boto3" in sys.modules
assert "sagemaker" not in sys.modules
"""


def test_no_check_imports_the_sdk(folder: Path, sagemaker_emulator: SageMakerEmulator) -> None:
    """plan, doctor and pools read the account in a process that never imports the SageMaker SDK."""
    done = subprocess.run(
        [sys.executable, "-c", CHECKS, written(folder)], capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
