"""Cuts a request into what it asks, what was said before, what was pasted, and the data that it holds."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from wpfsm.adapters.detect.languages import in_english

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


_SIGNS = str.maketrans(
    {
        "\u2019": "'",
        "\u2018": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2212": "-",
        "\u2010": "-",
        "\u2011": "-",
        "\u00d7": " x ",
        "\u2264": "<=",
        "\u2265": ">=",
        "\u2192": " -> ",
        "\u21d2": " -> ",
        "\u2026": " ... ",
        "\u2013": " \u2013 ",
        "\u201e": '"',
        "\u00ab": '"',
        "\u00bb": '"',
        "\u2022": "\n- ",
        "\u00b7": " \xb7 ",
        "\u3001": ", ",
        "\u3002": ". ",
        "\u300c": '"',
        "\u300d": '"',
        "\u301c": "~",
        "\uff5e": "~",
    }
)
"""Quotation marks, dashes and signs as people paste them, in ASCII."""
_ROLES = r"user|human|assistant|ai|bot|agent|system|me|you|q|a|customer|support"
_TURN = re.compile(
    rf"^[ \t]*(?:\[[\d:. -]+\][ \t]*)?(?:\*\*)?(?P<who>(?i:{_ROLES})|[A-Za-zÀ-ÿ]{{2,15}})(?:\*\*)?[ \t]*:(?:\*\*)?[ \t]+(?P<said>.*)$"
)
_ANSWERS = frozenset({"assistant", "ai", "bot", "agent", "system"})
_ASKS = frozenset({"user", "human", "me", "q", "customer"})
_ELLIPTIC = re.compile(
    r"^\W*(?:yes|yep|yeah|sure|ok(?:ay)?,? (?:do|then|go)|go ahead|please do|do (?:it|that|both|all)|both|all of (?:it|them)|ja\b|oui|sí|sim\b|はい|好的?"
    r"|and again|again|same|fine,)",
    re.IGNORECASE,
)
_FENCE = re.compile(r"```[\w+-]*[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_ASKING = re.compile(
    r"\b(?:try|run|please|pls|train|test|sweep|fix|keep|compare|retrain|resubmit|loop|find|go|want|need|can you)\b",
    re.IGNORECASE,
)
_READING = re.compile(
    r"['\"]?(?P<name>[A-Za-z_][\w@/.-]*)['\"]?\s*[=:]\s*['\"]?-?\d+(?:\.\d+)?(?:e-?\d+)?", re.IGNORECASE
)
_MEASURED = re.compile(
    r"loss|acc|f1|auc|wer|cer|bleu|rouge|ppl|perplex|rmse|mae|mape|iou|dice|map|best|score|reward",
    re.IGNORECASE,
)
_LOG_LINE = re.compile(
    r"^\s*(?:\[?\d{4}-\d\d-\d\d[T ]|\[[^\]]*(?:epoch|step|iter|\d\d:\d\d:\d\d)[^\]]*\]\s*\w+[=:]|Traceback \(|File \"|\w*(?:Error|Exception|Warning)\b\s*[:(]"
    r"|(?:epoch|step|iter(?:ation)?)\s*\[?\d+(?:\s*/\s*\d+)?\]?[\s:,|-]+.*\d|at \w+\.\w+\(|ExitCode|ErrorMessage|\d+%\|)",
    re.IGNORECASE,
)


def read(text: str) -> Request:
    """Cut a text into its parts; never raises."""
    text = unicodedata.normalize("NFKC", text).translate(_SIGNS).replace("\r", "\n")
    if len(text) > MAX_CHARACTERS:
        text = f"{text[: MAX_CHARACTERS // 2]}\n{text[-MAX_CHARACTERS // 2 :]}"
    asked, before = _last_turn(text)
    blocks: list[str] = []
    pasted: list[str] = []

    def fenced(match: re.Match[str]) -> str:
        block = match.group(1)
        (pasted if _is_log(block) else blocks).append(block)
        return "\n"

    asked = _FENCE.sub(fenced, asked)
    lines = []
    for line in asked.split("\n"):
        if _is_log_line(line):
            pasted.append(line)
        else:
            lines.append(line)
    kept = "\n".join(lines)
    if not kept.strip() and not blocks:  # nothing but a log: then that is the request
        kept = asked
    return Request(kept, in_english(kept), before, "\n".join(pasted), blocks)


def _is_log_line(line: str) -> bool:
    names = _READING.findall(line)
    measured = len(names) > 1 and any(_MEASURED.search(name) for name in names)
    return (measured or _LOG_LINE.search(line) is not None) and not _ASKING.search(
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
    if _ELLIPTIC.match(turns[last][1]):
        first = max(0, last - 2)
    return "\n".join(said for _, said in turns[first : last + 1]), "\n".join(
        said for _, said in turns[:first]
    )


def _turns(text: str) -> list[tuple[str, str]]:
    turns: list[tuple[str, str]] = []
    for line in text.split("\n"):
        match = _TURN.match(line)
        if match is not None:
            turns.append((match["who"].lower(), match["said"]))
        elif turns:
            turns[-1] = (turns[-1][0], f"{turns[-1][1]}\n{line}")
        elif line.strip():
            turns.append(("", line))
    speakers = [who for who, _ in turns if who]
    known = sum(who in _ANSWERS | _ASKS | {"a", "you"} for who in speakers)
    timed = re.search(r"^\s*\[\d\d?:\d\d\]", text, re.MULTILINE)
    spoken = (
        known >= 2
        or (
            len(speakers) > len(set(speakers))
            and sum(bool(who) and len(said.split("\n")[0].split()) > 2 for who, said in turns) > 1
        )
        or (timed and len(speakers) > 1)
    )
    return turns if spoken else []


def _reply(text: str) -> tuple[str, str]:
    """The lines of a mail that are no quotation, and the quotation."""
    quoted = [line.lstrip("> ") for line in text.split("\n") if line.startswith(">")]
    own = [line for line in text.split("\n") if not line.startswith(">")]
    if not quoted or not "".join(own).strip():
        return text, ""
    answer = "\n".join(own)
    return (f"{' '.join(quoted)}\n{answer}", "") if _ELLIPTIC.match(answer) else (answer, "\n".join(quoted))
