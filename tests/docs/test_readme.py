"""The README's diagram is the machine's."""

import re
from pathlib import Path

from wpfsm.fsm.machine import diagram

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_diagram_is_generated():
    """What the README draws is what the machine allows."""
    drawn = re.search(
        r"<!-- diagram -->\n```mermaid\n(.*?)```\n<!-- /diagram -->", README.read_text(), re.DOTALL
    )
    assert drawn
    assert drawn[1].strip() == diagram("mermaid").strip()
