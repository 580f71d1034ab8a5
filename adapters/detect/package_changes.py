"""A package, an import, an installation: "bump transformers and retrain", "fix the ImportError until it runs"."""

from __future__ import annotations

from collections.abc import Sequence

from wpfsm.adapters.detect import vocabulary as words
from wpfsm.adapters.detect.clauses import Sentence, Shape
from wpfsm.adapters.detect.findings import Finding, Pattern, Trial
from wpfsm.adapters.detect.grammar import Item
from wpfsm.adapters.detect.patterns import Rule
from wpfsm.adapters.detect.targets import is_metric
from wpfsm.adapters.detect.vocabulary import word_set

_STRICT = r"revert|bump|upgrade|downgrade|pin|unpin|install|reinstall|uninstall|roll|rebuild|update|bisect"
_LOOSE = r"add|remove|drop|swap|replace|change|switch|use|move|go|loosen|relax|tighten|select|try|patch|fix|resolve|sort|debug|put|get|need|test|isolate|lock|set|take|select"
_STRICT_CHANGE = Rule(
    rf" (?:{_STRICT}) (?:back |to |out |on |u |upgrade |force reinstall |for |the |our |my |all |each "
    rf"|every |up |a |an |newer |latest |older |from |new |pinned |of |version |release |in |, )*(?:PKG|VER"
    rf"|package|dependency|requirement|library|pin|wheel) "
)
_BROKEN_REQUIREMENTS = Rule(r" FILE ")
_DEPENDENCY_NOUN = Rule(r" (?:package|dependency|requirement|library|VER) ")
_OF_TRAINING = Rule(r" (?:train|retrain|job|finetune|script|requirement|FILE|resubmit|rerun it) ")
_NEW = r"(?:older|newer|latest|newest|previous|different|another|earlier|last|other|recent|new|old)"
_RELEASED = Rule(rf" {_NEW} (?:PKG )?(?:release|version|build) | {_NEW} PKG | PKG (?:version|release) ")
_SWAPPED = Rule(r" (?:swap|replace|remove|add|drop|ditch) (?:out |the |to |in |both )*PKG ")
_SEARCHED = Rule(
    r" bisect (?:\S+ ){0,4}?PKG "
    rf"| (?:try|test|use) (?:an |a |the |even )*{_NEW} (?:(?:version|release|build) of )?PKG "
    r"| (?:try|test|retry|rerun|retrain) (?:\S+ ){0,3}?PKG (?:== |>= |< |version )?(?:VER|NUM) "
    r"| (?:find|figure|search|look|get|work out) (?:\S+ ){0,8}?(?:version|release|combination"
    r"|pin) (?:\S+ ){0,3}(?:work|load|compatible|train|run|import|install|together) "
)
_CHANGED_IT = Rule(
    r" (?:go|roll|move|revert|get) back to (?:version )?(?:VER|NUM) |"
    r" (?:install|add|upgrade|bump|pin|downgrade|update|rebuild|reinstall) (?:it|them|that|this|both) "
)
_LOOSE_CHANGE = Rule(
    rf" (?:{_LOOSE}) (?:\S+ ){{0,5}}?(?:PKG|package|dependency|requirement|library|version) "
)
_UNKNOWN = Rule(
    r" (?:bump|upgrade|downgrade|pin|unpin|install|reinstall) (?:the |our |back "
    r"|up )*(?P<name>[a-z][a-z0-9]{2,})(?: [a-z0-9]+)?? (?:to VER|to NUM|== |VER|< NUM|<= |>= |~= |at VER"
    r"|and (?:rerun|retrain|run|retry|try|train|resubmit|relaunch))"
)
_BROKEN = Rule(
    r" (?:importerror|modulenotfounderror|no module|cannot import|can't import|undefined symbol"
    r"|(?:missing|lack) (?:the |a )?(?:module|package|dependency|library|import|PKG)"
    r"|(?:dependency|version|package|pip|requirement|PKG|library) (?:conflict|error|issue|problem|hell"
    r"|mismatch|clash|incompatibility|failure|mess|resolution)"
    r"|(?:fail|crash|break|error|die|choke) (?:\S+ ){0,3}(?:import|install|PKG|pip)"
    r"|import (?:\S+ ){0,3}(?:fail|crash|break|error)|install (?:\S+ ){0,3}(?:fail|failure|crash|break|error|problem|issue)"
    r"|PKG (?:is |are |isn't |not )*(?:missing|fail|break|crash|incompatible|not|isn't|can't|won't|doesn't"
    r"|conflict|clash|refuse)|incompatible|(?:won't|doesn't|don't|can't|refuse to) (?:build|install|import"
    r"|resolve)"
    r"|error (?:\S+ ){0,3}(?:import|install)|dependency|attributeerror|resolutionimpossible|wheel|conflict"
    r"|requirement) "
)
_AGAIN = Rule(
    r" (?:rerun|retrain|retry|again|resubmit|relaunch|restart|until|redo|kick|repeat|go again|re) "
    r"| (?:and|then|so|,|&) (?:\S+ ){0,5}?(?:train|run|try|submit|launch|start|test|see|check|go|finetune"
    r"|fit|verify|continue|resume|keep) "
)
_REDO = Rule(
    r" (?:rerun|retrain|retry|again|resubmit|relaunch|restart|until|redo|kick|repeat) | (?:get"
    r"|make) (?:\S+ ){0,5}(?:past|run|work|train|start|install|import|build|pass) "
)
_REPAIR = Rule(
    r" (?:fix|repair|resolve|debug|sort|patch|solve|get|work through|chase|hunt|iron|untangle|add|install"
    r"|update|upgrade|pin|downgrade|change|track|bump|unpin|loosen|relax) "
)
_GENERIC_FIX = Rule(
    r" (?:fix|debug|patch|repair) (?:\S+ ){0,12}(?:until|and rerun|and retry|and resubmit|and run"
    r"|and try) (?:\S+ ){0,6}(?:run|work|start|pass|complete|succeed|train|finish|green|crash|fail|clean"
    r"|through|again|error|it) "
)
_VERSIONS = Rule(
    r" (?:try|test|compare|check|run|sweep|with|bisect|see|against|between|through"
    r"|across) (?:\S+ ){0,5}?PKG (?:version |= |== |: |in |of |both |either |from |releases? )*(?P<list>(?:VER"
    r"|NUM)(?: (?:,|and|or|then|vs|/|\||PKG|to|against)+(?: (?:,|and|or|then|vs|PKG|finally|with"
    r"|try))* (?:VER|NUM))+) "
)
_COMMON_NOUNS = word_set(
    """
    instance quota notebook model endpoint image cluster node machine training job script the version
    number config volume disk driver memory role account tag timeout limit gpu it all everything them
    this message channel region kernel cli sdk data batch size val test file max min our checkpoint
    weight label parameter param pool keep instances value setting settings everything package
    dependency library failure error problem issue missing module latest newest new required everything
    conflict import driver drivers tool tools stuff
    """
)


_MOVED_TO = word_set("-> => to for with")
"""Between the version that a package has and the one that it shall have."""


def dependency(sentences: Sequence[Sentence]) -> Finding | None:
    """A package changed, or an import or installation repaired, and the job run again."""
    asked = [sentence for sentence in sentences if not sentence.question or sentence.told.has(_REDO)]
    shape = Shape(tuple(item for sentence in asked for item in sentence.told.items))
    if (found := _versions(shape)) is not None:
        return found
    pinned = _names_requirements(shape)
    broken = shape.has(_BROKEN) or (pinned and shape.has(_BROKEN_REQUIREMENTS))
    strict = shape.has(_STRICT_CHANGE) or (pinned and shape.has(_REPAIR))
    packages = _packages(shape, sure=strict or broken or shape.has(_RELEASED) or shape.has(_SWAPPED))
    if not packages and (unknown := _unknown(shape)):
        packages, strict = {unknown: ""}, True
    redo, again = shape.has(_REDO), shape.has(_AGAIN)
    if strict and again and (packages or pinned or shape.has(_DEPENDENCY_NOUN)):
        return _changed(packages)
    if packages and (
        (again and shape.has(_CHANGED_IT))
        or (redo and shape.has(_RELEASED))
        or (redo and shape.has(_LOOSE_CHANGE))
        or shape.has(_SEARCHED)
    ):
        return _changed(packages)
    if broken and (redo or (again and shape.has(_REPAIR))):
        return _changed(packages, broken=True)
    if shape.has(_GENERIC_FIX) and shape.has(_OF_TRAINING) and not any(map(is_metric, shape.items)):
        why = "it asks to repair a failing job and run it again until it works"
        return Finding(Pattern.DEPENDENCY_DEBUGGING, why, [{"packages": list(packages)}])
    return None


def _names_requirements(shape: Shape) -> bool:
    return any(
        item.tag == "FILE" and item.text.endswith(("requirements.txt", ".whl", "toml"))
        for item in shape.items
    )


def _versions(shape: Shape) -> Finding | None:
    """Several versions of one package, to be tried one after the other."""
    match = _VERSIONS.search(shape.text)
    if match is None:
        return None
    first, last = shape.index(match.start() + 1), shape.index(match.end("list") - 1)
    name = next(item.text for item in shape.items[first:] if item.tag == "PKG")
    numbers = [item.raw for item in shape.items[first : last + 1] if item.tag in {"VER", "NUM"}]
    trials: list[Trial] = [{"packages": [name], "versions": {name: number}} for number in numbers]
    return Finding(Pattern.DEPENDENCY_DEBUGGING, f"it asks to try {len(numbers)} versions of {name}", trials)


def _unknown(shape: Shape) -> str:
    """A package that the vocabulary does not know, by what is done with it: "pin foolib==1.2 and rerun"."""
    match = _UNKNOWN.search(shape.text)
    return match["name"] if match and match["name"] not in _COMMON_NOUNS else ""


def _changed(packages: dict[str, str], *, broken: bool = False) -> Finding:
    named = ", ".join(packages) or "a dependency"
    trial: Trial = {"packages": list(packages)}
    versions = {name: version for name, version in packages.items() if version}
    if versions:
        trial["versions"] = versions
    repair = f"it asks to repair an import or installation error ({named}) and run again"
    return Finding(
        Pattern.DEPENDENCY_DEBUGGING,
        repair if broken else f"it asks to change {named} and run again",
        [trial],
    )


def _packages(shape: Shape, *, sure: bool) -> dict[str, str]:
    """The packages named, with the version asked for ("<2", "0.13.0") or ""."""
    found: dict[str, str] = {}
    items = shape.items
    for n, item in enumerate(items):
        missing = (
            n >= 2
            and item.tag == ""
            and items[n - 1].text in {"'", '"', "name", "named"}
            and _after_named(items, n)
        )
        if missing and item.text.isidentifier() and item.raw != "from":
            found.setdefault(item.raw, "")
        if item.tag != "PKG" or (
            n + 1 < len(items) and items[n + 1].text == "compile" and items[n + 1].glued
        ):
            continue
        version = _version(items, n)
        if item.text not in words.AMBIGUOUS_PACKAGES or version or (sure and _is_object(items, n)):
            found[item.text] = version or found.get(item.text, "")
    return found


def _after_named(items: Sequence[Item], n: int) -> bool:
    before = items[max(0, n - 4) : n]
    inside = any(item.text == "import" for item in before)  # "cannot import name 'AdamW'" names no package
    return not inside and any(item.text in {"named", "name", "modulenotfounderror"} for item in before)


def _is_object(items: Sequence[Item], n: int) -> bool:
    """Whether an everyday word stands where a package stands: behind a verb of change, "between", "and", or a quote."""
    before = [
        item for item in items[max(0, n - 3) : n] if item.text not in {"the", "our", "my", "of", ",", "a"}
    ]
    texts = {item.text for item in before} | {item.tag for item in before}
    after = items[n + 1].text if n + 1 < len(items) else ""
    return bool(
        texts
        & {
            *_STRICT.split("|"),
            "add",
            "swap",
            "replace",
            "between",
            "PKG",
            "'",
            "import",
            "missing",
            "lack",
            "on",
            "change",
            "named",
            "modulenotfounderror",
            "importerror",
        }
    ) or after in {"is", "version"}


def _version(items: Sequence[Item], n: int) -> str:
    """The version behind a package: "==0.13.0", "<2", "to 2.4", "version 4.46"."""
    operator, at, name = "", n + 1, items[n].text
    while at < min(n + 6, len(items)):
        item = items[at]
        if item.tag in {"VER", "NUM"}:
            after = [each for each in items[at + 1 : at + 4] if each.text not in {"PKG", "version", name}]
            moved = (
                not operator
                and len(after) > 1
                and after[0].text in _MOVED_TO
                and after[1].tag in {"VER", "NUM"}
            )
            return operator + (after[1] if moved else item).raw
        if item.text in {"==", ">=", "<=", "<", ">", "~=", "!="}:
            operator = "" if item.text == "==" else item.text
        elif item.text == "below":
            operator = "<"
        elif item.text not in {"to", "version", "at", "back", "down", "up", "=", "v", "release"}:
            return ""
        at += 1
    return ""
