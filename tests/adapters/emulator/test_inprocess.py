"""An emulator inside a test's process."""

from __future__ import annotations

import sys


def test_the_emulator_knows_nothing_of_the_controller() -> None:
    """Importing the whole emulator imports nothing else of the project but how an expression reads a line of a log."""
    import subprocess

    code = (
        "import sys, wpfsm.adapters.emulator.server, wpfsm.adapters.emulator.inprocess,"
        " wpfsm.adapters.emulator.runner.subprocess\n"
        "print(sorted(m for m in sys.modules if m.startswith('wpfsm.') and not m.startswith('wpfsm.adapters')))\n"
        "print([m for m in ('moto', 'boto3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    reading = [
        "",
        ".strategies",
        ".strategies.base",
        ".strategies.expression",
        ".strategies.metrics",
        ".strategies.numbers",
    ]
    assert done.stdout.splitlines()[0] == str([f"wpfsm.fsm{name}" for name in reading])
