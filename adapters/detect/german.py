"""German requests, word by word into the English that the grammar reads.

A table only: the grammar asks for no word order that German does not have, so a request is translated where it
stands. English texts are left alone: it takes a word that is German and nothing else, or two of the others.
"""

from __future__ import annotations

from collections.abc import Mapping

from wpfsm.adapters.detect.patterns import Rule

_CERTAIN: Mapping[str, str] = {
    "lernrate": "learning rate", "lernraten": "learning rates", "lernratenplan": "lr scheduler",
    "batchgröße": "batch size", "batchgrößen": "batch sizes", "batchgroesse": "batch size",
    "batchgroessen": "batch sizes", "sequenzlänge": "sequence length", "sequenzlängen": "sequence lengths",
    "kontextlänge": "context length", "epoche": "epoch", "epochen": "epochs", "schritte": "steps",
    "gewichtsabnahme": "weight decay", "startwert": "seed", "startwerte": "seeds", "genauigkeit": "accuracy",
    "fehlerrate": "error rate", "verlust": "loss", "prozent": "percent",
    "trainiere": "train", "trainieren": "train", "trainiert": "train", "trainier": "train", "lernen": "train",
    "probiere": "try", "probieren": "try", "probier": "try", "ausprobieren": "try", "teste": "test",
    "testen": "test", "vergleiche": "compare", "vergleichen": "compare", "vergleich": "compare",
    "variiere": "vary", "variieren": "vary", "starte": "start", "starten": "start", "wiederhole": "repeat",
    "wiederholen": "repeat", "lauf": "run", "läufe": "runs", "durchlauf": "run", "durchläufe": "runs",
    "lass": "let", "laufen": "run", "laufe": "run", "führe": "run", "ausführen": "run", "entferne": "remove",
    "entfernen": "remove", "weglassen": "leave out", "abschalten": "turn off", "ausschalten": "turn off",
    "ausgeschaltet": "off", "eingeschaltet": "on", "aktualisiere": "upgrade", "aktualisieren": "upgrade",
    "installiere": "install", "installieren": "install", "repariere": "fix", "reparieren": "fix",
    "behebe": "fix", "beheben": "fix", "abhängigkeit": "dependency", "abhängigkeiten": "dependencies",
    "paket": "package", "pakete": "packages", "fehlt": "missing", "abstürzt": "crashes", "stürzt": "crashes",
    "modell": "model",
    "datenaugmentierung": "data augmentation", "augmentierung": "augmentation", "einmal": "once", "zweimal": "two times", "dreimal": "three times",
    "viermal": "four times", "fünfmal": "five times", "nochmal": "again", "erneut": "again", "weiter": "keep going",
    "solange": "as long as", "mindestens": "at least", "höchstens": "at most", "erreicht": "reaches", "erreichen": "reach",
    "steigt": "rises", "sinkt": "drops", "fällt": "falls", "liegt": "is", "zwischen": "between", "danach": "then",
    "dann": "then", "anschließend": "then", "zuerst": "first", "zuletzt": "finally", "bitte": "please",
    "welche": "which", "welcher": "which", "welches": "which", "verschiedene": "different", "verschiedenen": "different",
    "alle": "all", "jede": "each", "kombination": "combination", "kombinationen": "combinations", "suche": "search",
    "erkläre": "explain", "warum": "why", "wie": "how", "lösche": "delete", "zeige": "show", "zusammenfassen": "summarize",
    "über": "above", "größer": "greater", "kleiner": "less", "ohne": "without", "nicht": "not", "kein": "no", "keine": "no",
}  # fmt: skip
"""Words that are German and nothing else."""

_LIKELY: Mapping[str, str] = {
    "mit": "with", "und": "and", "oder": "or", "bis": "until", "von": "from", "auf": "to", "unter": "below",
    "ist": "is", "das": "the", "den": "the", "dem": "the", "der": "the", "eine": "a", "einen": "a", "für": "for", "neu": "again",
    "mal": "times", "wir": "we", "ich": "i", "zwei": "two", "drei": "three", "vier": "four", "fünf": "five",
    "gegen": "against", "als": "than", "bei": "at", "im": "in", "werte": "values", "wert": "value",
}  # fmt: skip
"""Words that stand in English texts too, as names or abbreviations."""

_WORDS = {**_CERTAIN, **_LIKELY}
_WORD = Rule(r"(?<![\w'-])[a-zäöüß]{2,}(?![\w'])")
_PREFIXED = Rule(r"\b(dreh|schalt|schalte|lass|lasse)\b([^.?!]*?)\b(?:ab|aus|weg)\b")
_DECIMAL_COMMA = Rule(
    r"(?:(?<![\w.,])0,\d+|(?:(?<=above )|(?<=below )|(?<=at )|(?<=reaches )|(?<=[<>=] )|(?<=[<>=]))\d+,\d+|\d+,\d+(?= ?(?:%|percent)))(?![\w]|[.,]\d)"
)


def in_english(text: str) -> str:
    """The text in lower case with its German words in English, and 0,3 as 0.3; an English text unchanged."""
    found = [match.group() for match in _WORD.finditer(text) if match.group() in _WORDS]
    if not any(word in _CERTAIN for word in found) and len(set(found)) < 2:
        return text
    text = _PREFIXED.sub(lambda match: f"turn off{match[2]}", text)
    text = _WORD.sub(lambda match: _WORDS.get(match.group(), match.group()), text)
    return _DECIMAL_COMMA.sub(lambda match: match.group().replace(",", "."), text)
