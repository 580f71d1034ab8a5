"""Folds what the SageMaker SDK's driver prints before a script begins: its own commands and the whole environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

BEGINS = "Starting training script"
ENDS = "++ set +x"
_LATER = re.compile(
    r"\+\+ (?:cd \S*/opt/ml/input/data/code|\[ -f \S+ \]|cat \S+"
    r"|echo '(?:Running [\w ]+ [Dd]river|Installing requirements|Training Container Execution Completed)'"
    r"|\S+ \S*/opt/ml/input/data/sm_drivers/\S+(?: \S+)?)"
    r"|Running [\w ]+ [Dd]river"
)
"""What the driver still prints behind its block: the shell's echo of its own commands, and what it is about to run."""
MOST = 300
"""Lines that a block may have; one that is longer is not the driver's, and is shown."""


class Fold:
    """Takes lines as they come and gives those to show: the driver's become one line.

    Args:
        how: How the lines themselves are had, for the line that stands for them.
    """

    def __init__(self, how: str = "") -> None:
        self._how = f"; {how}" if how else ""
        self._held: list[str] = []
        self._folded = 0
        self._behind = False

    def feed(self, line: str) -> list[str]:
        """The lines to show now that this one has come."""
        text = line.strip()
        if not self._held and text != BEGINS:
            if self._behind and _LATER.fullmatch(text):
                # Those at the end of the job come when the line that stands for the others has been shown.
                self._folded += bool(self._folded)
                return []
            return [*self._stand_in(), line]
        self._held.append(line)
        if text == ENDS:
            # Shown with the next line that is not the driver's: it counts those that follow.
            self._folded, self._held, self._behind = len(self._held), [], True
            return []
        return self.rest() if len(self._held) > MOST else []

    def rest(self) -> list[str]:
        """What is held still: the job died in the driver, and its last lines say why."""
        held, self._held = self._held, []
        return [*self._stand_in(), *held]

    def _stand_in(self) -> list[str]:
        """The line that stands for those that were folded, once."""
        count, self._folded = self._folded, 0
        return (
            [f"… {count} lines of the SDK's driver, the environment among them{self._how}"] if count else []
        )


def folded(lines: Iterable[str], how: str = "") -> Iterator[str]:
    """The lines of a whole log."""
    fold = Fold(how)
    for line in lines:
        yield from fold.feed(line)
    yield from fold.rest()
