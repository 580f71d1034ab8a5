"""``diff``: what the loop changed of the source, as a diff against the user's own files.

Patches are made on the loop's snapshots; the user's files are written by ``diff --apply`` alone, and only
while each that is to be written is what the loop was given. One that is as the loop has it already is left
alone, so that an interrupted ``--apply`` may be run again.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wpfsm.adapters.documents.rows import SCHEMA, section
from wpfsm.adapters.host.sources import LocalSources
from wpfsm.adapters.terminal.output import Options, emit, hint
from wpfsm.adapters.verbs.naming import named
from wpfsm.fsm.errors import Refused
from wpfsm.fsm.records import JSON, Job, Loop, Trial
from wpfsm.state.database import explained, open_existing, siblings
from wpfsm.state.history import History


@dataclass(frozen=True)
class _Folder:
    """One source folder of the user's.

    Attributes:
        name: As the loop file writes it.
        path: Where it is.
        given: Digest of the newest snapshot that the user made: at the start, or by an edit in a hand-off.
        patched: Digest of the newest snapshot of the loop.
    """

    name: str
    path: Path
    given: str
    patched: str


def diff(given: Options, which: str, *, apply: bool) -> int:
    """Print the loop's patches; with ``apply`` write them into the user's files."""
    with explained(given.database):
        history = History(open_existing(given.database))
        loop = named(history, which)
        jobs, trials = history.jobs(loop.id), history.trials(loop.id)
    base = Path(loop.loop_path).parent if loop.loop_path else Path.cwd()
    sources = LocalSources(siblings(given.database, "sources"), base)
    folders = list(_folders(base, loop, jobs, trials))
    text = "".join(_unified(sources, folder) for folder in folders)
    files = [str(folder.path / name) for folder in folders for name in _changed(sources, folder)]
    written: list[str] = []
    if apply:
        _refuse_changed([place for folder in folders for place in _foreign(sources, folder)], loop)
        written = [str(place) for folder in folders for place in _apply(sources, folder)]
    document: dict[str, JSON] = {
        "schema": SCHEMA, "loop": {"id": loop.id}, "diff": text, "files": files, "applied": apply
    }  # fmt: skip
    if not files:
        hint("the loop has not patched the source")
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


def _changed(sources: LocalSources, folder: _Folder) -> list[str]:
    before, after = sources.files(folder.given), sources.files(folder.patched)
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _unified(sources: LocalSources, folder: _Folder) -> str:
    """As ``git diff`` writes it, so that ``patch -p1`` beside the loop file takes it."""
    before, after = sources.files(folder.given), sources.files(folder.patched)
    return "".join(
        line for name in _changed(sources, folder) for line in _file_diff(folder.name, name, before, after)
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
    before, after = sources.files(folder.given), sources.files(folder.patched)
    for name in _changed(sources, folder):
        if _present(folder.path / name) not in (before.get(name), after.get(name)):
            yield folder.path / name


def _refuse_changed(foreign: Sequence[Path], loop: Loop) -> None:
    """Refuse to write over what the user changed since the loop read it."""
    if not foreign:
        return
    changed = [str(place) for place in foreign if place.exists()]
    gone = [str(place) for place in foreign if not place.exists()]
    said = [f"changed since the loop read it: {', '.join(changed)}"] if changed else []
    said += [f"gone: {', '.join(gone)}"] if gone else []
    raise Refused(f"{'; '.join(said)}; nothing was written",
                  fix=f"wpfsm diff {loop.id} > loop.diff, then apply it by hand: patch -p1 < loop.diff")  # fmt: skip


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
