"""The files that a loop file names, looked for before anything is written or asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml.comments import CommentedMap

from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.loopfile.problems import Problem, line_of
from wpfsm.fsm.strategies.recipes import RecipesConfig


def missing_files(loop_file: LoopFile, base: Path, tree: CommentedMap | None = None) -> Iterator[Problem]:
    """What is named and not there: source, entry, requirements, request, and those of each recipe.

    Args:
        loop_file: The loop file, validated.
        base: Its folder; relative names are relative to it.
        tree: The same as it is written, for the lines.
    """
    written_file = tree if tree is not None else CommentedMap()
    job, written = loop_file.job, written_file.get("job")
    if job.request and not (base / job.request).is_file():
        yield Problem(line_of(written, "request"), "job.request", f"there is no file {base / job.request}")
    if job.source:
        yield from _missing_in(base, "job", written, job.source, job.entry, job.requirements)
    for name, folder in local_inputs(loop_file).items():
        if not (base / folder).exists():
            said = f"there is no folder {base / folder}; name the one with the data, or an S3 URI"
            yield Problem(line_of(written, "inputs"), f"job.inputs.{name}", said)
    strategy = written_file.get("strategy", CommentedMap())
    for number, phase in enumerate(loop_file.phases):
        if isinstance(phase, RecipesConfig):
            listed = isinstance(strategy, list)
            place = f"strategy.{number}" if listed else "strategy"
            given = strategy[number] if listed and number < len(strategy) else strategy
            yield from _missing_recipes(base, loop_file, phase, place, given)


def _missing_recipes(
    base: Path, loop_file: LoopFile, config: RecipesConfig, place: str, written: object
) -> Iterator[Problem]:
    recipes = written.get("recipes", []) if isinstance(written, CommentedMap) else []
    for index, recipe in enumerate(config.recipes):
        here = recipes[index] if index < len(recipes) else None
        if recipe.source or recipe.entry:
            source, entry = recipe.source or loop_file.job.source or "", recipe.entry or loop_file.job.entry
            yield from _missing_in(base, f"{place}.recipes.{index}", here, source, entry, None)


def local_inputs(loop_file: LoopFile) -> dict[str, str]:
    """Channel to folder, for those channels whose data the local backend takes from this machine."""
    if loop_file.backend != "local":
        return {}
    return {name: place for name, place in loop_file.job.inputs.items() if "://" not in place}


def _missing_in(
    base: Path, place: str, written: object, source: str, entry: str | None, requirements: str | None
) -> Iterator[Problem]:
    """What a source folder lacks; of a folder that is not there, only that."""
    folder = base / source
    if not folder.is_dir():
        yield Problem(
            line_of(written, "source"),
            f"{place}.source",
            f"there is no folder {folder}; name the one with the training code",
        )
        return
    for key, name in (("entry", entry), ("requirements", requirements)):
        if name and not (folder / name).is_file():
            there = sorted(file.name for file in folder.glob(f"*{Path(name).suffix}") if file.is_file())[:5]
            has = f"; it has {', '.join(there)}" if there else ""
            yield Problem(line_of(written, key), f"{place}.{key}", f"{name} is not in {folder}{has}")
