"""Which values a request gives to which parameters, and the trials that they make.

A list of values belongs to the parameter before it ("lr 1e-4, 5e-5"), behind it ("16 and 32 epochs", "1e-4 and
5e-5 for the learning rate"), to the last parameter that the request spoke of, or, when the numbers can be
nothing else, to the learning rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

from wpfsm.adapters.detect import vocabulary as words
from wpfsm.adapters.detect.clauses import ASKING, OTHER_VERBS, RUN, TRY, Sentence, Shape
from wpfsm.adapters.detect.findings import Trial, Value
from wpfsm.adapters.detect.grammar import Item
from wpfsm.adapters.detect.intervals import MAX_TRIALS, filled, plausible, walked
from wpfsm.adapters.detect.listing import (
    IN_STEPS,
    OWNING_FILLERS,
    WHICH,
    Listing,
    end_of_numbers,
    listing,
    starts_from,
)
from wpfsm.adapters.detect.patterns import Rule
from wpfsm.adapters.detect.targets import metric_numbers
from wpfsm.adapters.detect.unknown_names import LEFT_FILLERS, by_form
from wpfsm.adapters.detect.vocabulary import Domain, Kind, Parameter, word_set

_BY_NAME = {parameter.name: parameter for parameter in words.PARAMETERS}
_METHOD = Parameter("recipe", Kind.RECIPE, Domain.NAME)
_LR = _BY_NAME["lr"]
_UNNAMED = Parameter("value", Kind.TRAINING)
"""Stands in a trial for the parameter that a request leaves out."""
_INDEXED = word_set("layer layers gpus")
"""Before numbers these name some of many ("layers 1 and 2"), and are no parameter."""
_IN_TOKENS = word_set("max_seq_length max_tokens vocab_size")
"""Parameters for which "2k" is 2048."""

_CHOICE = Rule(
    r" (?:compare|choose|decide|pick|toss|toggle|switch|alternate|difference|torn|choice|select"
    r"|comparision) (?:\S+ ){0,4}$"
)
_MOVES = Rule(
    r" (?:increase|decrease|raise|lower|reduce|bump|change|switch|move|drop|double|halve|set|decay|anneal"
    r"|annealing|grow|ramp|schedule|swap|cyclic|cycle"
    r"|crank|warm|cosine|linear|decays|drops|goes|went|shrink|update|cut|VAL) (?:\S+ ){0,5}$"
)
_NOT_ALTERNATIVES = Rule(
    r" (?:NUM|VAL|PARAM(?=.* (?:and|,|with) )) for (?:the )?(?:first|last|rest|remain|remaining|head|backbone|encoder|decoder"
    r"|body|classifier|embedding|bias|generator|discriminator|train|eval"
    r"|other|new|pretrained|text|vision|actor|critic|policy|student|teacher|stage|phase|top|bottom|early"
    r"|late|second|later)"
    r"|on (?:train|eval|the train|the eval) and | in (?:one|a|the same|the|a single|one single) (?:single "
    r"|same )?(?:run|job|training run) "
    r"| from NUM to NUM over |NUM for NUM PARAM (?:\S+ ){0,4}NUM for NUM | per layer | your choice "
    r"| whichever | you (?:pick|choose|decide) | up to you | one run (?:STOP|,|only) | layer ?wise "
    r"| discriminative | param(?:eter)? group "
)
_SEVERAL = word_set("several other another different")
_SUPERLATIVE = word_set(
    """
    big large long best good better ideal right optimal optimum largest biggest highest maximum max
    fastest smallest possible sweet new
    """
)
_SEEKING = word_set(
    """
    how find search get determine pick choose tune look which what discover know figure see try test
    explore identify work
    """
)
_IN_PASSING = word_set("save saving checkpoint log logging eval evaluation validate validating snapshot")
"""What a job does at some of its steps."""
_VALUES = word_set("value setting candidate choice option")
_DIFFERENT = _SEVERAL | {"new", "random", "distinct", "possible", "separate", "independent"}
_ARROW_RANGE = Rule(r" -> NUM (?:in |log |with |scale |, )*(?:NUM (?:point|step|value)|log) ")
_SEARCHED = Rule(r" (?:range|uniform|loguniform|log|random|randomly|bayes\w*|optuna|tpe) ")
_DRAWN = Rule(r" (?:random|randomly|bayes\w*|optuna|tpe|uniform|loguniform) ")
_ONE_JOB_EACH = Rule(r" (?:one|a|separate) (?:job|run|training)s? (?:each|for each|per)|in power of two ")
_PROGRESSES = Rule(r" keep (?:\S+ )?(?:double|halve|halving|doubling) ")
_TRIES = Rule(r" (?:try|sweep|test|search|explore|vary|tune) ")
_ASKS = TRY | RUN | {"do", "use", "give", "then", "drop"}
_VARYING = word_set(
    """
    vary sweep tune search explore optimize optimise halve double halving doubling scan grid experiment
    tweak
    """
)
_BESIDE_THE_NAME = word_set("the a our my its over and on for , only just")


@dataclass(frozen=True)
class Assignment:
    """Values that a request gives to one parameter.

    Attributes:
        parameter: which; None when the text leaves it open.
        values: in order of mention; empty when the request says only that it varies ("a few dropout values").
        bounds: (low, high) of a range that the request leaves to the search to fill.
        sentence: in which sentence.
        asked: it stands behind a verb that asks for trying or running, or the request begins with it.
        varied: the request says that it varies, without saying the values.
    """

    parameter: Parameter | None
    values: tuple[Value, ...] = ()
    bounds: tuple[float, float] | None = None
    sentence: int = 0
    asked: bool = False
    varied: bool = False

    @property
    def varies(self) -> bool:
        """Whether it asks for more than one value."""
        return self.varied or len(self.values) > 1 or self.bounds is not None


class _Reader:
    """Reads the assignments of one sentence, left to right."""

    def __init__(self, shape: Shape, earlier: Parameter | None, sentence: int) -> None:
        self.items = shape.items
        self.earlier = earlier
        self.sentence = sentence
        self.last: dict[Parameter | None, int] = {}
        self.taken: set[int] = metric_numbers(shape)

    def read(self) -> Iterator[Assignment]:
        at = 0
        while at < len(self.items):
            item = self.items[at]
            if self._starts_list(at):
                found, at = self._list(at)
                if found is not None:
                    yield found
                continue
            if item.parameter is not None and item.tag == "PARAM":
                self.earlier = item.parameter
                if self._left_open(at):
                    yield self._assignment(item.parameter, (), at, varied=True)
            at += 1

    def _starts_list(self, at: int) -> bool:
        item = self.items[at]
        if (
            at in self.taken
            or starts_from(self.items, at)
            or item.tag not in {"NUM", "VAL", "METHOD", "MODEL", "FILE"}
        ):
            return False
        return item.tag != "FILE" or item.text.endswith((".py", ".yaml", ".yml", ".sh"))

    def _list(self, start: int) -> tuple[Assignment | None, int]:
        """The assignment that a list makes, and the item behind the list."""
        first = self.items[start]
        if first.tag == "NUM" and start and self._is_moment(start):
            return None, end_of_numbers(self.items, start)
        bound = self._before(start) if first.tag == "NUM" else first.parameter or _METHOD
        named = by_form(self.items, start) if first.tag == "NUM" and bound is None else None
        found = listing(self.items, start, bound or named, self.taken)
        if len(found.values) > 1 and not self._counts_things(found.last + 1):
            bound = bound or named
        self.taken.update(range(start, found.last + 1))
        return self._meaning(found, bound), found.last + 1

    def _is_moment(self, start: int) -> bool:
        """Whether numbers say when something is done in a job: "every 100 steps", "saving checkpoints at 2k, 4k"."""
        before = self.items[max(0, start - 5) : start]
        return before[-1].text in {"every", "per", "each"} or (
            before[-1].text in {"at", "after", ":"} and any(item.text in _IN_PASSING for item in before)
        )

    def _meaning(self, found: Listing, bound: Parameter | None) -> Assignment | None:
        if found.values[0].tag != "NUM":
            values = dict.fromkeys(item.value for item in found.values if item.value is not None)
            return self._assignment(bound, tuple(values), found.start)
        counted = self._counted(found) if bound is None else None
        if counted is not None:
            return self._several(*counted)
        return self._numbers(found, self._owner(found, bound))

    # -- whose list it is

    def _before(self, start: int) -> Parameter | None:
        """The parameter that the list directly follows, over fillers ("learning rates such as")."""
        for n in range(start - 1, max(-1, start - 9), -1):
            item = self.items[n]
            if item.text == "milestones" or item.raw in _INDEXED:
                return _BY_NAME["milestones"]
            if item.tag == "PARAM":
                return item.parameter if n not in self.taken else None
            if item.tag in {"NUM", "VAL", "STOP", "METRIC", "METHOD"} or item.text not in LEFT_FILLERS:
                return None
        return None

    def _owner(self, found: Listing, bound: Parameter | None) -> Parameter | None:
        unit = found.unit
        named = bound or self.earlier
        if unit is not None and unit.name == "max_steps" and named is not None and named.name in IN_STEPS:
            return _BY_NAME[IN_STEPS[named.name]]
        if unit is not None and (bound is None or unit.counted):
            self.taken.add(found.last + 1)
            return unit
        owner = bound or self._behind(found.last + 1)
        if owner is not None or self._counts_things(found.last + 1):
            return owner
        values = [item.value for item in found.values]
        if self.earlier is not None and plausible(self.earlier, values):
            return self.earlier
        small = all(isinstance(value, float) and 0 < value < 0.02 for value in values)
        if small or (all("e-" in item.raw for item in found.values) and plausible(_LR, values)):
            return _LR
        return _UNNAMED if len(values) > 1 and self._stands_alone(found) else None

    def _behind(self, at: int) -> Parameter | None:
        """The parameter that follows a list, over fillers ("1e-4 and 5e-5 for the learning rate")."""
        for n in range(at, min(at + 5, len(self.items))):
            item = self.items[n]
            if item.tag == "PARAM":
                ahead = self._item(n + 1)
                own = ahead is not None and (ahead.tag == "NUM" or ahead.text in {"=", ":"})
                if n == at or own:
                    return None
                self.taken.add(n)
                return item.parameter
            if item.text not in OWNING_FILLERS and item.text not in {")", "]", "}"}:
                return None
        return None

    def _stands_alone(self, found: Listing) -> bool:
        """Whether a list is all that a verb of trying has: "try 8, 16 and 32"."""
        after = self._item(found.last + 1)
        verb = self.items[found.start - 1].text if found.start else ""
        return verb in {"try", "sweep", "test"} and (after is None or after.tag == "STOP")

    def _counts_things(self, at: int) -> bool:
        """Whether the number before this item counts something that is no parameter: "3 jobs", "8 GB"."""
        after = self._item(at + 1 if self._is(at, WHICH) else at)
        return after is not None and (after.tag in {"PARAM", "METRIC", "PKG"} or after.text in words.UNITS)

    # -- what it says

    def _numbers(self, found: Listing, parameter: Parameter | None) -> Assignment | None:
        values = [item.value for item in found.values if isinstance(item.value, int | float)]
        worded = any(item.raw in words.NUMBER_WORDS for item in found.values)
        if parameter is None and (worded or self._counts_things(found.last + 1)):
            return None
        if worded and len(values) == 1 and not (parameter and parameter.counted):
            return None
        if parameter is not None:
            if not plausible(parameter, values):
                return None
            values = [converted(parameter, item) for item in found.values]
        if found.joins.endswith("~"):
            values = filled(values)
        if self._is_range(found):
            return self._range(found, parameter, values[0], values[1])
        return self._assignment(parameter, tuple(values), found.start)

    def _counted(self, found: Listing) -> tuple[int, int] | None:
        """Which parameter a number counts ("three seeds", "5 values of lr") and how many; None if it counts none."""
        at = found.last + 1
        while self._is(at, _DIFFERENT | _VALUES | {"of", "for"}):
            at += 1
        named, count = self._item(at), found.values[-1].value
        if named is None or named.tag != "PARAM" or named.parameter is None or not isinstance(count, int):
            return None
        spelled = any(item.text in _VALUES for item in self.items[found.last + 1 : at])
        plural = named.raw.endswith("s") and not named.parameter.counted
        worded = all(item.raw in words.NUMBER_WORDS for item in found.values)
        alone = len(found.values) == 1 or (len(found.values) == 2 and worded)
        return (at, count) if alone and (spelled or plural) else None

    def _several(self, at: int, count: int) -> Assignment | None:
        """So many values of the parameter there; the values themselves may follow, and are read then."""
        parameter = self.items[at].parameter
        if count < 2 or parameter is None or self._followed_by_values(at):
            return None
        self.taken.add(at)
        if parameter.name in {"seed", "fold"} and count <= MAX_TRIALS:
            return self._assignment(parameter, tuple(range(count)), at)
        return self._assignment(parameter, (), at, varied=True)

    def _followed_by_values(self, at: int) -> bool:
        """ "5 learning rates: 1e-5, ...": then the values are there to be read."""
        for item in self.items[at + 1 : at + 4]:
            if item.text in {"around", "near"}:
                return False
            if item.tag in {"NUM", "VAL"}:
                return item.raw not in words.NUMBER_WORDS
            if item.text not in LEFT_FILLERS:
                return False
        return False

    def _is_range(self, found: Listing) -> bool:
        if len(found.values) != 2:
            return False
        behind = Shape(self.items[found.start + 1 : found.start + 9])
        if found.joins == "-" or behind.has(_ARROW_RANGE):
            return True
        head = Shape(self.items[: found.start])
        opened = head.items[-1].text if head.items else ""
        if opened == "between":
            return not head.has(_CHOICE)
        return opened in {"range", "["} and head.has(_SEARCHED)

    def _range(self, found: Listing, parameter: Parameter | None, low: float, high: float) -> Assignment:
        """A range to explore, or the second value of a move ("from 8 to 16")."""
        head = Shape(self.items[: found.start])
        behind = Shape(self.items[found.last + 1 : found.last + 12])
        if parameter is None or (
            not behind.has(_ONE_JOB_EACH)
            and head.has(_MOVES)
            and not (head.has(_TRIES) or head.has(_PROGRESSES))
        ):
            return self._assignment(parameter, (high,), found.start)
        values = () if head.has(_DRAWN) else walked(parameter, low, high, behind)
        if values:
            return self._assignment(parameter, values, found.start)
        return replace(self._assignment(parameter, (), found.start), bounds=(min(low, high), max(low, high)))

    def _left_open(self, at: int) -> bool:
        """ "a few dropout values", "the best learning rate", "vary the batch size": varied, without values."""
        parameter = self.items[at].parameter
        if (
            parameter is None
            or parameter.kind is Kind.FIXED
            or at in self.taken
            or self._followed_by_values(at)
        ):
            return False
        start = (
            at - 2
            if at > 1 and self.items[at - 1].text == "of" and self.items[at - 2].text in _VALUES
            else at
        )
        before = self.items[max(0, start - 4) : start]
        nearby = {item.text for item in before[-2:]}
        if nearby & _SEVERAL:
            return True
        if nearby & _SUPERLATIVE and any(item.text in _SEEKING for item in self.items[:at]):
            return True
        leading = (
            item for item in reversed(before) if item.text not in _BESIDE_THE_NAME and item.tag != "PARAM"
        )
        return next((item.text in _VARYING for item in leading), False)

    # -- small helpers

    def _item(self, at: int) -> Item | None:
        return self.items[at] if at < len(self.items) else None

    def _is(self, at: int, texts: frozenset[str]) -> bool:
        item = self._item(at)
        return item is not None and item.text in texts

    def _assignment(
        self, parameter: Parameter | None, values: tuple[Value, ...], at: int, *, varied: bool = False
    ) -> Assignment:
        if parameter is not None and parameter.kind is Kind.FIXED:
            values = values[:1]
        since = self.last.get(parameter, 0)
        self.last[parameter] = at
        asked = any(item.text in _ASKS for item in self.items[since:at])
        asked = asked or (not since and self._begins_with(parameter, at))
        return Assignment(parameter, values, None, self.sentence, asked, varied)

    def _begins_with(self, parameter: Parameter | None, at: int) -> bool:
        """Whether the request begins with a value, without a verb: "LoRA r=8 first, then ..."."""
        head = self.items[:at]
        named = [item.parameter for item in head if item.tag == "PARAM"]
        verbs = any(item.text in ASKING or item.text in OTHER_VERBS for item in head)
        return not verbs and parameter in (named or [parameter]) and "warmup" not in {i.text for i in head}


def converted(parameter: Parameter, item: Item) -> float:
    """A number as a value of its parameter: "2k" tokens are 2048, "8.0" workers are 8."""
    assert isinstance(item.value, int | float)
    if parameter.name in _IN_TOKENS and item.raw.endswith("k"):
        return int(item.value // 1000 * 1024)
    whole = parameter.domain is Domain.INTEGER and float(item.value).is_integer()
    return int(item.value) if whole else item.value


def assignments(sentences: Sequence[Sentence], shapes: Sequence[Shape]) -> list[Assignment]:
    """The assignments of a request, in order of mention.

    Args:
        sentences: the request.
        shapes: which part of each sentence to read; as long as `sentences`.
    """
    found: list[Assignment] = []
    spoken: Parameter | None = None
    for number, (sentence, shape) in enumerate(zip(sentences, shapes, strict=True)):
        reader = _Reader(shape, spoken, number)
        read = list(reader.read())
        found += _first_of_each(read) if shape.has(_NOT_ALTERNATIVES) else read
        spoken = reader.earlier
        if shape.items != sentence.said.items:
            spoken = (
                next((i.parameter for i in reversed(sentence.said.items) if i.tag == "PARAM"), None) or spoken
            )
    return found


def _first_of_each(read: Sequence[Assignment]) -> list[Assignment]:
    """One value for each parameter, of a sentence whose values hold side by side in one job."""
    firsts: dict[Parameter | None, Assignment] = {}
    for assignment in read:
        firsts.setdefault(assignment.parameter, assignment)
    return [replace(first, values=first.values[:1], varied=False, bounds=None) for first in firsts.values()]


def trials(varied: Sequence[tuple[Parameter, Sequence[Value]]]) -> list[Trial]:
    """One trial per point of the grid of values, the last parameter fastest, cut at `MAX_TRIALS`."""
    names = [parameter.name for parameter, _ in varied]
    points = product(*(values for _, values in varied))
    return [dict(zip(names, point, strict=True)) for point in islice(points, MAX_TRIALS)]
