"""Whatever a template prints stays what it is: text."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup

from wpfsm.adapters.report.environment import environment
from wpfsm.fsm.failures.redact import redact

PARAGRAPH = environment().from_string('<p title="{{ title }}">{{ text }}</p>')


@given(st.text(max_size=200), st.text(max_size=200))
def test_text_survives_as_text(text: str, attribute: str):
    """Whatever a value contains, a parser reads exactly that text back, its secrets masked."""

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__(convert_charrefs=True)
            self.found: list[Any] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found.append((tag, attrs))

        def handle_data(self, data: str) -> None:
            self.found.append(data)

    reader = Reader()
    reader.feed(PARAGRAPH.render(text=text, title=attribute))
    reader.close()
    tags = [found for found in reader.found if isinstance(found, tuple)]
    assert tags == [("p", [("title", redact(attribute))])]
    assert "".join(found for found in reader.found if isinstance(found, str)) == redact(text)


def test_what_is_missing_is_an_error_and_none_is_nothing():
    """A misspelt name does not become a gap on the page."""
    assert PARAGRAPH.render(text=None, title=3) == '<p title="3"></p>'
    with pytest.raises(UndefinedError, match="title"):
        PARAGRAPH.render(text="")


def test_only_markup_is_printed_as_it_is():
    """The page's own scripts and styles, and nothing that is a plain text."""
    assert PARAGRAPH.render(text=Markup("a < b"), title="") == '<p title="">a < b</p>'


def test_each_template_of_the_page_compiles_and_says_nothing_is_safe():
    """No template lifts the escaping: what is trusted is decided in page.py alone."""
    import importlib.resources

    folder = importlib.resources.files("wpfsm.adapters.report").joinpath("templates")
    names = [each.name for each in folder.iterdir()]
    assert "page.html" in names
    for name in names:
        environment().get_template(name)
        text = folder.joinpath(name).read_text()
        assert "safe" not in text
        assert "autoescape" not in text
