"""The machine drawn with the path that a loop took: mermaid text from python-statemachine, and an SVG.

The states, arrows and guards come from the machine itself; only their places on the page are ours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from wpfsm.fsm.errors import UsageError
from wpfsm.fsm.machine import LoopMachine, MachineModel
from wpfsm.fsm.records import Event, Loop, State

FORMS = ("svg", "png", "pdf")

Arrow = tuple[str, str, str]
"""Source state, target state and event, by the names that the history uses."""


@dataclass(frozen=True)
class Taken:
    """How far a loop has come.

    Attributes:
        state: Where it is; None draws the bare machine.
        arrows: How often it took each arrow.
    """

    state: State | None = None
    arrows: Mapping[Arrow, int] = field(default_factory=dict)

    @property
    def visited(self) -> frozenset[str]:
        """Every state that it was in."""
        return frozenset(name for source, target, _ in self.arrows for name in (source, target))


def path_of(loop: Loop, events: Iterable[Event]) -> Taken:
    """The arrows that a loop's history took."""
    kinds = {name for _, _, name in arrows()}
    return Taken(
        loop.state, Counter((e.source, e.target, e.kind) for e in events if e.kind in kinds and e.source)
    )


def arrows() -> dict[Arrow, str]:
    """The machine's arrows with their guards."""
    found: dict[Arrow, str] = {}
    for state in LoopMachine.states:
        for transition in state.transitions:
            guard = " and ".join(str(condition) for condition in transition.cond)
            found[str(state.value), str(transition.target.value), str(transition.event)] = guard
    return found


def mermaid(taken: Taken) -> str:
    """The diagram as mermaid text: the current state active, visited states and taken arrows marked."""
    if taken.state is None:
        return format(LoopMachine, "mermaid")
    lines = format(LoopMachine(MachineModel(taken.state)), "mermaid").rstrip("\n").splitlines()
    counts = {
        (State(source).name, State(target).name, kind.replace("_", " ").capitalize()): count
        for (source, target, kind), count in taken.arrows.items()
    }
    marked = [_counted(line, counts) for line in lines]
    if others := sorted(State(name).name for name in taken.visited - {str(taken.state)}):
        marked.append("    classDef visited fill:#d8f3ef,stroke:#333")
        marked.append(f"    class {','.join(others)} visited")
    return "\n".join(marked) + "\n"


_MERMAID_ARROW = re.compile(r"\s+(\w+) --> (\w+) : ([\w ]+?)(?: \[.*)?$")


def _counted(line: str, counts: Mapping[Arrow, int]) -> str:
    found = _MERMAID_ARROW.match(line)
    count = counts.get((found[1], found[2], found[3]), 0) if found else 0
    return f"{line} x{count}" if count else line


def write(taken: Taken, file: Path) -> None:
    """Draw into a file, in the form that its name ends in.

    Raises:
        UsageError: PNG and PDF need Graphviz, which is not there.
    """
    if file.suffix.lower() == ".svg":
        file.write_text(svg(taken), encoding="utf-8")
        return
    from statemachine.contrib.diagram.graphviz import GraphvizError, run_graphviz

    machine = LoopMachine(MachineModel(taken.state)) if taken.state else LoopMachine
    try:
        file.write_bytes(run_graphviz(format(machine, "dot"), file.suffix.lower().lstrip(".")))
    except (ImportError, GraphvizError) as error:
        raise UsageError(
            f"{file}: {file.suffix} needs Graphviz and pydot ({error})",
            fix=f"name {file.with_suffix('.svg')}, which needs neither; or install Graphviz and pip install pydot",
        ) from error


# --- SVG --------------------------------------------------------------------------------------------

_WIDTH, _HEIGHT = 1080, 400
_BOX = (130, 44)
_LINE, _BUS, _BAR = 190, 320, 820
_X = {
    State.PREFLIGHT: 90,
    State.SUBMITTING: 310,
    State.RUNNING: 530,
    State.DIAGNOSING: 750,
    State.VERIFYING: 970,
}
"""Every way out goes down to Releasing, which is drawn as a bar below the states that leave into it."""

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #222 } .small { font-size: 11px; fill: #555 }
rect { fill: #fff; stroke: #555; stroke-width: 1.2 } .visited { fill: #d8f3ef } .active { fill: #40e0d0; stroke-width: 3 }
path { fill: none; stroke: #aaa; stroke-width: 1.2; marker-end: url(#tip) } path.taken { stroke: #0a7d70; stroke-width: 2.4 }
"""
_TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
    'markerUnits="userSpaceOnUse" orient="auto">'
    '<path d="M0,0 L8,4 L0,8 z" style="fill:#555;stroke:none;marker-end:none"/></marker></defs>'
)


def svg(taken: Taken) -> str:
    """The diagram as an SVG document."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">',
        f"<style>{_STYLE}</style>",
        _TIP,
        f'<rect x="0" y="0" width="{_WIDTH}" height="{_HEIGHT}" style="stroke:none"/>',
    ]
    for (source, target, event), guard in arrows().items():
        parts.append(
            _arrow(State(source), State(target), event, guard, taken.arrows.get((source, target, event), 0))
        )
    parts += [_box(state, taken) for state in State]
    return "\n".join([*parts, "</svg>\n"])


def _box(state: State, taken: Taken) -> str:
    mark = "active" if state is taken.state else "visited" if str(state) in taken.visited else ""
    x, y, width, height = _place(state)
    return (
        f'<g><rect class="{mark}" x="{x}" y="{y}" width="{width}" height="{height}" rx="9"/>'
        f'<text x="{x + width / 2}" y="{y + height / 2 + 5}" text-anchor="middle">{state}</text></g>'
    )


def _place(state: State) -> tuple[int, int, int, int]:
    """Left, top, width and height."""
    width, height = _BOX
    if state is State.RELEASING:
        return _X[State.PREFLIGHT] - width // 2, _BUS, _BAR, height
    if state is State.CLOSED:
        return _X[State.VERIFYING] - width // 2, _BUS, width, height
    return _X[state] - width // 2, _LINE - height // 2, width, height


def _arrow(source: State, target: State, event: str, guard: str, count: int) -> str:
    line, x, y = _route(source, target)
    label = escape(f"{event} x{count}" if count else event)
    words = (
        ""
        if event == "release" and not count
        else f'<text class="small" x="{x}" y="{y}" text-anchor="middle">{label}</text>'
    )
    if guard:
        words += f'<text class="small" x="{x}" y="{y + 13}" text-anchor="middle">[{escape(guard)}]</text>'
    return f'<path class="{"taken" if count else ""}" d="{line}"/>{words}'


def _route(source: State, target: State) -> tuple[str, float, float]:
    """The path of an arrow, and where its label goes."""
    width, height = _BOX
    top, bottom = _LINE - height // 2, _LINE + height // 2
    if source is State.RELEASING:
        left, right = _X[State.PREFLIGHT] - width // 2 + _BAR, _X[State.VERIFYING] - width // 2
        middle = _BUS + height // 2
        return f"M{left},{middle} L{right},{middle}", (left + right) / 2, middle + 36
    x = _X[source]
    if source is State.VERIFYING and target is State.RELEASING:
        # The bar ends below Diagnosing, so this one bends.
        down = _X[State.DIAGNOSING] + 75
        return f"M{x},{bottom} C{x},{_BUS - 20} {down},{_BUS - 70} {down},{_BUS}", down + 60, _BUS - 24
    if target is State.RELEASING:
        x += 45
        return f"M{x},{bottom} L{x},{_BUS}", x - 36, _BUS - 10
    end = _X[target]
    if source is target:
        loop = f"M{x - 50},{bottom} C{x - 75},{bottom + 50} {x + 15},{bottom + 50} {x - 10},{bottom}"
        return loop, x - 58, bottom + 52
    if abs(end - x) == _X[State.SUBMITTING] - _X[State.PREFLIGHT]:
        left, right = x + width // 2, end - width // 2
        return f"M{left},{_LINE} L{right},{_LINE}", (left + right) / 2, _LINE - 8
    rise = top - 150 if source is State.VERIFYING else top - 80
    return f"M{x},{top} C{x},{rise} {end},{rise} {end},{top}", (x + end) / 2, rise + (top - rise) * 0.25 - 18
