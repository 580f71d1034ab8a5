"""Regular expressions that cost nothing until they are used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property


class Rule:
    """A regular expression that is compiled when it is first used, so that importing it costs nothing."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self.pattern = pattern
        self.flags = flags

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, self.flags)

    def search(self, text: str, at: int = 0) -> re.Match[str] | None:
        """The first match from an offset on, or None."""
        return self._compiled.search(text, at)

    def match(self, text: str, at: int = 0) -> re.Match[str] | None:
        """The match that begins at an offset, or None."""
        return self._compiled.match(text, at)

    def finditer(self, text: str, at: int = 0) -> Iterator[re.Match[str]]:
        """Every match from an offset on, left to right."""
        return self._compiled.finditer(text, at)

    def sub(self, replacement: str | Callable[[re.Match[str]], str], text: str) -> str:
        """The text with every match replaced."""
        return self._compiled.sub(replacement, text)
