"""Text and attributes stay what they are."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from wpfsm.adapters.report.html import el
from wpfsm.fsm.failures.redact import redact


@given(st.text(max_size=200), st.text(max_size=200))
def test_text_survives_as_text(text: str, attribute: str):
    """Whatever a child or an attribute contains, a parser reads exactly that text back, its secrets masked."""
    element = el("p", text, title=attribute)

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__(convert_charrefs=True)
            self.found: list[Any] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found.append((tag, attrs))

        def handle_data(self, data: str) -> None:
            self.found.append(data)

    reader = Reader()
    reader.feed(element)
    reader.close()
    tags = [found for found in reader.found if isinstance(found, tuple)]
    assert tags == [("p", [("title", redact(attribute))])]
    assert "".join(found for found in reader.found if isinstance(found, str)) == redact(text)
