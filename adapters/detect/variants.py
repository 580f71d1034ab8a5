"""The parts that an ablation switches off, and the recipes that follow one another."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wpfsm.adapters.detect.findings import Trial
from wpfsm.adapters.detect.items import Item, items_of
from wpfsm.adapters.detect.tables import methods, word_set

_NP = r"(?P<np>(?:(?!(?:and|or|then|vs|versus|is|are|was|to|for|so|if|in|on|at|as|that|which|with|without|when|but|please|does|do|while|see|compare|run|train|same|just|once|off|helps?|matters?|makes?|against|because|each|from|at all)\b)[\w'-]+[ ]?){1,4})"
_ONE = tuple(
    re.compile(rule, re.IGNORECASE)
    for rule in (
        r"(?P<np>[A-Za-z_][\w-]*(?: [A-Za-z_][\w-]*)?)\s*[=:]?\s*\b(?:true|on|yes|enabled|false|off|disabled)\s*(?:/|,|vs\.?|versus|and|or)\s*(?:[\w-]+\s*[=:]\s*)?\b(?:false|off|no|disabled|true|on|enabled)\b",
        r"\b(?:no|un)[ -]?(?P<np>[a-z]\w+(?: (?!run|job|vs)[a-z]\w+)?)(?: run| job)? (?:vs\.?|versus|against|and) (?P=np)\b|(?P<np2>[a-z]\w+(?: [a-z]\w+)?) (?:vs\.?|versus|against) (?:no[ -]|un)(?P=np2)",
        rf"\b(?:with|w/)\s+{_NP}[^.;\n]{{0,45}}?\b(?:without|w/o)(?:\s+(?:it|them|that))?(?=\W*$|\W*[.,;?!\n]|\s+(?:and|so|to|please|on|in|for)\b)",
        rf"\benable\s+{_NP}\s+in[^.;]*\bdisable\b",
        rf"\bminus\s+{_NP}",
        rf"\bno {_NP}[^.;\n]{{0,40}}\bwith (?P=np)|\bw/?\s?(?:and|or|vs\.?|&)\s?w/?o\s+(?P<np2>[\w-]+(?: [\w-]+)?)",
        rf"{_NP}\s*(?:turned on|enabled|switched on|on)\b[^.;\n]{{0,40}}\b(?:turned off|disabled|switched off|off)\b",
        rf"\bwith(?:\s+it|\s+them)?(?:\s*/\s*|\s*,?\s*(?:and|or|vs\.?|versus|then|once)\s+(?:once\s+)?)without\s+{_NP}",
        rf"\bw/\s?(?:and|or|vs|&)?\s?w/?o\s+{_NP}",
        rf"[+]\s?/\s?-\s?{_NP}",
        rf"\b(?:turn|switch|turning|switching)\s+off\s+{_NP}|\b(?:turn|switch|turning|switching)\s+(?P<np2>[\w -]{{2,40}}?)\s+off\b",
        rf"\b(?:ablat(?:e|ing|ion (?:of|on))|disabl(?:e|ing)|knock(?:ing)? out|leav(?:e|ing) out(?: each| every)?|tak(?:e|ing) out|strip(?:ping)?|toggl(?:e|ing)|kill|remov(?:e|ing)|drop(?:ping)?|omit(?:ting)?|effect of|contribution of|impact of|benefit of|gain (?:of|from)|value of|importance of|vary)\s+{_NP}",
        rf"{_NP}\s*(?:,|:)?\s*(?:disabled\s?(?:/|and|vs\.?|versus|or)\s?enabled|on\s?(?:/|and|vs\.?|versus|or)\s?off|off\s?(?:/|and|vs\.?|versus|or)\s?on|enabled\s?(?:/|and|vs\.?|versus|or)\s?disabled|yes\s?/\s?no)\b",
        rf"\b(?:does|do|whether|if|is|are)\s+(?:using |the use of )?{_NP}\s+(?:really |actually |even |still |at all |do(?:es)? )?(?:any(?:thing)?|help|helps|matter|matters|useful|necessary|needed|hurts?|worth|contributes?|makes? a difference|improves?|earns?|pays?|brings?)\b",
        rf"\b(?:one|a (?:run|job|version|copy)|runs?|once|train(?:ing)?|it)\s+without\s+{_NP}",
        rf"\bwithout\s+{_NP}",
    )
)
_LISTED = re.compile(
    r"(?:ablat\w*|knock(?:ing)? out|remov\w*|leav\w* out|turn\w* off|switch\w* off|drop|disable|without|one at a time|one by one|each of|in turn|importance of|variants?)[^:\n]{0,60}?(?::|\()\s*(?P<list>[^.\n:)]+(?:,|;| and )[^.\n:)]+)",
    re.IGNORECASE,
)
_NOS = re.compile(
    r"(?:^|[,:;/]|\band\b|\bvs\.?|\bversus\b|\bremove\b|(?<=\s)-)\s*(?:no|without|w/o|remove|drop|minus|-)\s*(?P<np>[A-Za-z][\w' -]*?)(?=\s*(?:,|;|/|\.|$|\n|\band\b|\bvs\b|\bversus\b|\bagainst\b|\bthen\b|:))",
    re.IGNORECASE,
)
_VERSUS = re.compile(
    r"\b(?:the )?(?P<a>new|old|current|standard|original) (?P<what>[a-z][\w-]*(?: [a-z][\w-]*)?) (?:against|vs\.?|versus|or|and|with) (?:the )?(?P<b>new|old|current|standard|original)\b",
    re.IGNORECASE,
)


def ablated_parts(text: str) -> list[Trial]:
    """A baseline with every part and, for each part, the variant without it; or one thing's old and new form."""
    versus = _VERSUS.search(text)
    if versus is not None and versus["a"].lower() != versus["b"].lower():
        what = _name(versus["what"])
        forms = sorted((versus["a"].lower(), versus["b"].lower()), key=lambda form: form == "new")
        return [{what: form} for form in forms]
    parts = _listed(text) or _nos(text) or _first(text)
    if not parts:
        return []
    baseline: Trial = dict.fromkeys(parts, True)
    return [baseline, *({**baseline, part: False} for part in parts)]


def _listed(text: str) -> list[str]:
    match = _LISTED.search(text)
    if match is None:
        return []
    cells = re.split(
        r",|;|/|\band\b|\bor\b|\([a-z0-9]\)|\bas well as\b", re.sub(r"\([a-z0-9]\)", ",", match["list"])
    )
    return _parts([re.sub(r"^\s*(?:remove|no|without|drop)\b", "", cell) for cell in cells])


def _nos(text: str) -> list[str]:
    found = _parts([match["np"] for match in _NOS.finditer(text)])
    return (
        found
        if len(found) > 1 or re.search(r"\b(?:vs\.?|versus|against)\s+no\b|^-", text, re.IGNORECASE)
        else []
    )


def _first(text: str) -> list[str]:
    for rule in _ONE:
        match = rule.search(text)
        if match is not None:
            part = match["np"] or match.groupdict().get("np2")
            several = _parts([part or ""])
            rest = (
                re.match(
                    r"\s*(?:,|and|or|/)\s*(?:then )?(?:the )?(?P<more>(?:[\w-]+(?:, | and |, and )?)+)",
                    text[match.end() :],
                )
                if match["np"]
                else None
            )
            if (
                several
                and rest is not None
                and re.match(
                    r"\s*(?:,|and) (?:then )?(?:the )?[\w-]+(?: [\w-]+)?(?:,| and|\.|$)", text[match.end() :]
                )
            ):
                more = _parts(re.split(r",|\band\b", rest["more"]))
                if (
                    more
                    and all(len(each) < 30 for each in more)
                    and re.search(
                        r"\beach\b|\bin turn\b|one (?:by|at|after)|separately|alone|ablat",
                        text,
                        re.IGNORECASE,
                    )
                ):
                    several += [each for each in more if each not in several]
            if several:
                return several
    return []


def _parts(cells: Sequence[str]) -> list[str]:
    names = [_name(cell) for cell in cells]
    return list(dict.fromkeys(name for name in names if name and name not in word_set("no parts")))


def _name(phrase: str) -> str:
    """The key of a part: its words joined, without articles."""
    words = re.findall(r"[^\W_]+(?:_[^\W_]+)*", phrase.lower())
    while words and words[0] in word_set("empty words") | {"is", "to", "if", "for", "in"}:
        words.pop(0)
    while words and words[-1] in word_set("empty words") | {
        "entirely",
        "alone",
        "too",
        "completely",
        "again",
        "really",
    }:
        words.pop()
    if not words or len(words) > 5:
        return ""
    return "_".join(words) if words[0] not in word_set("no parts") else ""


# --- recipes ------------------------------------------------------------------------------------------------------

_SPLIT = re.compile(
    r"(?:^|[.;,\n:]|->|\band\b)\s*(?:and |but |only )?(?:(?:first(?:ly)?|then|next|afterwards?|after that|second(?:ly)?|third(?:ly)?|finally|last(?:ly)?|in the end|subsequently|followed by|and then|later|1st|2nd|3rd|month \d|stage \d|phase [a-c\d])\b[ :,]*|\(?(?:[1-9]|i{1,3}|iv|[a-d])[.)]\s|->)|\bthen\b|->|\bfollowed by\b",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:please |i'd |we |you |start(?:ing)? (?:with|from)|begin with|begin|run|train|try|do|use|go (?:with|for|to)|take|move (?:to|on to)|switch to|proceed (?:to|with)|the|a|an|with|to|on|our|my|it|is|plan for today|in that order|one with|same with|and|just|only|that|:|,|-)\s+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"\s*(?:,? (?:one (?:at a time|job each|after the other)|separate(?:ly)? jobs?.*|in (?:that|this) order.*|same (?:machine|budget).*|see (?:where|which|how).*|each .*|and (?:tell|report|compare|ping).*|on (?:the same|ml\.|one).*|compare .*|stop .*|decide .*|judge .*|next|first))\W*$",
    re.IGNORECASE,
)
_STOPS = re.compile(r"[.;\n]|, (?:and )?(?:see|compare|tell|report|i |separate|each|one )")
_FILES = re.compile(r"[\w./-]*\w\.(?:py|ya?ml|sh|json)\b")


def recipes_of(text: str, items: Sequence[Item] | None = None) -> list[Trial]:
    """The recipes that a text names, in order; each is the trial ``{"recipe": NAME}``."""
    files = list(dict.fromkeys(_FILES.findall(text)))
    files = [file for file in files if not re.search(r"requirements|config\.ya?ml$|\btrain\.py$", file)]
    if len(files) > 1:
        return [{"recipe": file} for file in files]
    known = list(dict.fromkeys(str(item.value) for item in (items or items_of(text)) if item.tag == "m"))
    known = [name for name in known if name in set(methods().values())]
    pieces = _sequence(text)
    if len(pieces) > 1 and (len(known) < 2 or len(pieces) == len(known)):
        return [{"recipe": piece} for piece in pieces]
    if len(known) > 1:
        return [{"recipe": name} for name in known]
    listed = re.search(
        r"(?:recipes?|losses|loss functions|variants|curricula|stages|datasets?|mixes)\b[^:\n]{0,40}:\s*(?P<list>[^.\n]+)",
        text,
        re.IGNORECASE,
    )
    if listed is not None:
        cells = [cell.strip(" ,;'\"") for cell in re.split(r",|;|/|\band\b", listed["list"])]
        cells = [cell for cell in cells if 1 < len(cell) <= 60]
        if len(cells) > 1:
            return [{"recipe": cell} for cell in dict.fromkeys(cells)]
    lettered = re.search(
        r"\brecipes? (?P<list>[\w]+(?:(?:,| and| then|, then|, and)\s+(?:recipe )?\w{1,12})+)",
        text,
        re.IGNORECASE,
    )
    if lettered is not None:
        cells = [cell for cell in re.split(r"\W+|\band\b|\bthen\b|\brecipe\b", lettered["list"]) if cell]
        return [{"recipe": f"recipe {cell}"} for cell in dict.fromkeys(cells)] if len(cells) > 1 else []
    return []


def _sequence(text: str) -> list[str]:
    """The steps of "first A, then B, finally C", without the words around them."""
    marks = list(_SPLIT.finditer(text))
    if not marks:
        return []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    pieces = [text[: marks[0].start()]] if marks[0].start() > 0 else []
    pieces += [text[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]
    named: list[str] = []
    for raw in pieces:
        piece = _STOPS.split(raw.strip(" ,;:.-\n"))[0].strip()
        piece = re.sub(r"\([^)]*$|'", "", piece)
        while (shorter := _LEAD.sub("", piece).strip(" ,;:.-")) != piece:
            piece = shorter
        piece = _TAIL.sub("", piece).strip(" ,;:.-()")
        if 1 < len(piece) <= 60 and re.search(r"[^\W\d_]", piece):
            named.append(piece)
    return list(dict.fromkeys(named))
