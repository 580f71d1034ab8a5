"""``python -m wpfsm.adapters.emulator``: the same as ``wpfsm emulator``."""

from wpfsm.adapters.emulator.command import emulator

if __name__ == "__main__":
    emulator(prog_name="wpfsm emulator")
