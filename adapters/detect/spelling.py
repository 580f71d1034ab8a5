"""Slips of the keyboard in the words that matter: "learnig rate", "bacth size", "dropuot", "weigth decay".

A word is mended when one slip (a letter too many, too few, wrong, or two that changed places) makes it one of a
short list of long words; what the grammar knows as it stands is never touched.
"""

from __future__ import annotations

from functools import cache

_WORDS = [
    "learning",
    "learnrate",
    "batch",
    "batches",
    "batchsize",
    "dropout",
    "weight",
    "warmup",
    "momentum",
    "optimizer",
    "optimizers",
    "scheduler",
    "schedulers",
    "sequence",
    "gradient",
    "checkpointing",
    "accumulation",
    "precision",
    "epochs",
    "accuracy",
    "perplexity",
    "validation",
    "baseline",
    "ablation",
    "ablate",
    "without",
    "compare",
    "hyperparameter",
    "hyperparameters",
    "parameters",
    "combination",
    "combinations",
    "retrain",
    "training",
    "finetune",
    "upgrade",
    "downgrade",
    "transformers",
    "requirements",
    "dependency",
    "dependencies",
    "instances",
    "inference",
]
_OTHER_WORDS = frozenset(
    ["retain", "refrain", "restrain", "weigh", "weighty", "leaning", "prevision", "conference", "bathes"]
)
"""English words that lie one slip away from one of the above."""
_ENDINGS = frozenset({"d", "s", "r"})
_SHORTEST = 5
"""Shorter words have too many neighbours."""


@cache
def corrected(word: str) -> str:
    """The word that was meant, or the word itself."""
    if len(word) < _SHORTEST or not word.isalpha() or word in _WORDS or word in _OTHER_WORDS:
        return word
    near = [
        meant
        for meant in _WORDS
        if word[0] == meant[0] and not _inflected(word, meant) and _one_slip(word, meant)
    ]
    return near[0] if len(near) == 1 else word


def _inflected(word: str, meant: str) -> bool:
    """Whether a word is another form and no slip: "compared" tells, and does not ask."""
    return word[:-1] == meant and word[-1] in _ENDINGS


def _one_slip(word: str, meant: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours turns one word into the other."""
    if abs(len(word) - len(meant)) > 1:
        return False
    same = next(
        (n for n, (a, b) in enumerate(zip(word, meant, strict=False)) if a != b), min(len(word), len(meant))
    )
    left, right = word[same:], meant[same:]
    swapped = left[:2] == right[1::-1] and len(left) > 1 and left[2:] == right[2:]
    return swapped or left[1:] == right[1:] or left[1:] == right or left == right[1:]
