"""The world of the crash tests serves here too: one loop, the real controller, and a service that can be read."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "crash"))
