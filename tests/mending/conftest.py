"""These tests drive the real controller in this process, in the world that the crash tests made."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "crash"))
