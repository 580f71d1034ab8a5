"""The world of the crash tests serves here too: one loop, the real controller, a service in this process."""

from __future__ import annotations

import sys
from pathlib import Path

CRASH = Path(__file__).resolve().parents[1] / "crash"
if str(CRASH) not in sys.path:
    sys.path.append(str(CRASH))
