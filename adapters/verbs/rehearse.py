"""`wpfsm rehearse`: the first trial on this machine, at no cost, patched by the same rules; then what to do."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from wpfsm.adapters.documents import SCHEMA
from wpfsm.adapters.host.sources import LocalSources, text_files
from wpfsm.adapters.terminal.output import Options, emit, hint
from wpfsm.adapters.verbs.drive import drive
from wpfsm.adapters.verbs.resume import finish
from wpfsm.adapters.verbs.start import new_loop
from wpfsm.fsm.errors import MissingExtra, StoreError, UsageError, with_fix
from wpfsm.fsm.loopfile.load import load
from wpfsm.fsm.loopfile.model import LoopFile
from wpfsm.fsm.records import EXIT_CODES, JSON, Job, Outcome, State
from wpfsm.fsm.source_checks.execution import Source
from wpfsm.fsm.source_checks.image_modules import KnownImage, image_of
from wpfsm.fsm.source_checks.rehearsal import rehearsal_of, untested
from wpfsm.fsm.states.preflight.checks import Finding
from wpfsm.state.database import open_existing
from wpfsm.state.history import History
from wpfsm.state.paths import siblings

PLAIN = "wpfsm.local/python:plain"
Verdict = Literal["passed", "patched", "untested", "failed"]

_ASK = (
    "import importlib.util, json, sys;"
    "print(json.dumps([name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]))"
)


@dataclass(frozen=True)
class Rehearsed:
    """What came of a rehearsal.

    Attributes:
        verdict: ``patched`` passed after changes that the user's files do not have yet.
        document: What is printed.
    """

    verdict: Verdict
    document: Mapping[str, JSON]


def rehearse(
    given: Options,
    path: Path,
    overrides: Sequence[str],
    *,
    inputs: Mapping[str, Path],
    python: Path | None,
) -> int:
    """Rehearse a loop file and print what was found; 1 when the trial fails here, and would on the image."""
    rehearsed = run(given, path, overrides, inputs=inputs, python=python)
    emit(given, rehearsed.document, _text(rehearsed.document))
    return 1 if rehearsed.verdict == "failed" else 0


def passes(given: Options, path: Path, overrides: Sequence[str]) -> int:
    """For ``start --rehearse``: 0 when the loop may start, else the exit code, with what was found printed."""
    rehearsed = run(given, path, overrides, inputs={}, python=None)
    if rehearsed.verdict in ("passed", "untested"):
        hint(_text(rehearsed.document))
        return 0
    emit(given, rehearsed.document, _text(rehearsed.document))
    hint(
        "nothing was started: the rehearsal needs the changes above"
        if rehearsed.verdict == "patched"
        else "nothing was started: the rehearsal failed"
    )
    return EXIT_CODES[Outcome.REFUSED]


def channels(words: Sequence[str]) -> Mapping[str, Path]:
    """``--input NAME=FOLDER`` as a mapping.

    Raises:
        UsageError: It has another form, or there is no such folder.
    """
    found: dict[str, Path] = {}
    for word in words:
        name, _, folder = word.partition("=")
        if not name or not Path(folder).is_dir():
            raise UsageError(f"--input {word}: name a channel and a folder", fix="--input train=data/train")
        found[name] = Path(folder)
    return found


def run(
    given: Options,
    path: Path,
    overrides: Sequence[str],
    *,
    inputs: Mapping[str, Path],
    python: Path | None,
) -> Rehearsed:
    """Rehearse a loop file.

    Raises:
        UsageError: The loop file brings its own request, which names no source to rehearse.
    """
    file = load(path, tuple(overrides), with_files=True)
    if file.job.request:
        raise UsageError(
            "rehearse: job.request brings the whole job, and names no source",
            fix="give job.source and job.entry",
        )
    if python is not None and not _interpreter(python).is_file():
        raise UsageError(
            f"--python {python}: there is no Python interpreter", fix="name a virtual environment"
        )
    image = image_of(file.job.image, local=file.backend == "local", python=file.job.python)
    folder = path.parent / str(file.job.source)
    findings = _read(file, folder)
    if absent := _only_in_the_image(file, folder, image, python):
        why = f"{', '.join(absent)} comes with the image, and is not here: --python ENV names an environment that has it"
        return _result(path, "untested", None, [], findings, [why], "")
    with _emulator(given, file, python) as here, contextlib.ExitStack() as cleanup:
        channels = cleanup.enter_context(_uploaded(here, file.region, inputs))
        rehearsal = rehearsal_of(file, channels)
        loop, connection, lease = new_loop(here, path, rehearsal, ())
        hint(f"rehearsal {loop.id}: on this machine, nothing is paid")
        cleanup.callback(_close, here, loop.id)
        drive(here, connection, loop, lease=lease)
        _close(here, loop.id)
        jobs = History(open_existing(given.database)).jobs(loop.id)
        ended = History(open_existing(given.database)).find(loop.id)
    last = jobs[-1] if jobs else None
    diff = _diff(given, path, jobs)
    if last is not None and last.status == "Completed" and last.diagnosis is None:
        verdict: Verdict = "patched" if diff or _changed(jobs) else "passed"
        return _result(path, verdict, loop.id, jobs, findings, _always_untested(file), diff)
    why_not = untested(last.diagnosis, image, file, inputs) if last and last.diagnosis else None
    if why_not:
        return _result(path, "untested", loop.id, jobs, findings, [why_not, *_always_untested(file)], diff)
    return _result(path, "failed", loop.id, jobs, findings, _always_untested(file), diff, ended.why)


def _close(here: Options, loop_id: str) -> None:
    """Close a rehearsal that waits in a hand-off, or that ended in an error: nobody will come back to it."""
    if History(open_existing(here.database)).find(loop_id).state is not State.CLOSED:
        finish(here, loop_id, Outcome.ABANDONED, "a rehearsal waits for nobody")


def _read(file: LoopFile, folder: Path) -> list[Finding]:
    """What the source shows by itself; the installation of a rehearsal asks the index."""
    from wpfsm.fsm.states.preflight.source import examine_source

    return examine_source(file, text_files(folder), str(folder), None)


def _only_in_the_image(file: LoopFile, folder: Path, image: KnownImage, python: Path | None) -> list[str]:
    """Modules that the script surely imports, that the image brings, and that this machine has not."""
    if file.backend == "local" or image.modules is None:
        return []
    source = Source(text_files(folder), str(file.job.entry))
    tops = {one.module.partition(".")[0] for one in source.run.imports}
    from_image = sorted(tops & image.modules - set(sys.stdlib_module_names))
    named = " ".join(text for name, text in source.files.items() if name.endswith(".txt")).lower()
    wanted = [top for top in from_image if top.lower() not in named and not source.is_own(top)]
    if not wanted or python is None:
        return wanted
    answer = subprocess.run(
        [_interpreter(python), "-c", _ASK, *wanted], capture_output=True, text=True, check=False
    )
    missing: list[str] = json.loads(answer.stdout) if answer.returncode == 0 else wanted
    return missing


def _interpreter(python: Path) -> Path:
    return python / "bin" / "python3" if python.is_dir() else python


@contextlib.contextmanager
def _emulator(given: Options, file: LoopFile, python: Path | None) -> Iterator[Options]:
    """An emulator of the rehearsal's own, which starts jobs at once; yields the options that lead to it."""
    try:
        from wpfsm.adapters.emulator.launch import EmulatorStartError, ensure, stop
    except ImportError as error:
        raise MissingExtra("local", "the embedded emulator") from error
    options = ["--cold-start", "0", "--warm-start", "0", "--stop-grace", "5"]
    if python is not None:
        options += ["--image", f"{file.job.image or PLAIN}={python.resolve()}"]
    state = Path(tempfile.mkdtemp(prefix="wpfsm-rehearsal-"))
    try:
        url = ensure(state, options=options).url
        yield replace(given, output="none", endpoint_url=url, shared="")
    except EmulatorStartError as error:
        raise StoreError(f"the embedded emulator did not start: {error}", fix="look at its log") from error
    finally:
        with contextlib.suppress(TimeoutError):
            stop(state)
        shutil.rmtree(state, ignore_errors=True)


@contextlib.contextmanager
def _uploaded(here: Options, region: str, inputs: Mapping[str, Path]) -> Iterator[Mapping[str, str]]:
    """Folders of this machine as channels of the rehearsal."""
    from wpfsm.adapters.aws.clients import Clients, Target

    bucket = "wpfsm-rehearsal"
    if inputs:
        s3 = Clients(Target(region, here.endpoint_url, local=True)).s3
        s3.create_bucket(Bucket=bucket)
        for name, folder in inputs.items():
            for file in sorted(each for each in folder.rglob("*") if each.is_file()):
                s3.upload_file(str(file), bucket, f"{name}/{file.relative_to(folder).as_posix()}")
    yield {name: f"s3://{bucket}/{name}/" for name in inputs}


def _diff(given: Options, path: Path, jobs: Sequence[Job]) -> str:
    """What the patches made of the source."""
    if not jobs or jobs[0].source_digest == jobs[-1].source_digest:
        return ""
    sources = LocalSources(siblings(given.database, "sources"), path.parent)
    return sources.diff(jobs[0].source_digest, jobs[-1].source_digest)


def _changed(jobs: Sequence[Job]) -> dict[str, JSON]:
    """Hyperparameters that patches changed."""
    if not jobs:
        return {}
    first = jobs[0].params
    return {name: value for name, value in jobs[-1].params.items() if first.get(name) != value}


def _always_untested(file: LoopFile) -> list[str]:
    """What no rehearsal shows."""
    if file.backend == "local":
        return []
    what = ["the image itself and a GPU"]
    if file.pool.instance_count > 1:
        what.append(f"{file.pool.instance_count} instances at once")
    if file.pool.network_isolation or file.pool.vpc:
        what.append("the network of the job")
    return what


def _result(
    path: Path,
    verdict: Verdict,
    loop: str | None,
    jobs: Sequence[Job],
    findings: Sequence[Finding],
    unseen: Sequence[str],
    diff: str,
    why: str = "",
) -> Rehearsed:
    shown: list[JSON] = [
        {
            "number": job.number,
            "status": job.status,
            "class": job.diagnosis.class_ if job.diagnosis else None,
            "evidence": [str(line) for line in job.diagnosis.evidence] if job.diagnosis else [],
            "patch": job.patch.summary if job.patch else None,
        }
        for job in jobs
    ]
    document: dict[str, JSON] = {
        "schema": SCHEMA,
        "rehearsal": {
            "verdict": verdict,
            "loop": loop,
            "why": why,
            "jobs": shown,
            "untested": list(unseen),
            "diff": diff,
            "findings": [finding.to_json() for finding in findings],
        },
        "next": _next(path, verdict, loop, _changed(jobs), diff),
    }
    return Rehearsed(verdict, document)


def _next(
    path: Path, verdict: Verdict, loop: str | None, changed: Mapping[str, JSON], diff: str
) -> list[JSON]:
    """The commands that take over what was found, and start."""
    steps: list[JSON] = []
    if diff and loop:
        steps.append(
            {"argv": ["wpfsm", "diff", loop, "--apply"], "why": "writes the patches into your files"}
        )
    if verdict == "failed":
        if loop:
            steps.append({"argv": ["wpfsm", "explain", loop], "why": "says why the last job failed"})
        return steps
    settings = [
        word for k, v in changed.items() for word in ("--set", f"job.hyperparameters.{k}={json.dumps(v)}")
    ]
    steps.append({"argv": ["wpfsm", "start", str(path), *settings], "why": "starts the loop"})
    return steps


_SAID: Mapping[str, str] = {
    "passed": "the trial completed here, as it is",
    "patched": "the trial completed here after the changes below",
    "untested": "nothing was found against it, and it was not seen to complete",
    "failed": "the trial fails here, and would fail in the job",
}


def _text(document: Mapping[str, JSON]) -> str:
    told = document["rehearsal"]
    assert isinstance(told, Mapping)
    lines = [f"rehearsal {told['verdict']}: {_SAID[str(told['verdict'])]}"]
    for job in _maps(told["jobs"]):
        patch = f"; {job['patch']}" if job["patch"] else ""
        lines.append(f"  job {job['number']}: {job['class'] or job['status']}{patch}")
        lines += [f"    {line}" for line in _list(job["evidence"])[-3:]]
    lines += [with_fix(f"{one['level']}: {one['text']}", str(one["fix"])) for one in _maps(told["findings"])]
    lines += [f"untested: {what}" for what in _list(told["untested"])]
    if told["diff"]:
        lines += ["", str(told["diff"]).rstrip("\n"), ""]
    lines += [
        f"next: {' '.join(map(str, _list(step['argv'])))}   ({step['why']})"
        for step in _maps(document["next"])
    ]
    return "\n".join(lines)


def _list(value: JSON) -> list[JSON]:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []


def _maps(value: JSON) -> list[Mapping[str, JSON]]:
    return [each for each in _list(value) if isinstance(each, Mapping)]
