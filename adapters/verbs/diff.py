"""``diff``: what the loop changed of the source, as a diff against the user's own files.

Patches are made on the loop's snapshots; the user's files are written by ``diff --apply`` alone, and only
while each that is to be written is what the loop was given. One that is as the loop has it already is left
alone, so that an interrupted ``--apply`` may be run again.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from wpfsm.adapters.aws.targets import history_of, sources_of
from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.documents.rows import best_of, section
from wpfsm.adapters.host.sources import LocalSources
from wpfsm.adapters.terminal.output import Options, emit, hint
from wpfsm.adapters.verbs.loop_name import named
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.records import JSON, Job, Loop, Trial
from wpfsm.state.database import explained


@dataclass(frozen=True)
class _Folder:
    """One source folder of the user's.

    Attributes:
        name: As the loop file writes it.
        path: Where it is.
        given: Digest of the newest snapshot that the user made: at the start, or by an edit in a hand-off.
        patched: Digest of the newest snapshot of the loop, or of its best trial's.
        proposed: Digests of the folders that were proposed to an open loop.
    """

    name: str
    path: Path
    given: str
    patched: str
    proposed: tuple[str, ...] = ()


def diff(given: Options, which: str, *, apply: bool, best: bool = False) -> int:
    """Print the loop's patches; with ``apply`` write them into the user's files.

    Args:
        given: The options of every verb.
        which: The loop.
        apply: Write.
        best: The source of the best trial, in the place of the newest one's.

    Raises:
        Refused: A file to be written holds what no trial of the loop had, or the loop has no best trial.
    """
    with explained(given.database):
        history = history_of(given)
        loop = named(history, which)
        jobs, trials = history.jobs(loop.id), history.trials(loop.id)
        proposed = [p.source_digest for p in history.proposals(loop.id) if p.source_digest]
    base = Path(loop.loop_path).parent if loop.loop_path else Path.cwd()
    sources = sources_of(given, loop)
    folders = list(_best_folder(base, loop, jobs, trials) if best else _folders(base, loop, jobs, trials))
    folders = [replace(folder, proposed=tuple(proposed)) for folder in folders]
    text = "".join(_unified(sources, folder) for folder in folders)
    changed = any(_changed(sources, folder) for folder in folders)
    files = [str(folder.path / name) for folder in folders for name in _pending(sources, folder)]
    written: list[str] = []
    if apply:
        _refuse_changed([place for folder in folders for place in _foreign(sources, folder)], loop)
        written = [str(place) for folder in folders for place in _apply(sources, folder)]
    document: dict[str, JSON] = {
        "schema": SCHEMA,
        "loop": {"id": loop.id},
        "diff": text,
        "files": files,
        "applied": apply,
    }
    if not changed:
        hint("the loop has not patched the source")
    elif not files and not apply:
        hint("your files are already as the loop has them")
    elif apply:
        hint(f"wrote {', '.join(written)}" if written else "your files are already as the loop has them")
    if text or given.output != "human":
        emit(given, document, text.rstrip("\n"))
    return 0


def _folders(base: Path, loop: Loop, jobs: Sequence[Job], trials: Sequence[Trial]) -> Iterator[_Folder]:
    """Each source folder that the loop used, with what became of it."""
    own = str(section(loop, "job").get("source") or "")
    by_number = {trial.number: trial for trial in trials}
    for name in dict.fromkeys(trial.source or own for trial in trials):
        if not name:
            continue
        mine = [job for job in jobs if (by_number[job.trial].source or own) == name]
        newest = [trial.source_digest for trial in trials if (trial.source or own) == name]
        edits = [job.patch.given for job in mine if job.patch and job.patch.given]
        first = mine[0].source_digest if mine else newest[0]
        yield _Folder(name, (base / name).resolve(), edits[-1] if edits else first, newest[-1])


def _best_folder(base: Path, loop: Loop, jobs: Sequence[Job], trials: Sequence[Trial]) -> Iterator[_Folder]:
    """The folder of the best trial, with its source."""
    best = best_of(loop, trials)
    if best is None:
        raise Refused(
            f"loop {loop.id} has no best trial", fix=f"wpfsm diff {loop.id} shows the newest source"
        )
    name = best.source or str(section(loop, "job").get("source") or "")
    for folder in _folders(base, loop, jobs, trials):
        if folder.name == name:
            yield replace(folder, patched=best.source_digest)


def _changed(sources: LocalSources, folder: _Folder) -> list[str]:
    """Files of the user's that the loop has otherwise: than it was given, or than what was proposed to it."""
    after = sources.files(folder.patched)
    versions = [sources.files(digest) for digest in (folder.given, *folder.proposed)]
    names = {name for files in versions for name in files} | after.keys()
    return sorted(name for name in names if any(files.get(name) != after.get(name) for files in versions))


def _pending(sources: LocalSources, folder: _Folder) -> list[str]:
    """Those that are not in the user's folder yet as the loop has them."""
    after = sources.files(folder.patched)
    return [name for name in _changed(sources, folder) if _present(folder.path / name) != after.get(name)]


def _unified(sources: LocalSources, folder: _Folder) -> str:
    """As ``git diff`` writes it, so that ``patch -p1`` beside the loop file takes it."""
    before, after = dict(sources.files(folder.given)), sources.files(folder.patched)
    for name in _pending(sources, folder) if folder.proposed else ():
        if (text := _present(folder.path / name)) is not None:
            before[name] = (
                text  # an open loop was given one folder after the other: the present one is what counts
            )
    return "".join(
        line for name in _pending(sources, folder) for line in _file_diff(folder.name, name, before, after)
    )


def _file_diff(folder: str, name: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    place = f"{folder.rstrip('/')}/{name}"
    for line in difflib.unified_diff(
        before.get(name, "").splitlines(keepends=True),
        after.get(name, "").splitlines(keepends=True),
        f"a/{place}" if name in before else "/dev/null",
        f"b/{place}" if name in after else "/dev/null",
    ):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _foreign(sources: LocalSources, folder: _Folder) -> Iterator[Path]:
    """The files to be written that are neither as the loop was given them nor as it has them."""
    known = [sources.files(digest) for digest in (folder.given, folder.patched, *folder.proposed)]
    for name in _changed(sources, folder):
        if _present(folder.path / name) not in [files.get(name) for files in known]:
            yield folder.path / name


def _refuse_changed(foreign: Sequence[Path], loop: Loop) -> None:
    """Refuse to write over what the user changed since the loop read it."""
    if not foreign:
        return
    changed = [str(place) for place in foreign if place.exists()]
    gone = [str(place) for place in foreign if not place.exists()]
    said = [f"changed since the loop read it: {', '.join(changed)}"] if changed else []
    said += [f"gone: {', '.join(gone)}"] if gone else []
    raise Refused(
        f"{'; '.join(said)}; nothing was written",
        fix=f"wpfsm diff {loop.id} > loop.diff, then apply it by hand: patch -p1 < loop.diff",
    )


def _present(place: Path) -> str | None:
    """The text of a file of the user's, line ends as in a snapshot's; None where there is no file."""
    return place.read_text(encoding="utf-8", errors="surrogateescape") if place.is_file() else None


def _apply(sources: LocalSources, folder: _Folder) -> Iterator[Path]:
    """Write the changed files, one by one; those written, or removed, as they are."""
    after = sources.files(folder.patched)
    for name in _changed(sources, folder):
        place = folder.path / name
        if _present(place) == after.get(name):
            continue
        if name not in after:
            place.unlink(missing_ok=True)
            yield place
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        scratch = place.with_name(f".{place.name}.wpfsm")
        scratch.write_text(after[name], encoding="utf-8")
        if place.exists():
            scratch.chmod(place.stat().st_mode)
        scratch.replace(place)
        yield place
