"""A script that keeps no checkpoint where the loop counts on one: the next job would begin from nothing."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.records import JSON
from wpfsm.fsm.source_checks.execution import Source
from wpfsm.fsm.source_checks.finding import SourceFinding
from wpfsm.fsm.strategies.until import UntilConfig

Need: TypeAlias = Literal["", "carried", "grows"]
"""Why a loop counts on a checkpoint: each job continues the one before; its trials differ by their epochs alone."""

_PLACES = re.compile(
    r"WPFSM_CHECKPOINT_DIR|warmpoolcache|SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY|/opt/ml/checkpoints"
    r"|SM_CHECKPOINT|checkpoint[_-]?(?:dir|path|folder)|ckpt[_-]?(?:dir|path)|resume|HF_HOME|TORCH_HOME",
    re.IGNORECASE,
)
_TEXTS = (".py", ".sh", ".yaml", ".yml", ".json", ".toml")
_LENGTHS = re.compile(r"(?:num_(?:train_)?|max_|n_|total_)?(?:epochs?|steps|iterations|iters|train_steps)$")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_WRITING = re.compile(
    r"sav(?:e|es|er|ez|etxt|ing)|dump|writ(?:e|es|er|elines|erow)|checkpoint(?:s|er)?|ckpt|export|persist|snapshot"
    r"|serialize|copyfile|copytree|copy2?|move|rename|upload|tofile|trainer|memmap|backup|executor",
    re.IGNORECASE,
)
_WRITES_A_TABLE = re.compile(r"to_(?:csv|json|pickle|parquet|feather|hdf|excel|disk|file|zarr)$")
_READS = re.compile(
    r"(?:load|restore|read|latest|find|get|has|list|is|exists|resume|copy$|deepcopy)", re.IGNORECASE
)
_ONLY_SHOW = re.compile(
    r"SummaryWriter$|std(?:out|err)\.write$|tqdm\.write$|checkpoint_sequential$|\bcheckpoint\.checkpoint$"
)
_WRITE_WHEN_TOLD = re.compile(
    r"torch(?:vision|audio|metrics)?|numpy|scipy|pandas|sklearn|tensorflow|tensorboard|keras|tf_keras|jax|jaxlib|flax"
    r"|optax|xgboost|lightgbm|catboost|transformers|datasets|evaluate|tokenizers|peft|accelerate|safetensors"
    r"|bitsandbytes|sentencepiece|einops|timm|tqdm|yaml|PIL|cv2|matplotlib|seaborn|joblib|nltk|boto3"
)
"""Libraries that write a file only in a call whose name says so."""
_RUN_ANYTHING = frozenset({"subprocess", "runpy", "importlib", "multiprocessing", "pty"})


def need_of(file: LoopFile) -> Need:
    """Whether a loop file counts on a checkpoint.

    Trials of ``until`` that differ by a growing number of epochs read as "train it longer": without a checkpoint each of
    them pays the epochs of the one before again. ``carry_checkpoint: false`` says that this is meant.
    """
    untils = [phase for phase in file.phases if isinstance(phase, UntilConfig)]
    if any(u.propose is None if u.carry_checkpoint is None else u.carry_checkpoint for u in untils):
        return "carried"
    grow = any(
        isinstance(u.propose, list) and u.carry_checkpoint is None and _grows(u.propose) for u in untils
    )
    return "grows" if grow else ""


def given_texts(file: LoopFile) -> Sequence[str]:
    """What a loop file hands to the script: a place may be named there instead of in the source."""
    hyperparameters = [f"{name}={value}" for name, value in file.job.hyperparameters.items()]
    return [*hyperparameters, *(f"{name}={value}" for name, value in file.job.environment.items())]


def lost_checkpoint(source: Source, need: Need, given: Sequence[str] = ()) -> Iterator[SourceFinding]:
    """What is said when the source names no place in which a checkpoint outlives its job, or writes nothing at all.

    Args:
        source: The source.
        need: Why a checkpoint is counted on.
        given: Texts that the loop file hands to the script.
    """
    if not need or source.entry not in source.files:
        return
    texts = [source.files[name] for name in source.files if name.endswith(_TEXTS)]
    writes_nothing = _writes_nothing(source)
    if need == "grows":
        if writes_nothing:
            yield SourceFinding(
                "checkpoint",
                "the trials differ by growing epochs alone, and the source writes no model and no checkpoint: each "
                "trains from the start",
                source.entry,
                1,
                "keep a checkpoint in the folder that the variable WPFSM_CHECKPOINT_DIR names and set "
                "strategy.carry_checkpoint: true, or set it to false if each is to train from the start",
            )
    elif not any(map(_PLACES.search, [*texts, *given])):
        yield _finding(source, "the source reads no WPFSM_CHECKPOINT_DIR")
    elif writes_nothing:
        yield _finding(source, "the source writes no model and no checkpoint")


def _finding(source: Source, what: str) -> SourceFinding:
    return SourceFinding(
        "checkpoint",
        f"each job is to continue from the checkpoint of the one before, and {what}",
        source.entry,
        1,
        "write and read the checkpoint in the folder that the variable WPFSM_CHECKPOINT_DIR names, "
        "or set strategy.carry_checkpoint: false and propose trials",
    )


def _grows(trials: Sequence[Mapping[str, JSON]]) -> bool:
    """Whether one length of training grows from trial to trial, and nothing else differs."""
    names = set[str]().union(*trials)
    differ = [name for name in names if any(trial.get(name) != trials[0].get(name) for trial in trials)]
    if len(trials) < 2 or len(differ) != 1 or not _LENGTHS.match(differ[0].replace("-", "_").lower()):
        return False
    values = [trial.get(differ[0]) for trial in trials]
    numbers = [value for value in values if isinstance(value, int | float)]
    return len(numbers) == len(values) and all(a < b for a, b in pairwise(numbers))


def _writes_nothing(source: Source) -> bool:
    """Whether no Python file of the source has a call that could write; False where that cannot be known."""
    if not source.entry.endswith(".py") or any(
        name.endswith((".py", ".sh")) and name not in source.trees for name in source.files
    ):
        return False
    nodes = [node for tree in source.trees.values() for node in ast.walk(tree)]
    return not any(_may_write(node, source) for node in nodes)


def _may_write(node: ast.AST, source: Source) -> bool:
    match node:
        case ast.Import(names=names):
            return any(_is_unknown(alias.name, source) for alias in names)
        case ast.ImportFrom(module=module, level=0):
            return _is_unknown(module or "", source)
        case ast.Call(func=function):
            called = ast.unparse(function)
            name = called.split(".")[-1]
            if _ONLY_SHOW.search(called):
                return False
            if name == "open":
                return _opens_for_writing(node, method="." in called)
            starts = re.search(
                r"\bos\.(?:system|exec|spawn|popen|replace|link|symlink)|^(?:exec|eval|getattr)$", called
            )
            says_so = _WRITES_A_TABLE.match(name) or any(map(_WRITING.fullmatch, _WORD.findall(name)))
            return bool(starts) or bool(says_so and not _READS.match(name))
        case _:
            return False


def _is_unknown(module: str, source: Source) -> bool:
    """Whether a module may write by itself: a library with a training loop of its own, or one that nobody here knows."""
    top = module.partition(".")[0]
    if top in _RUN_ANYTHING:
        return True
    known = top in sys.stdlib_module_names or _WRITE_WHEN_TOLD.fullmatch(top) or source.is_own(module)
    return not known


def _opens_for_writing(call: ast.Call, *, method: bool) -> bool:
    """Whether an ``open`` may write; reads when no mode is given.

    Args:
        call: The call.
        method: It is a method (``path.open("w")``), whose first argument is the mode.
    """
    place = 0 if method else 1
    modes = [k.value for k in call.keywords if k.arg == "mode"] or call.args[place : place + 1]
    if not modes:
        return False
    mode = modes[0]
    if not (isinstance(mode, ast.Constant) and isinstance(mode.value, str)):
        return True
    if method and not re.fullmatch(
        r"[rwaxbt+]+", mode.value
    ):  # io.open, gzip.open, codecs.open: a name comes first
        return _opens_for_writing(call, method=False)
    return bool(set(mode.value) & set("wax+"))
