"""One loop as one self-contained HTML page: nothing in it refers to the network, light and dark are inside."""

from __future__ import annotations

from wpfsm.adapters.report.facts import Facts, gather
from wpfsm.adapters.report.page import render

__all__ = ["Facts", "gather", "render"]
