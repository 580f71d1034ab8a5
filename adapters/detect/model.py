"""The probability of each pattern: a linear model over n-grams and over what the rules read.

The weights (`weights.txt`) are trained by ``benchmarks/detect.py`` from the labelled requests: one line a feature, with
one signed byte a pattern in base 85. Scoring is a sum over the features that are there.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from wpfsm.adapters.detect.findings import Pattern

FACT = 2.0
"""How much more a feature of the rules counts than one of the words."""

WEIGHTS = Path(__file__).with_name("weights.txt")


@dataclass(frozen=True)
class Model:
    """A trained model.

    Attributes:
        patterns: the patterns, in the order of the weights behind the first, which is for any candidate.
        bias: of the candidate and of each pattern.
        scales: what one step of a weight is worth: of the candidate's, of a pattern's.
        sharpness: what the candidate's score is multiplied with, so that its probability is calibrated.
        yes: the probability from which on a request is told to be a candidate.
        no: the probability below which a reason in the text suffices to decline.
        weights: of each feature, as written.
    """

    patterns: tuple[Pattern, ...]
    bias: tuple[float, ...]
    scales: tuple[float, float]
    sharpness: float
    yes: float
    no: float
    weights: dict[str, str]


@dataclass(frozen=True)
class Verdict:
    """What the model says of a request.

    Attributes:
        probability: that it is a candidate.
        pattern: the likeliest pattern of a candidate.
        words: the features that speak loudest for a candidate (or, of an unlikely one, against it).
    """

    probability: float
    pattern: Pattern
    words: tuple[str, ...]


@cache
def load() -> Model:
    """The model of this release."""
    head, _, lines = WEIGHTS.read_text(encoding="utf-8").partition("\n")
    names, bias, numbers = head.split(" | ")
    first, rest, sharpness, yes, no = map(float, numbers.split())
    cells = lines.rstrip("\n").replace("\n", "\t").split("\t")
    weights = dict(zip(cells[::2], cells[1::2], strict=True))
    return Model(
        tuple(map(Pattern, names.split())),
        tuple(map(float, bias.split())),
        (first, rest),
        sharpness,
        yes,
        no,
        weights,
    )


def encode(weights: Iterable[int]) -> str:
    """Signed bytes as text."""
    return base64.b85encode(bytes(weight & 0xFF for weight in weights)).decode()


def judge(features: Iterable[str]) -> Verdict:
    """Score the features of a request."""
    model = load()
    found = [(name, model.weights[name]) for name in features if name in model.weights]
    length = math.sqrt(sum(FACT**2 if name.startswith("r:") else 1.0 for name, _ in found)) or 1.0
    sums = [0.0] * (len(model.patterns) + 1)
    loud: list[tuple[int, str]] = []
    for name, written in found:
        row = [byte - 256 if byte > 127 else byte for byte in base64.b85decode(written)]
        worth = FACT if name.startswith("r:") else 1.0
        sums = [total + weight * worth for total, weight in zip(sums, row, strict=True)]
        if name.startswith("w:"):
            loud.append((row[0], name))
    scores = [
        bias + total * model.scales[n > 0] / length
        for n, (bias, total) in enumerate(zip(model.bias, sums, strict=True))
    ]
    probability = 1 / (1 + math.exp(-max(-30.0, min(30.0, model.sharpness * scores[0]))))
    best = max(range(len(model.patterns)), key=lambda n: scores[n + 1])
    loud.sort(key=lambda each: (-each[0], each[1]))
    words = loud if probability >= 0.5 else loud[::-1]
    return Verdict(probability, model.patterns[best], tuple(name for _, name in words[:24]))
