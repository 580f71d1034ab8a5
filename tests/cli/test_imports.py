"""Verbs that only read start fast: they import no AWS, emulator, SDK, table or terminal library."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from cli_bench import Bench

SLOW_LIBRARIES = frozenset({
    "boto3", "botocore", "moto", "flask", "sagemaker", "sqlite_utils", "pandas", "numpy", "structlog", "pydantic",
    "rich", "ruamel", "optuna", "plotly", "statemachine",
})  # fmt: skip

PROGRAM = """
import json, sys
try:
    from wpfsm.cli import main
    main()
except SystemExit as end:
    code = end.code
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


def imported(bench: Bench, *words: str) -> tuple[int, frozenset[str]]:
    """Exit code of a verb, and the top-level modules that its process had imported at its end."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], cwd=bench.folder, env=bench.environment,
                          capture_output=True, text=True, check=True)  # fmt: skip
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code or 0, frozenset(modules)


@pytest.mark.parametrize(
    "words",
    ["inspect", "inspect sweep", "inspect broken -o json", "inspect sweep --job 1", "inspect sweep --events",
     "logs sweep", "logs broken --failed", "wait sweep", "wait broken -o json", "explain broken", "diff sweep",
     "detect try-lr-1e-4-and-1e-5", "--version", "--help"],
)  # fmt: skip
def test_a_reading_verb_imports_nothing_slow(finished: Bench, words: str):
    """None of the libraries that cost tenths of a second is imported."""
    code, modules = imported(finished, *words.split())
    assert code in (0, 10)
    assert modules & SLOW_LIBRARIES == set()


@pytest.mark.parametrize("words", ["explain --reason AlgorithmError", "inspect sweep --diagram", "schema"])
def test_a_verb_without_a_service_imports_no_client(finished: Bench, words: str):
    """What needs no service loads no client of one."""
    code, modules = imported(finished, *words.split())
    assert code == 0
    assert modules & {"boto3", "botocore", "moto", "sagemaker"} == set()
