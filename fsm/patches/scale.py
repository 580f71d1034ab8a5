"""Less memory for the same training: half the batch, twice the accumulation, checkpointed activations."""

from __future__ import annotations

import math
from collections.abc import Mapping

from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.patches.base import Material, Patch, Scalar, key_of
from wpfsm.fsm.patches.hyperparameters import accepted, apply_set, as_number, find, summary

KIND = "scale"

BATCH_NAMES = (
    "train_micro_batch_size_per_gpu",
    "micro_batch_size",
    "micro_batch_size_per_gpu",
    "per_device_train_batch_size",
    "per_device_batch_size",
    "per_gpu_train_batch_size",
    "per_gpu_batch_size",
    "batch_size_per_device",
    "batch_size_per_gpu",
    "device_batch_size",
    "train_batch_size",
    "batch_size_train",
    "training_batch_size",
    "batch_size",
    "batchsize",
    "mini_batch_size",
    "minibatch_size",
    "batch",
    "bsz",
    "bs",
)
"""Usual names, the ones that mean "per accelerator" first: memory depends on those."""

ACCUMULATION_NAMES = (
    "gradient_accumulation_steps",
    "grad_accumulation_steps",
    "accumulate_grad_batches",
    "gradient_accumulation",
    "grad_accum_steps",
    "grad_accum",
    "accumulation_steps",
    "accum_iter",
    "accum_steps",
    "update_freq",
)
CHECKPOINTING_NAMES = (
    "gradient_checkpointing",
    "use_gradient_checkpointing",
    "activation_checkpointing",
    "grad_checkpointing",
    "grad_checkpoint",
    "checkpoint_activations",
    "enable_gradient_checkpointing",
)
WORKER_NAMES = ("dataloader_num_workers", "num_workers", "workers", "data_workers", "num_data_workers")

_ON = ("true", "1", "yes", "on")


def propose(diagnosis: Diagnosis, material: Material) -> Patch | str:
    """The next smaller configuration that was not tried against this bug, or why there is none."""
    if material.options.get("set"):
        values = apply_set(material.hyperparameters, material.options["set"])
        reason = "what the row sets is already so"
    elif diagnosis.stuck:
        return diagnosis.stuck
    else:
        values = _smaller(diagnosis, material)
        reason = "no batch size above 1 is among the hyperparameters or the script's options"
    if not values:
        return reason
    patch = Patch(KIND, summary(values, material.hyperparameters), values, key=key_of(KIND, values))
    return "this was tried against this failure before" if material.tried(diagnosis, patch.key) else patch


def _smaller(diagnosis: Diagnosis, material: Material) -> dict[str, Scalar]:
    """Half the batch and its accumulation; fewer workers for host memory; checkpointing for the accelerator's."""
    declared = accepted(material.files)
    known = {**{k: v for k, v in declared.items() if v is not None}, **material.hyperparameters}
    if diagnosis.details.get("shared_memory") and (fewer := _fewer_workers(known)):
        return fewer
    values: dict[str, Scalar] = _half_batch(known)
    if diagnosis.class_ == "host_oom":
        values |= _fewer_workers(known)
    else:
        values |= _checkpointing({**declared, **material.hyperparameters})
    return values


def _half_batch(known: Mapping[str, Scalar]) -> dict[str, Scalar]:
    name = find(BATCH_NAMES, known)
    size = as_number(known[name]) if name else None
    if name is None or size is None or size < 2:
        return {}
    half = int(size) // 2
    values: dict[str, Scalar] = {name: half}
    steps_name = find(ACCUMULATION_NAMES, known)
    steps = as_number(known[steps_name]) if steps_name else None
    if steps_name and steps is not None and steps >= 1:
        values[steps_name] = math.ceil(int(size) * int(steps) / half)
    return values


def fitted(values: Mapping[str, Scalar], given: Mapping[str, object]) -> dict[str, Scalar]:
    """A smaller batch that fitted in another loop, with the accumulation that keeps *this* one's effective batch.

    Args:
        values: what the past patch set; its names are among ``given``.
        given: the hyperparameters of the failed job.
    """
    batch, steps = find(BATCH_NAMES, values), find(ACCUMULATION_NAMES, values)
    if batch is None or steps is None:
        return dict(values)
    size, count, smaller = as_number(given[batch]), as_number(given[steps]), as_number(values[batch])
    if not (size and count and smaller):
        return dict(values)
    return {**values, steps: math.ceil(size * count / smaller)}


def _fewer_workers(known: Mapping[str, Scalar]) -> dict[str, Scalar]:
    name = find(WORKER_NAMES, known)
    workers = as_number(known[name]) if name else None
    return {name: int(workers) // 2} if name and workers and workers >= 1 else {}


def _checkpointing(known: Mapping[str, Scalar | None]) -> dict[str, Scalar]:
    name = find(CHECKPOINTING_NAMES, known)
    if name is None or str(known[name]).lower() in _ON:
        return {}
    present = known[name]
    return {name: "true" if isinstance(present, str) else True}
