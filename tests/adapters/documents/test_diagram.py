"""``inspect --diagram``: the machine as text and as a picture, with the path that a loop took."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from cli_bench import Bench

from wpfsm.fsm.records import State


def test_the_diagram_marks_the_path(finished: Bench):
    """The machine as mermaid: the state it is in, the arrows it took and how often."""
    text = finished.run("inspect", "sweep", "--diagram").out
    assert "SUBMITTING --> RUNNING : Submitted x2" in text
    assert "CLOSED:::active" in text
    assert "RUNNING --> RELEASING : Release\n" in text
    assert finished.run("inspect", "--diagram", "sweep").out == text
    assert "active" not in finished.run("inspect", "--diagram").out


def test_the_diagram_as_an_image(finished: Bench):
    """An SVG has every state and every arrow; the state the loop is in stands out."""
    file = finished.folder / "machine.svg"
    assert finished.run("inspect", "sweep", "--diagram", file).code == 0
    root = ET.fromstring(file.read_text())
    space = "{http://www.w3.org/2000/svg}"
    texts = {text.text for text in root.iter(f"{space}text")}
    assert {str(state) for state in State} <= texts
    assert "submitted x2" in texts
    assert [box.get("class") for box in root.iter(f"{space}rect")].count("active") == 1
    taken = [path for path in root.iter(f"{space}path") if path.get("class") == "taken"]
    assert len(taken) == 8


def test_an_image_of_another_kind_says_what_it_needs(finished: Bench):
    """PNG needs Graphviz: it is drawn, or the message names what is missing and what works without."""
    ran = finished.run("inspect", "sweep", "--diagram", "machine.png")
    if ran.code == 0:
        assert (finished.folder / "machine.png").read_bytes().startswith(b"\x89PNG")
    else:
        assert ran.code == 2
        assert "Graphviz" in ran.err
        assert "machine.svg" in ran.err
    assert finished.run("inspect", "sweep", "--diagram", "machine.bmp").code == 2
