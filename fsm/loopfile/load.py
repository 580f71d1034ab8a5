"""Reads a loop file, and turns what is wrong with it into line, key and fix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from wpfsm.fsm.errors import MissingExtra, UsageError
from wpfsm.fsm.loopfile.files import missing_files
from wpfsm.fsm.loopfile.model import LoopFile, check_hyperparameters
from wpfsm.fsm.loopfile.problems import Problem, line_of, problems_of
from wpfsm.fsm.loopfile.structured import with_json_text
from wpfsm.fsm.strategies import Goal, StrategyError
from wpfsm.fsm.strategies.registry import build, missing_extra

_SPOT = "a warm pool cannot be used with managed spot training (developer guide, train-warm-pools); remove it"
_GROUPS = "a warm pool cannot be a heterogeneous cluster; give one pool.instance_type"
_SERVERLESS = "serverless customization has no instances to keep warm; use backend aws with an instance type"
IMPOSSIBLE: Mapping[str, str] = {
    "spot": _SPOT,
    "use_spot": _SPOT,
    "use_spot_instances": _SPOT,
    "managed_spot": _SPOT,
    "enable_managed_spot_training": _SPOT,
    "max_wait": _SPOT,
    "instance_types": _GROUPS,
    "instance_groups": _GROUPS,
    "serverless": _SERVERLESS,
    "serverless_job_config": _SERVERLESS,
}
"""Keys that people try and that the service rules out, with the reason."""


def load(path: Path, overrides: Sequence[str] = (), *, with_files: bool = False) -> LoopFile:
    """Read and validate a loop file.

    Args:
        path: The YAML file.
        overrides: ``key.path=value`` settings that replace what the file says.
        with_files: The source, entry and other files that it names must be there, as before a start.

    Raises:
        UsageError: With every problem found: line, key and fix.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", fix="wpfsm init writes a loop file") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text", fix="wpfsm init writes a loop file") from error
    return parse(content, str(path), overrides, path.parent if with_files else None, beside=path.parent)


def parse(
    content: str,
    origin: str = "loop file",
    overrides: Sequence[str] = (),
    base: Path | None = None,
    *,
    beside: Path | None = None,
) -> LoopFile:
    """As :func:`load`, from text; with ``base``, the files that it names must be there.

    ``beside`` is the folder in which its script is looked for, to see which options the script reads as JSON.
    """
    tree = _tree(content, origin)
    for override in overrides:
        _override(tree, override)
    plain = _written_out(tree, origin)
    plain = with_json_text(plain, beside) if beside else plain
    problems = list(_impossible(tree))
    try:
        loop_file = LoopFile.model_validate(plain)
    except ValidationError as error:
        known = {problem.key for problem in problems}
        problems += [problem for problem in problems_of(tree, error.errors()) if problem.key not in known]
    else:
        problems += _strategy_problems(tree, loop_file)
        problems += missing_files(loop_file, base, tree) if base else ()
        if not problems:
            return loop_file
    problems.sort(key=lambda problem: problem.line or 0)
    raise UsageError("\n".join(_said(problem, origin, overrides) for problem in problems), fix=_fix(origin))


def _said(problem: Problem, origin: str, overrides: Sequence[str]) -> str:
    """The problem where its user wrote it: in the file, or on the command line."""
    for override in reversed(overrides):
        key = override.partition("=")[0].strip()
        if f"{problem.key}.".startswith(f"{key}."):
            inner = "" if problem.key == key else f"{problem.key}: "
            return f"--set {override}: {inner}{problem.text}"
    return f"{origin}: {problem}"


def _fix(origin: str) -> str:
    return f"correct it, then wpfsm plan {origin}"


def _strategy_problems(tree: CommentedMap, loop_file: LoopFile) -> list[Problem]:
    """What only the strategy itself can tell: a metric it needs, a target it cannot read, an empty grid."""
    metric = loop_file.metric
    goal = Goal(metric.name, metric.goal) if metric else None
    try:
        strategy = build(loop_file.strategy, goal, loop_file.job.hyperparameters)
        # Without its extra a strategy proposes nothing; that is a finding of its own.
        for proposal in () if missing_extra(loop_file.strategy) else strategy.preview():
            check_hyperparameters(proposal.params)
    except MissingExtra:
        return []  # nothing is wrong with the file; Preflight refuses, with the command that installs it
    except (StrategyError, ValueError) as error:
        return [Problem(line_of(tree, "strategy"), "strategy", str(error))]
    return []


def _tree(content: str, origin: str) -> CommentedMap:
    try:
        tree = YAML(typ="rt").load(content)
    except RecursionError as error:
        raise UsageError(f"{origin}: nested too deeply", fix=_fix(origin)) from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problem = Problem(line, "", f"not valid YAML: {error.problem or error.context}")
        raise UsageError(f"{origin}: {problem}", fix=_fix(origin)) from error
    except YAMLError as error:
        raise UsageError(f"{origin}: not valid YAML: {error}", fix=_fix(origin)) from error
    if not isinstance(tree, CommentedMap):
        raise UsageError(
            f"{origin}: a loop file is a mapping (version:, name:, pool:, job:, ...)",
            fix="wpfsm init writes one",
        )
    return tree


MOST_VALUES = 20_000
"""Values of a loop file once its aliases are written out; far beyond the largest sweep that anybody could pay."""


class _TooMany(Exception):
    """The file is larger than any loop file, once its aliases are written out."""


def _plain(node: object, left: list[int] | None = None) -> object:
    """The tree without ruamel's types, so that pydantic and JSON see builtins.

    Raises:
        _TooMany: Aliases of aliases, nine lines of which can stand for a billion values.
        RecursionError: An alias inside what it names.
    """
    left = [MOST_VALUES] if left is None else left
    left[0] -= 1
    if left[0] < 0:
        raise _TooMany
    if isinstance(node, Mapping):
        return {str(key): _plain(value, left) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value, left) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _written_out(tree: CommentedMap, origin: str) -> object:
    try:
        return _plain(tree)
    except _TooMany as error:
        raise UsageError(
            f"{origin}: it stands for more than {MOST_VALUES} values; its aliases (&name, *name) are written out",
            fix="write the values without aliases of aliases",
        ) from error
    except RecursionError as error:
        raise UsageError(
            f"{origin}: an alias (*name) stands inside what it names, or it is nested too deeply",
            fix=_fix(origin),
        ) from error


def _override(tree: CommentedMap, override: str) -> None:
    path, separator, value = override.partition("=")
    if not separator or not path:
        raise UsageError(
            f"--set {override}: not of the form key=value", fix="--set job.hyperparameters.lr=1e-4"
        )
    node: CommentedMap | CommentedSeq = tree
    *parents, last = path.strip().split(".")
    for parent in parents:
        node = _step(node, parent, override)
    try:
        node[_index(node, last, override)] = YAML(typ="safe").load(value)
    except YAMLError as error:
        raise UsageError(f"--set {override}: the value is not valid YAML", fix="quote it") from error


def _step(node: CommentedMap | CommentedSeq, part: str, override: str) -> CommentedMap | CommentedSeq:
    """One step down a path, into a mapping (made where there is none) or an element of a list."""
    key = _index(node, part, override)
    child: object = node.setdefault(key, CommentedMap()) if isinstance(node, CommentedMap) else node[key]
    if not isinstance(child, CommentedMap | CommentedSeq):
        raise UsageError(f"--set {override}: {part} is not a mapping", fix="name a key of the loop file")
    return child


def _index(node: CommentedMap | CommentedSeq, part: str, override: str) -> str | int:
    if isinstance(node, CommentedMap):
        return part
    if part.isdecimal() and int(part) < len(node):
        return int(part)
    raise UsageError(f"--set {override}: {part} is no element of the list", fix=f"0 to {len(node) - 1}")


def _impossible(tree: CommentedMap) -> Iterable[Problem]:
    pool = tree.get("pool")
    places: list[tuple[str, object]] = [("", tree), ("pool", pool), ("job", tree.get("job"))]
    for place, node in places:
        if not isinstance(node, CommentedMap):
            continue
        for key in node:
            if reason := IMPOSSIBLE.get(str(key)):
                yield Problem(line_of(node, key), f"{place}.{key}".lstrip("."), reason)
    if isinstance(pool, CommentedMap) and isinstance(pool.get("instance_type"), list):
        yield Problem(line_of(pool, "instance_type"), "pool.instance_type", _GROUPS)
