"""Secrets taken out of text before it is kept, shown or handed over.

A training log prints more than its author knows: the SageMaker SDK's driver prints the whole environment
and masks by name only, so a password inside a connection string is in clear. Redaction therefore looks at
names *and* at the shape of values, and it is idempotent: redacting twice changes nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from wpfsm.fsm.records import Value

MASK = "[redacted]"

_NAMES = (
    r"(?:[\w-]*(?:secret|passw(?:or)?d|passphrase|api[_-]?key|access[_-]?key|private[_-]?key|credential|creds)[\w-]*"
    r"|(?!(?:pad|eos|bos|unk|sep|cls|mask|num|max|min|special|image|stop|next|start|end)[_-]?token)"
    r"(?:[A-Za-z0-9]+[_-])*(?:token|pwd|signature|authorization)|(?-i:[A-Z][A-Z0-9_]*_KEY))"
)
_UNLESS = r"(?!(?<=secretsmanager:)(?:[A-Z*][A-Za-z*]+\b(?![\w=])|[a-z]{2}-[a-z-]+-\d:)|\[redacted\]|\*{3}|None\b|null\b|True\b|False\b|<)"

_SHAPES = (
    re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"),  # AWS key ids
    re.compile(r"\bhf_[A-Za-z0-9]{20,}\b"),  # Hugging Face
    re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,})\b"),
    re.compile(r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,}"),  # model providers
    re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),  # Slack
    re.compile(r"\b(?:glpat|pypi|npm|dapi|nvapi|r8)[-_][A-Za-z0-9_-]{16,}"),
    re.compile(r"\bAIza[A-Za-z0-9_-]{30,}"),  # Google
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),  # JSON web tokens
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
)
_IN_URL = re.compile(
    r"(?P<before>\b[a-z][a-z0-9+.-]*://[^\s:/@'\"]*:)(?P<value>[^\s@'\"]+)(?=@)", re.IGNORECASE
)
_IN_QUERY = re.compile(
    r"(?P<before>[?&](?:X-Amz-(?:Signature|Credential|Security-Token)|AWSAccessKeyId|Signature|sig|token|api_key)=)"
    r"(?P<value>[^&\s'\"]+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?P<before>\b(?:Bearer|Basic)\s+)(?P<value>[A-Za-z0-9+/=._~-]{8,})", re.IGNORECASE)
_ASSIGNED = re.compile(
    rf"(?P<before>(?<![\w-])['\"]?{_NAMES}['\"]?\s*(?:=|:|=>)\s*)"
    rf"(?:(?P<quote>['\"]){_UNLESS}(?P<quoted>[^'\"\n]{{3,}})(?P=quote)|{_UNLESS}(?P<value>[^\s'\",;&}}\])]{{3,}}))",
    re.IGNORECASE,
)
_OPTION = re.compile(
    rf"(?P<before>--?{_NAMES}[ =]['\"]?){_UNLESS}(?P<value>[^\s'\"-][^\s'\"]{{2,}})",
    re.IGNORECASE,
)
_NAME = re.compile(rf"{_NAMES}\Z", re.IGNORECASE)


def redact(text: str) -> str:
    """The text with every secret replaced by ``[redacted]``."""
    for shape in _SHAPES:
        text = shape.sub(MASK, text)
    for pattern in (_IN_URL, _IN_QUERY, _BEARER, _OPTION):
        text = pattern.sub(rf"\g<before>{MASK}", text)
    return _ASSIGNED.sub(_mask_assigned, text)


def redact_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """The lines redacted together, so that a secret that spans lines (a PEM block) goes too."""
    return tuple(redact("\n".join(lines)).split("\n"))


_PEM = re.compile(r"-----(?P<edge>BEGIN|END) [A-Z ]*PRIVATE KEY-----")
_PEM_LINES = 200
"""A key that never ends is none: what follows is shown again."""


def redact_stream(lines: Iterable[str]) -> Iterator[str]:
    """As :func:`redact_lines`, one line at a time, for a log that is still growing; as many lines as came in."""
    left = 0
    for line in lines:
        edges = list(_PEM.finditer(line))
        if left and not (edges and edges[0]["edge"] == "END"):
            left -= 1
            yield MASK
            continue
        begun = line[edges[0].end() :] if left else line
        yield (MASK if left else "") + redact(begun)
        left = _PEM_LINES if edges and edges[-1]["edge"] == "BEGIN" else 0


def redact_values(values: Mapping[str, str]) -> dict[str, str]:
    """An environment or a set of hyperparameters with secret values masked, by name and by shape."""
    return {name: MASK if is_secret_name(name) else redact(value) for name, value in values.items()}


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name is taken to hold a secret.

    ``HF_TOKEN`` and ``db_password`` are; ``max_tokens`` and ``pad_token`` are not.
    """
    return bool(_NAME.match(name))


def _mask_assigned(match: re.Match[str]) -> str:
    quote = match["quote"] or ""
    return f"{match['before']}{quote}{MASK}{quote}"


def redact_params(params: Mapping[str, Value]) -> dict[str, Value]:
    """Hyperparameters to be shown: numbers as they are, text with secrets masked."""
    masked = redact_values({name: value for name, value in params.items() if isinstance(value, str)})
    return {**params, **masked}
