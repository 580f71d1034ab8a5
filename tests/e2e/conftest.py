"""What other suites have made to be shared may be imported here."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "adapters"), str(TESTS / "cli")]
