"""With and without a thing: "with and without gradient checkpointing", "drop the warmup and compare"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from wpfsm.adapters.detect.clauses import ASKING, Sentence, Shape
from wpfsm.adapters.detect.findings import Finding, Pattern, Trial
from wpfsm.adapters.detect.noun_phrases import PRONOUNS, ahead, antecedent, behind, listed
from wpfsm.adapters.detect.patterns import Rule
from wpfsm.adapters.detect.vocabulary import word_set
from wpfsm.adapters.detect.wordforms import singular

_AND = r"(?:and|or|vs|/|,|then|and then|\||against|&)"
_REMOVE = r"remove|drop|disable|turnoff|strip out|strip away|strip|leave out|omit|take out|take away|skip|cut out|knock out|ablate|without|get rid of|switch off|rip out|pull out|minus|lose|eliminate|with no"
_TRAINING_FEATURE = Rule(
    r"checkpointing|clip|norm|attention|dropout|augment|loss|head|term|layer|warmup|smoothing|decay"
    r"|regulari|ema|mixup|cutmix|packing|embedding|connection"
    r"|pretrain|scheduler|compile|freez|penalty|momentum|weight|rope|bias|lora|distill|objective|branch"
    r"|module|feature|block|noise|curriculum|tying|masking|residual|pool"
)
_NOT_A_FEATURE = word_set(
    """
    column row checkpoint file bucket log comment test job run cost price time quota endpoint print line
    sample bug a it error limit null duplicate nan instance batch that them this there here training
    question pin data message any all each one two doubt further ado warning wait
    """
)
_WITH_AND_WITHOUT = Rule(
    rf" (?:with {_AND} (?:once |then |also |again |run |finally |one )*without|without {_AND} (?:once "
    rf"|then |also |again )*with) "
)
_ONCE = r"(?:once |then |again |one |run |train |with |it |them |that )*"
_ON_OFF = Rule(
    rf" (?:on {_AND} {_ONCE}off|off {_AND} {_ONCE}on"
    rf"|enabled? {_AND} {_ONCE}(?:\S+ ){{0,3}}?disabled?|disabled? {_AND} {_ONCE}(?:\S+ ){{0,3}}?enabled?"
    rf"|true {_AND} (?:\S+ ){{0,5}}?false|false {_AND} true|turnon {_AND} (?:then )*turnoff|(?:turned"
    rf"|switched) on {_AND} {_ONCE}(?:\S+ ){{0,3}}?(?:turned |switched )?(?:off|turnoff)|on {_AND} (?:then )*turnoff"
    rf"|turnoff {_AND} (?:then )*(?:turnon|on)|yes {_AND} no) "
)
_WITH = Rule(r" (?:with|use|have|has) ")
_WITHOUT = Rule(r" (?:without|not (?:use|have|with)) ")
_EACH_WAY = Rule(r" (?:one|both|once|run|train|job|each) ")
_TURNED_OFF = Rule(r" (?:turn|switch|take|leave|knock) (?P<np>(?:\S+ ){1,4}?)(?:off|out) ")
_SIDE_BY_SIDE = Rule(r" in (?:one|a single|the same) (?:run|job|training run) ")
_ASKS_WHAT = Rule(r" (?:what happens|how much|see how|see what|baseline) ")
_A_CHANGE = Rule(
    r" (?:\S+ ){0,3}(?:to|from|by) (?:NUM|VAL)|(?: \S+){0,4} (?:below|under|to NUM)"
    r"| (?:a |the |any )?(?:NUM|METRIC (?:to|by|below|under|NUM))"
)
"""What follows a verb of removal that lowers a number: "drop the learning rate to 1e-5"."""
_UNNAMED = "feature"
_WITHOUT_THEN_WITH = Rule(r" (?:one|run|it|once|first|again) without (?:it|them|that|one) (?:\S+ ){0,8}with ")
_ABLATE = Rule(
    r" ablate (?!(?:study |experiment )*(?:result|finding|section|number|plot|figure|chapter|slide|outcome) )(?:study |run |experiment |analysis |of |on |over |for |: |the |out |away |table )*"
)
_REMOVED = Rule(rf" (?P<verb>{_REMOVE}) ")
_COMPARING = Rule(
    r" (?:compare|see (?:if|how|what|the|by|which|that)|check (?:if|how|what|the)|measure|report|vs|against"
    r"|baseline|difference|what happen|happens|matter|matters|hurt|hurts|help|helps"
    r"|how much|impact|effect|both way|lose|side by side|worse|better|next to|then with|suffer|suffers"
    r"|test (?:if|how)|find out|back in|in a second run|contribute|still) "
)
_RETRAINING = Rule(
    r" (?:retrain|rerun|train again|run again|one at a time|one by one|in turn|each in|again) "
)
_OBJECT = Rule(rf"(?:{_REMOVE}|turning off|having|use|using|add|adding) ")
_EFFECT = Rule(
    r" (?:effect|impact|influence|contribution|importance|benefit|usefulness|effects) (?:of|from) "
)
_STUDIES = Rule(
    r" (?:measure|test|check|see|study|quantify|evaluate|assess|investigate|compare|run|train|isolate"
    r"|determine|examine|find|understand|know|look|experiment|try|ablate|explore|our|my|this|remove|turnoff"
    r"|disable|drop) "
)
_HELPS = Rule(
    r" (?:if|does|do|how much does|how much do|how much is|how much|that"
    r"|is) (?P<np>(?:\S+ ){1,7}?)(?:really |actually |even |also |still |truly |any )*(?:is |are "
    r"|be )?(?:help|helps|hurt|hurts|matter|matters|contribute|contributes|make a|makes a"
    r"|make any|makes any|improve|improves|pay off|pays off|worth|do anything|does anything|speed up"
    r"|speeds up|necessary|needed|useful|buys|buy|bring|brings|earn|earns|add anything|adds anything"
    r"|do something|gains|give|gives|reduce|reduces|slow|slows|cost|is pulling) "
)
_MATTER_CUES = Rule(
    r" (?:run|train|test|try|check|see|verify|find|measure|compare|determine|both|know|quantify|assess"
    r"|on our|on this|in our|here|my|our|this|evaluate|investigate|experiment|ablate) "
)
_NO = Rule(
    rf" (?P<join>{_AND}) (?:once )?(?:(?:the |same |model |one |run |again |without )*with )?(?:no|none|non"
    rf"|plain) "
)
_NO_FIRST = Rule(r" (?:no|none) (?P<np>\S+(?: \S+){0,3}?) (?:vs|and|or|then|/|against) ")
_NOT_ONE_NOR_OTHER = Rule(
    r" (?:baseline|full model|ablate|everything|control|default) (?:(?:study|run|:|,|vs|and|against|or) )*"
    r"(?P<list>(?:no|without) (?:\S+ ){1,4}?(?:,|vs|and|or|then) (?:\S+ ){0,2}?(?:no|without) .*)"
)
_SPELLS_OUT = Rule(r" [:(] ")
_EACH_NO = Rule(r" (?:no|without) ")
_OPPOSED = Rule(
    rf" (?P<one>[a-z]{{4,}}) (?:\S+ ){{0,3}}?{_AND} (?:\S+ ){{0,2}}?(?:un|non)(?P=one) "
    rf"| (?:un|non)(?P<other>[a-z]{{4,}}) (?:\S+ ){{0,3}}?{_AND} (?:\S+ ){{0,2}}?(?P=other) "
)
_ON_HERE_OFF_THERE = Rule(
    r" (?:enable|turnon|use|keep|add) (?P<np>(?:\S+ ){1,5}?)in (?:one|the first|run NUM) (?:\S+ ){0,5}?"
    r"(?:disable|turnoff|drop|remove|omit|skip|not|without) (?:it|them|that) "
)
_MINUS = Rule(
    r" (?:baseline|same thing|same model|same run|same setup|same config|full model|original|everything"
    r"|reference) (?:\S+ ){0,8}?(?:minus|without|except|less|but no) "
)
_TOGGLE = Rule(r" toggle ")
_ONE_OUT = Rule(
    rf" (?P<verb>leave one out|{_REMOVE}|leave|turn|take|knock)"
    r"(?:(?<=leave one out)(?: ablate)?(?: study)?(?: over| of| on)?| (?:\S+ ){0,6}(?:one at a time|one by one|in turn|one after another|a time)) "
)
_UNSWITCHABLE = word_set(
    """
    lr batch_size max_seq_length seed epochs optimizer max_steps num_layers hidden_size num_heads
    max_tokens num_workers lr_scheduler lora_rank lora_alpha instance_count instance_type image_size
    zero_stage temperature max_depth beta
    """
)


def ablation(sentences: Sequence[Sentence]) -> Finding | None:
    """With and without a thing."""
    shape = Shape(
        tuple(item for sentence in sentences if not sentence.question for item in sentence.live.items)
    )
    if shape.has(_SIDE_BY_SIDE) and not shape.has(_ON_HERE_OFF_THERE):
        return None
    features = next((found for form in _FORMS if (found := form(shape)) is not None), None)
    if features is None:
        return None
    names = list(dict.fromkeys(feature for feature in features if feature)) or [_UNNAMED]
    baseline: Trial = dict.fromkeys(names, True)
    variants: list[Trial] = [{**baseline, name: False} for name in names]
    said = (
        "a part of the training"
        if names == [_UNNAMED]
        else ", ".join(name.replace("_", " ") for name in names)
    )
    return Finding(
        Pattern.ABLATION,
        f"it asks for a comparison with and without {said}",
        [baseline, *variants],
        varied=tuple(names),
    )


# --- the forms: each returns the features that it finds, [""] when they are not named, or None --------------------


def _with_and_without(shape: Shape) -> list[str] | None:
    match = _WITH_AND_WITHOUT.search(shape.text)
    if match is None:
        return None
    feature = ahead(shape, match.end())
    asked = any(item.text in ASKING for item in shape.items)
    return _named(shape, feature, match.start()) if feature or asked else None


def _on_and_off(shape: Shape) -> list[str] | None:
    if (match := _ON_OFF.search(shape.text)) is None:
        return None
    before = behind(shape, match.start())
    return _named(shape, before[-1] if before else ahead(shape, match.end()), match.start())


def _baseline_minus(shape: Shape) -> list[str] | None:
    match = _MINUS.search(shape.text) or _TOGGLE.search(shape.text)
    return _named(shape, ahead(shape, match.end()), match.start()) if match else None


def _on_here_off_there(shape: Shape) -> list[str] | None:
    """ "enable gradient checkpointing in one run, disable it in the other"."""
    match = _ON_HERE_OFF_THERE.search(shape.text)
    return [ahead(shape, match.start("np"))] if match else None


def _one_after_another(shape: Shape) -> list[str] | None:
    """ "baseline vs no label smoothing vs no EMA"."""
    match = _NOT_ONE_NOR_OTHER.search(shape.text)
    if match is None:
        return None
    return [ahead(shape, each.end()) for each in _EACH_NO.finditer(shape.text, match.start("list") - 1)]


def _its_opposite(shape: Shape) -> list[str] | None:
    """ "frozen embeddings vs unfrozen embeddings", "shuffled and unshuffled data"."""
    match = _OPPOSED.search(shape.text)
    if match is None:
        return None
    return [
        ahead(
            shape, match.start("one") if match["one"] else shape.text.rindex(match["other"], 0, match.end())
        )
    ]


def _one_at_a_time(shape: Shape) -> list[str] | None:
    match = _ONE_OUT.search(shape.text)
    if match is None:
        return None
    if named := _spelt_out(shape, match.end()):
        return named
    return [ahead(shape, (match.end() if match["verb"] == "leave one out" else match.end("verb")) + 1)]


def _spelt_out(shape: Shape, offset: int) -> list[str]:
    """The parts that a colon or a parenthesis spells out: "each augmentation: flip, crop"."""
    mark = _SPELLS_OUT.search(shape.text, offset - 1)
    return listed(shape, mark.end()) if mark else []


def _until_a_verb(shape: Shape, offset: int) -> list[str]:
    """The parts that one verb removes: "the reconstruction loss and then the perceptual loss"."""
    verb = _REMOVED.search(shape.text, offset)
    end = shape.index(verb.start() + 1) if verb else len(shape.items)
    return listed(Shape(shape.items[:end]), offset)


def _ablate(shape: Shape) -> list[str] | None:
    match = _ABLATE.search(shape.text)
    if match is None:
        return None
    removed = [
        each
        for verb in _REMOVED.finditer(shape.text, match.end() - 1)
        for each in _until_a_verb(shape, verb.end())
    ]
    return removed or _spelt_out(shape, match.end()) or listed(shape, match.end()) or [""]


def _against_none(shape: Shape) -> list[str] | None:
    """ "packing vs no packing", "no warmup vs warmup"."""
    if (match := _NO.search(shape.text)) is not None:
        feature = ahead(shape, match.end())
        if feature and feature in behind(shape, match.start("join") - 1):
            return [feature]
    if (match := _NO_FIRST.search(shape.text)) is not None:
        feature = ahead(shape, match.start("np"))
        if feature and feature == ahead(shape, match.end()):
            return [feature]
    return None


def _with_then_without(shape: Shape) -> list[str] | None:
    """ "one run with EMA, one without it", "a run using X and a run not using it"."""
    without = _WITHOUT.search(shape.text)
    if without is None or shape.has(_WITH_AND_WITHOUT):
        return None
    second = ahead(shape, without.end())
    again = not second or second in PRONOUNS
    before = _WITH.search(shape.text[: without.start() + 1])
    if before is None:
        back = again and _WITHOUT_THEN_WITH.search(shape.text)
        return [antecedent(shape, back.start())] if back else None
    first = ahead(shape, before.end())
    if first in PRONOUNS or (not first and not second and shape.has(_EACH_WAY)):
        return [antecedent(shape, before.start())]
    return [first] if first and (again or second == first) else None


def _effect_of(shape: Shape) -> list[str] | None:
    match = _EFFECT.search(shape.text)
    if match is None or not shape.has(_STUDIES):
        return None
    removed = _OBJECT.match(shape.text, match.end())
    end = removed.end() if removed else match.end()
    return None if _unswitchable(shape, end) else listed(shape, end) or [""]


def _removed(shape: Shape) -> list[str] | None:
    removals = list(_REMOVED.finditer(shape.text))
    for n, match in enumerate(removals):
        feature = _removed_feature(shape, match)
        if feature is not None:
            return [
                feature,
                *(each for later in removals[n + 1 :] if (each := _removed_feature(shape, later))),
            ]
    off = _TURNED_OFF.search(shape.text)
    if off is not None and shape.has(_COMPARING):
        return _named(shape, ahead(shape, off.start("np")), off.start())
    return None


def _whether_it_helps(shape: Shape) -> list[str] | None:
    match = _HELPS.search(shape.text)
    if match is None or not shape.has(_MATTER_CUES) or _unswitchable(shape, match.start("np")):
        return None
    feature = ahead(shape, match.start("np"))
    return [feature] if feature and feature not in PRONOUNS else None


_FORMS: tuple[Callable[[Shape], list[str] | None], ...] = (
    _one_after_another,
    _with_and_without,
    _on_and_off,
    _on_here_off_there,
    _one_at_a_time,
    _ablate,
    _against_none,
    _with_then_without,
    _baseline_minus,
    _effect_of,
    _removed,
    _whether_it_helps,
    _its_opposite,
)


def _removed_feature(shape: Shape, match: re.Match[str]) -> str | None:
    """The feature behind a verb of removal, when the request then compares, or trains again without it."""
    feature = ahead(shape, match.end())
    tail = shape.text[match.end() - 1 :]
    at = shape.index(match.end())
    first_two = shape.items[at : at + 2]
    compares = _COMPARING.search(shape.text if match["verb"] == "without" else tail) or shape.has(_ASKS_WHAT)
    if feature in PRONOUNS:
        return antecedent(shape, match.start()) if compares and match["verb"] != "without" else None
    if not feature or _is_a_thing(feature) or any(item.tag == "PKG" for item in first_two):
        return None
    if _A_CHANGE.match(tail):
        return None
    known = _TRAINING_FEATURE.search(feature) or any(item.tag in {"PARAM", "METHOD"} for item in first_two)
    repeats = known and match["verb"] != "without" and _RETRAINING.search(tail)
    return feature if compares or repeats else None


def _is_a_thing(feature: str) -> bool:
    """Whether a phrase names what is no part of training: rows, a file, duplicates; "synthetic data" is one."""
    *before, last = feature.split("_")
    last = singular(last)
    return last in _NOT_A_FEATURE and not (last == "data" and before)


def _unswitchable(shape: Shape, offset: int) -> bool:
    """Whether what follows is a parameter that always has a value: its effect is a sweep, not an ablation."""
    at = shape.index(offset)
    return any(item.tag == "PARAM" and item.text in _UNSWITCHABLE for item in shape.items[at : at + 3])


def _named(shape: Shape, feature: str, before: int) -> list[str]:
    return [feature] if feature and feature not in PRONOUNS else [antecedent(shape, before)]
