"""A shorter run: half the epochs, or half the steps where those bound it."""

from __future__ import annotations

from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.patches.base import Material, Patch, Scalar, key_of
from wpfsm.fsm.patches.hyperparameters import accepted, apply_set, as_number, find, summary

KIND = "shorten"

STEP_NAMES = (
    "max_steps",
    "max_train_steps",
    "total_steps",
    "num_train_steps",
    "num_steps",
    "max_iter",
    "max_iters",
    "iterations",
    "num_iterations",
    "max_updates",
    "steps",
    "n_steps",
)
EPOCH_NAMES = (
    "num_train_epochs",
    "num_epochs",
    "max_epochs",
    "epochs",
    "n_epochs",
    "epoch",
    "num_round",
    "num_rounds",
    "num_boost_round",
    "n_estimators",
    "rounds",
)


def propose(diagnosis: Diagnosis, material: Material) -> Patch | str:
    """Half as long a run, or why the run cannot be made shorter."""
    given = material.hyperparameters
    wanted = material.options.get("set")
    values = apply_set(given, wanted) if wanted else _half_as_long(material)
    if not values:
        return "no number of epochs or steps above 1 is among the hyperparameters or the script's options"
    patch = Patch(KIND, summary(values, given), values, key=key_of(KIND, values))
    return "this was tried against this failure before" if material.tried(diagnosis, patch.key) else patch


def _half_as_long(material: Material) -> dict[str, Scalar]:
    """Steps bound a run before epochs do; a whole number stays whole and at least 1, an epoch may be a fraction."""
    declared = {name: value for name, value in accepted(material.files).items() if value is not None}
    known = {**declared, **material.hyperparameters}
    for names in (STEP_NAMES, EPOCH_NAMES):
        name = find(names, known)
        length = as_number(known[name]) if name else None
        if name and length and length > 0:  # max_steps: -1 means "not bounded by steps"
            half = length / 2 if isinstance(length, float) else length // 2
            return {name: half} if half > 0 else {}
    return {}
