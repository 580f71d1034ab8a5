"""Cuts a request into what it asks, what was said before, what was pasted, and the data that it holds."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache

from wpfsm.adapters.detect.languages import in_english
from wpfsm.adapters.detect.tables import rule, texts

MAX_CHARACTERS = 8_000
"""A request longer than this is read at its beginning and its end, where people say what they want."""


@dataclass(frozen=True)
class Request:
    """A request in its parts.

    Attributes:
        asked: the last turn of whoever asks, as written, without what was pasted.
        english: the same, with known words of other languages in English.
        before: the turns before.
        pasted: lines of logs and tracebacks.
        blocks: texts that may be JSON, YAML or a table.
    """

    asked: str
    english: str
    before: str = ""
    pasted: str = ""
    blocks: list[str] = field(default_factory=list)


@cache
def _signs() -> dict[int, str]:
    """Quotation marks, dashes and signs as people paste them, each with what stands for it in ASCII."""
    found: dict[int, str] = {}
    for codes, sign in texts("signs").items():
        written = sign.replace("_", " ").replace("\\n", "\n")
        found |= dict.fromkeys((int(code, 16) for code in codes.split()), written)
    return found


_ANSWERS = frozenset({"assistant", "ai", "bot", "agent", "system"})
_ASKS = frozenset({"user", "human", "me", "q", "customer"})


def read(text: str) -> Request:
    """Cut a text into its parts; never raises."""
    text = unicodedata.normalize("NFKC", text).translate(_signs()).replace("\r", "\n")
    if len(text) > MAX_CHARACTERS:
        text = f"{text[: MAX_CHARACTERS // 2]}\n{text[-MAX_CHARACTERS // 2 :]}"
    asked, before = _last_turn(text)
    blocks: list[str] = []
    pasted: list[str] = []

    def fenced(match: re.Match[str]) -> str:
        block = match["block"]
        (pasted if _is_log(block) else blocks).append(block)
        return "\n"

    asked = rule("fenced").sub(fenced, asked)
    lines = asked.split("\n")
    pasted += filter(_is_log_line, lines)
    lines = [line for line in lines if not _is_log_line(line)]
    kept = "\n".join(lines)
    if not kept.strip() and not blocks:  # nothing but a log: then that is the request
        kept = asked
    return Request(kept, in_english(kept), before, "\n".join(pasted), blocks)


def _is_log_line(line: str) -> bool:
    names = rule("reading").findall(line)
    measured = len(names) > 1 and any(rule("measured").search(name) for name in names)
    return (measured or rule("log line").search(line) is not None) and not rule("asking").search(
        re.sub(r"['\"].*?['\"]", "", line)
    )


def _is_log(block: str) -> bool:
    lines = [line for line in block.split("\n") if line.strip()]
    return not lines or sum(_is_log_line(line) for line in lines) * 3 >= len(lines)


def _last_turn(text: str) -> tuple[str, str]:
    """What the asking side said last, and everything before."""
    turns = _turns(text)
    if len(turns) < 2:
        return _reply(text)
    last = max((n for n, (who, _) in enumerate(turns) if who not in _ANSWERS), default=len(turns) - 1)
    if turns[last][0] == "you" and last and turns[last - 1][0] in _ASKS:
        last -= 1
    first = last
    if rule("elliptic").match(turns[last][1]):
        first = max(0, last - 2)
    return "\n".join(said for _, said in turns[first : last + 1]), "\n".join(
        said for _, said in turns[:first]
    )


def _turns(text: str) -> list[tuple[str, str]]:
    turns: list[tuple[str, str]] = []
    for line in text.split("\n"):
        match = rule("turn").match(line)
        if match is not None:
            turns.append((match["who"].lower(), match["said"]))
        elif turns:
            turns[-1] = (turns[-1][0], f"{turns[-1][1]}\n{line}")
        elif line.strip():
            turns.append(("", line))
    speakers = [who for who, _ in turns if who]
    known = sum(who in _ANSWERS | _ASKS | {"a", "you"} for who in speakers)
    timed = re.search(r"^\s*\[\d\d?:\d\d\]", text, re.MULTILINE) and len(speakers) > 1
    sentences = sum(bool(who) and len(said.split("\n")[0].split()) > 2 for who, said in turns)
    returns = len(speakers) > len(set(speakers)) and sentences > 1
    return turns if known >= 2 or timed or returns else []


def _reply(text: str) -> tuple[str, str]:
    """The lines of a mail that are no quotation, and the quotation."""
    quoted = [line.lstrip("> ") for line in text.split("\n") if line.startswith(">")]
    own = [line for line in text.split("\n") if not line.startswith(">")]
    if not quoted or not "".join(own).strip():
        return text, ""
    answer = "\n".join(own)
    return (
        (f"{' '.join(quoted)}\n{answer}", "")
        if rule("elliptic").match(answer)
        else (answer, "\n".join(quoted))
    )
