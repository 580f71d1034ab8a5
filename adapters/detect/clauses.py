"""Which stretches of a text ask for nothing: what is denied, past, or the state of things now."""

from __future__ import annotations

import re

_END = r"(?=[.;:!?\n]|, (?:but|so|please|now|then|just|only|try|run|use|train|because|it)\b| but | - | \u2013 | -- |$|\))"
_DENIED = re.compile(
    r"\b(?:do not|don't|dont|doesn't|no need (?:to|for)|not need to|needn't|never|instead of|rather than|neither|not (?!(?:only|enough|good|sure|below|above|yet|converg|more|less|worse|better|happy|done)\b)"
    r"|no (?=(?:sweep|search|grid|ablation|tuning|hpo|spot|warm pool|loop|more)\b)|without (?=(?:sweep|search|tuning|a warm|warm|keep))|skip the)"
    rf"[^.;:!?\n]*?{_END}",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"[^.;!?\n,]{0,120}\b(?:(?:i|we|they|he|she|you|team|someone|already|just|previously|who) (?:have |had |has |already |also |both |just |only |all |even )*"
    r"(?:tried|ran|tested|used|did|compared|swept|trained|finished|launched|done|explored|started|chose|picked|evaluated|had|got|submitted|measured|benchmarked|saw|found|settled|evaluated)"
    r"|did (?:we|you|they|i) |yesterday|last (?:week|night|month|time|year|run|job)|(?:was|were) (?:used|tried|run|tested|trained|too|fine|good|bad|best|better|trash|all)"
    r"|have been|has been|had (?:lr|batch|the)|the (?:first|second|previous|earlier|old|last) (?:run|job|one|attempt)s? (?:had|with|was|were|used|did|gave|both))\b"
    rf"[^.;:!?\n]*?{_END}",
    re.IGNORECASE,
)
_NOW = re.compile(
    r"(?:^|[.;!?\n,])\s*(?:our|the|my|it)\b[^.;!?\n,]{0,30}\bruns (?:at|with)\b[^.;!?\n,]*|[^.;!?\n,]{0,120}\b(?:currently|is now|sits at|right now|at the moment|so far|by default|default is|we use|is what we have|has been)\b[^.;!?\n,]*|[^.;!?\n,]{0,120}\bnow(?=[.;]| and | but |$)",
    re.IGNORECASE,
)


def dead_spans(text: str) -> list[tuple[int, int]]:
    """The stretches of a text, by their first character and the one behind the last."""
    spans = [match.span() for rule in (_DENIED, _PAST) for match in rule.finditer(text)]
    for match in _NOW.finditer(text):
        listed = len(re.findall(r"\d(?:,| and | or |/| vs )", match.group())) > 0
        if not listed and not re.search(r"\b(?:try|run|train|sweep|test)\b(?! (?:at|with))", match.group()):
            spans.append(match.span())
    return spans
