"""Numbers as logs print them: what is one, and whether an expression captured only a part of it.

A capture that stops inside a number is worse than none: of ``2.5e-05`` it reads 2.5, and that trial wins or loses on
a number that nobody printed. So a capture that touches more of its number is told apart from a whole one:

| printed | captured | told |
|---|---|---|
| `2.5e-05`, `2.5 x 10^-5`, `2.5D-05` | `2.5` | an exponent follows |
| `1,234.5` | `1`, `234.5` | the thousands are elsewhere |
| `9831/10000` | `9831` | the other half of a fraction |
| `0.4875` | `5` | digits stand before it |
| `-1.25` | `1.25` | the sign is left out |

A comma between numbers (`0.45,0.51`) joins nothing: it is taken for a part of one only where the digits around it
can be thousands or a decimal comma.
"""

from __future__ import annotations

import re

# float() alone would also take 1_000 and the digits of other scripts, which no log means as a number.
_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE
)
_DIGIT = re.compile(r"[0-9]")
_WHOLE = re.compile(
    r"[-+]?(?:[0-9](?:[0-9.,_]|'(?=[0-9]{3}))*|\.[0-9]+)(?:[eE][-+]?[0-9]+|[dD][-+][0-9]+| ?[\u00d7·*x] ?10(?:\^|\*\*)?[-+⁻⁺]?[0-9⁰¹²³⁴-⁹]+)?(?:/[0-9][0-9.,_]*(?:[eE][-+]?[0-9]+)?)?"
)
_GOES_ON = re.compile(
    r"[0-9]|[._][0-9]|'[0-9]{3}(?![0-9])|[eE][-+]?[0-9]|[dD][-+][0-9]|/[0-9]| ?[\u00d7·*x] ?10(?:\^|\*\*|[⁻⁺⁰¹²³⁴-⁹])"
)
_EXPONENT_BEGUN = re.compile(r"[0-9.][eE]$")
_EXPONENT_ENDS = re.compile(r"[-+]?[0-9]")
_BEGAN = re.compile(r"[0-9][eE][-+]?$|[0-9][._]?$|(?:^|[^\w.])\.$|[0-9]/$")
_SIGN = re.compile(r"(?:^|[\s=:(\[{,;|<>'\"])-$")
_THOUSANDS_FOLLOW = re.compile(r",[0-9]{3}(?![0-9])|,[0-9]+(?![0-9.,])")
_THOUSANDS_BEFORE = re.compile(r"(?<![0-9.])[0-9]{1,3}(?:,[0-9]{3})*,$")
_GROUPED = re.compile(r"[-+]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+")
_AROUND = 60
"""Characters on either side of a capture that are looked at; no printed number is longer."""


def parse(text: str) -> float | None:
    """The number that a captured text is, possibly not finite, or `None`."""
    text = text.strip()
    if text.endswith(".") and "." in text[:-1]:
        text = text[:-1]  # the end of a sentence, for which a class of digits and dots has room
    return float(text) if _NUMBER.fullmatch(text) else None


def whole_number(line: str, start: int, end: int, match_start: int | None = None) -> str | None:
    """The number of which a capture is only a part, as printed; `None` when the capture is all of it.

    Args:
        line: the line of the log.
        start: where the captured text begins.
        end: behind its last character.
        match_start: where the whole match begins; an expression that itself spells the comma before its group knows
            about it. `None`: with the group.
    """
    captured = line[start:end].strip()
    if not _DIGIT.search(captured):
        return None
    start += len(line[start:end]) - len(line[start:end].lstrip())
    end = start + len(captured)
    before, after = line[max(0, start - _AROUND) : start], line[end : end + _AROUND]
    if not (_goes_on(captured, after) or _began_before(captured, before, after, start, match_start)):
        return None
    offset = max(0, start - _AROUND)
    for found in _WHOLE.finditer(before + captured + after):
        if found.start() + offset <= start and found.end() + offset >= end:
            return found.group().rstrip(".,")
    return f"{before[-1:]}{captured}{after[:1]}"


def _goes_on(captured: str, after: str) -> bool:
    if _GOES_ON.match(after) or (_EXPONENT_BEGUN.search(captured) and _EXPONENT_ENDS.match(after)):
        return True
    may_be_grouped = "." not in captured or _GROUPED.fullmatch(captured)
    return bool(may_be_grouped and _THOUSANDS_FOLLOW.match(after))


def _began_before(captured: str, before: str, after: str, start: int, match_start: int | None) -> bool:
    if captured[0] in "+-":
        return False
    if _BEGAN.search(before) or _SIGN.search(before):
        return True
    spelled = match_start is not None and match_start < start
    three = re.match(r"[0-9]{3}(?![0-9])", captured + after[:1])
    return bool(three and not spelled and _THOUSANDS_BEFORE.search(before))
