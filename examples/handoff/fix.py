#!/usr/bin/env python3
"""Stands for an agent: reads the hand-off packet on stdin, edits the source in the present folder.

Run by wpfsm (``command: ["./fix.py"]``) the folder is a copy, and the user's files stay as they are.
"""

import json
import sys
from pathlib import Path

packet = json.load(sys.stdin)
place = packet["diagnosis"]["location"]
print(f"{packet['diagnosis']['class']} at {place['file']}:{place['line']}", file=sys.stderr)
script = Path(place["file"])
mended = script.read_text().replace("'halve'", "'half'")
if mended == script.read_text():
    sys.exit("this bug is beyond me")
script.write_text(mended)
