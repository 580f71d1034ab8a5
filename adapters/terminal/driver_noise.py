"""Folds what the SageMaker SDK's driver prints before a script begins: its own commands and the whole environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

BEGINS = "Starting training script"
ENDS = "++ set +x"
MOST = 300
"""Lines that a block may have; one that is longer is not the driver's, and is shown."""


class Fold:
    """Takes lines as they come and gives those to show: a block of the driver's becomes one line.

    Args:
        how: How the lines themselves are had, for the line that stands for them.
    """

    def __init__(self, how: str = "") -> None:
        self._how = f"; {how}" if how else ""
        self._held: list[str] = []

    def feed(self, line: str) -> list[str]:
        """The lines to show now that this one has come."""
        if not self._held and line.strip() != BEGINS:
            return [line]
        self._held.append(line)
        if line.strip() == ENDS:
            count, self._held = len(self._held), []
            return [f"… {count} lines of the SDK's driver, the environment among them{self._how}"]
        return self.rest() if len(self._held) > MOST else []

    def rest(self) -> list[str]:
        """What is held still: the job died in the driver, and its last lines say why."""
        held, self._held = self._held, []
        return held


def folded(lines: Iterable[str], how: str = "") -> Iterator[str]:
    """The lines of a whole log."""
    fold = Fold(how)
    for line in lines:
        yield from fold.feed(line)
    yield from fold.rest()
