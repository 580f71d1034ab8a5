"""``next``: one command is one experiment. It enqueues the proposal, follows it, and prints the verdict."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wpfsm.adapters.documents.event import event_line, event_object
from wpfsm.adapters.documents.experiment import experiment_object, loop_source, source_changes
from wpfsm.adapters.documents.lanes import standing
from wpfsm.adapters.documents.liveness import look
from wpfsm.adapters.documents.rows import phases_of, section
from wpfsm.adapters.host.sources import LocalSources
from wpfsm.adapters.terminal.experiment_text import experiment_lines
from wpfsm.adapters.terminal.loop_text import loop_text
from wpfsm.adapters.terminal.output import Options, emit, hint, print_json
from wpfsm.adapters.terminal.streams import outlive_output
from wpfsm.adapters.terminal.table import terminal_width
from wpfsm.adapters.verbs.detach import DETACHED, detach_loop
from wpfsm.adapters.verbs.drive import drive_owned
from wpfsm.adapters.verbs.inspect import LOOK_SECONDS, document_of
from wpfsm.adapters.verbs.lanes import drive_lanes, own_group
from wpfsm.adapters.verbs.naming import named
from wpfsm.fsm.errors import Held, NotFound, Refused, UsageError, WpfsmError
from wpfsm.fsm.records import EXIT_CODES, FailureHandoff, Loop, Proposal, State, Trial, Value
from wpfsm.fsm.strategies.metrics import Goal
from wpfsm.fsm.strategies.verdict import Keep, start_of
from wpfsm.state.connection import PatientConnection
from wpfsm.state.database import open_existing, siblings
from wpfsm.state.history import History
from wpfsm.state.store import propose

ASKS, STILL_RUNNING = 10, 11
MOST_LINES = 60
"""Lines of a diff that are shown before a trial is submitted."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks for.

    Attributes:
        settings: ``name=value`` for hyperparameters.
        source: A folder with the source to run; None for the base's.
        base: ``best``, ``last``, a trial's number, or empty for what the loop file's ``keep`` says.
        note: The hypothesis.
        again: Run a point that was tried before.
        done: No further trial.
    """

    settings: tuple[str, ...] = ()
    source: Path | None = None
    base: str = ""
    note: str = ""
    again: bool = False
    done: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether only the state was asked for."""
        return self == Asked()


def next_(given: Options, which: str, asked: Asked, *, detach: bool) -> int:
    """Show what the loop waits for, or run one experiment and print its verdict; returns the exit code."""
    outlive_output()
    if given.shared:
        raise Refused(
            f"wpfsm next is not offered for the loops of a shared table ({given.shared}) yet",
            fix="an open loop runs with the database of one machine: unset WPFSM_DB, or --db PATH",
        )
    connection = open_existing(given.database, write=True)
    history = History(connection)
    loop = standing(history, named(history, which, acting=True))
    if asked.is_empty:
        return _show(given, history, loop, _code(loop))
    if loop.state in (State.RELEASING, State.CLOSED):
        raise _over(loop)
    proposal = _proposal(given, history, loop, asked)
    try:
        proposal = propose(connection, given.database, proposal)
    except Refused as error:
        raise _over(history.find(loop.id)) from error
    if detach:
        with contextlib.suppress(Held):  # whoever drives it finds the proposal
            if loop.lane:
                detach_loop(given, loop, own_group(given, loop.id))
            else:
                drive_owned(given, connection, loop, detach=True)
        return _show(given, history, history.find(loop.id), DETACHED)
    return _follow(given, connection, loop, proposal)


def _over(loop: Loop) -> Refused:
    return Refused(
        f"loop {loop.id} is over ({loop.outcome}): it takes no proposal, and its pool is released",
        fix=f"wpfsm start {loop.loop_path} --continue {loop.id} begins a new loop that knows its trials",
    )


# --- the proposal ---------------------------------------------------------------------------------


def _proposal(given: Options, history: History, loop: Loop, asked: Asked) -> Proposal:
    """The row, its source kept beforehand; says on stderr what it changes against its base."""
    now = time.time()
    if asked.done:
        return Proposal(loop.id, 0, now, "done", note=asked.note)
    params = params_of(asked.settings)
    trials = history.trials(loop.id)
    base = _base(loop, trials, history, asked.base)
    digest = ""
    sources = LocalSources(siblings(given.database, "sources"), Path.cwd())
    if asked.source is not None:
        if not section(loop, "job").get("source"):
            raise UsageError(
                "--source: the loop brings its own request and has no source", fix="leave it out"
            )
        digest = sources.snapshot(str(asked.source))
    _say_changes(given, history, loop, base, params, digest, asked.source)
    return Proposal(loop.id, 0, now, "trial", params, digest, asked.base, asked.note, asked.again)


def params_of(settings: Sequence[str]) -> dict[str, Value]:
    """Hyperparameters from ``name=value``.

    Raises:
        UsageError: One is of another form, or is not one value.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    from wpfsm.fsm.loopfile.model import check_hyperparameters

    params: dict[str, Value] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set {setting}: not of the form name=value", fix="--set lr=1e-4")
        try:
            value = YAML(typ="safe").load(text)
        except YAMLError as error:
            raise UsageError(f"--set {setting}: the value is not valid YAML", fix="quote it") from error
        if not isinstance(value, bool | int | float | str | None):
            raise UsageError(f"--set {setting}: a hyperparameter is one value", fix="--set lr=1e-4")
        params[name.strip()] = value
    try:
        check_hyperparameters(params)
    except ValueError as error:
        raise UsageError(f"--set: {error}", fix="--set lr=1e-4") from error
    return params


def _base(loop: Loop, trials: Sequence[Trial], history: History, spec: str) -> Trial | None:
    """The trial that the proposal starts from, as far as is known now."""
    if spec and spec not in ("best", "last") and not spec.isdecimal():
        raise UsageError(f"--from {spec}: it is best, last or the number of a trial", fix="--from best")
    if spec.isdecimal() and int(spec) not in {t.number for t in trials}:
        raise NotFound(f"loop {loop.id} has no trial {spec}", fix=f"wpfsm inspect {loop.id} lists them")
    failed = None
    if isinstance(loop.handoff, FailureHandoff):
        jobs = history.jobs(loop.id)
        failed = next((t for t in trials if t.number == jobs[-1].trial), None)
    return start_of(spec, trials, _goal(loop), _keep(loop), failed)


def _goal(loop: Loop) -> Goal | None:
    metric = section(loop, "metric")
    if not metric:
        return None
    return Goal(str(metric["name"]), "maximize" if metric.get("goal") == "maximize" else "minimize")


def _keep(loop: Loop) -> Keep:
    keep = phases_of(loop)[-1].get("keep")
    return "all" if keep == "all" else "last" if keep == "last" else "better"


def _say_changes(
    given: Options,
    history: History,
    loop: Loop,
    base: Trial | None,
    params: Mapping[str, Value],
    digest: str,
    folder: Path | None,
) -> None:
    """What the trial will differ in from its base, and what of a discarded trial the folder still holds."""
    start = f"trial {base.number} ({base.label})" if base else "the job as the loop file gives it"
    hint(f"base  {start}")
    before = base.source_digest if base else loop.source_digest or loop_source(history, loop)
    for name, value in params.items():
        hint(f"set   {name} = {value!r}")
    sources = LocalSources(siblings(given.database, "sources"), Path.cwd())
    if digest and before and digest != before:
        lines = sources.diff(before, digest).splitlines()
        for line in lines[:MOST_LINES]:
            hint(f"  {line}")
        if len(lines) > MOST_LINES:
            hint(f"  ... and {len(lines) - MOST_LINES} lines more")
    for trial in history.trials(loop.id) if digest else ():
        if trial.verdict == "discarded" and _still_held(given, history, trial, sources.files(digest)):
            hint(
                f"warning: {folder} still holds the change of trial {trial.number} ({trial.label}), which was "
                f"discarded; wpfsm diff {loop.id} --best --apply brings it to the best"
            )


def _still_held(given: Options, history: History, trial: Trial, files: Mapping[str, str]) -> bool:
    trials = {t.number: t for t in history.trials(trial.loop_id)}
    base = trials.get(trial.base or 0)
    if base is None:
        return False
    changed = source_changes(given.database, base.source_digest, trial.source_digest)
    own = LocalSources(siblings(given.database, "sources"), Path.cwd()).files(trial.source_digest)
    names = [str(each["file"]) for each in changed if isinstance(each, Mapping)]
    return bool(names) and all(files.get(name) == own.get(name) for name in names)


# --- following it ---------------------------------------------------------------------------------


def _follow(given: Options, connection: PatientConnection, loop: Loop, proposal: Proposal) -> int:
    """Drive the loop, or watch whoever drives it, until the proposal has its answer."""
    history = History(connection)
    while True:
        row = history.proposal(loop.id, proposal.number)
        now = standing(history, history.find(loop.id))
        if row.status == "refused":
            raise Refused(
                row.answer, fix=f"propose another, or the same with --again: wpfsm next {loop.id} --again"
            )
        if now.state is State.CLOSED and row.status == "open":
            raise _over(now)
        if row.status == "taken" and _has_ended(history, now, row):
            return _report(given, history, now, row, _code(now))
        try:
            result = drive_lanes(given, connection, now) if now.lane else drive_owned(given, connection, now)
            assert result is not None, "it was driven here"
        except Held:
            _watch(given, history, loop.id)
            continue
        if result.error is not None:
            return _report(given, history, result.loop, row, result.exit_code, result.error)
        if result.loop.state is State.CLOSED and row.kind == "trial":
            row = history.proposal(loop.id, proposal.number)
            if row.status == "taken":
                return _report(given, history, result.loop, row, result.exit_code)
        if result.exit_code == ASKS and _waits_on(history, result.loop, proposal.number):
            return _report(given, history, result.loop, row, ASKS)


def _waits_on(history: History, loop: Loop, number: int) -> bool:
    """Whether the loop waits for somebody before the proposal has its answer: its job failed, or a limit is met."""
    row = history.proposal(loop.id, number)
    if row.status == "open":
        hint(f"proposal {number} is kept, and runs once the loop goes on")
    return row.status == "open" or (row.status == "taken" and not _has_ended(history, loop, row))


def _has_ended(history: History, loop: Loop, row: Proposal) -> bool:
    if row.kind == "done":
        return loop.state is State.CLOSED
    assert row.trial is not None, "a proposal that was taken has its trial"
    return history.trial(loop.id, row.trial).state not in ("pending", "running")


def _watch(given: Options, history: History, loop_id: str) -> None:
    """Tell what another controller does, until something happened that may be the answer."""
    last = history.last_event(loop_id)
    seen = last.seq if last else 0
    while True:
        time.sleep(LOOK_SECONDS)
        found = list(history.events(loop_id, seen))
        for event in found:
            seen = event.seq
            if given.output == "jsonl":
                print_json(event_object(event))
            else:
                hint(event_line(event))
        loop = history.find(loop_id)
        if any(
            event.kind in ("handed_off", "proceed", "release", "released", "proposal_refused")
            for event in found
        ):
            return
        if look(history, given.database, loop, time.time()).alive is not True:
            return


def _report(
    given: Options, history: History, loop: Loop, row: Proposal, code: int, error: WpfsmError | None = None
) -> int:
    return _show(given, history, history.find(loop.id), code, row.trial, error)


def _show(
    given: Options,
    history: History,
    loop: Loop,
    code: int,
    trial: int | None = None,
    error: WpfsmError | None = None,
) -> int:
    """Print the loop's document, with the experiment where there is one."""
    document = document_of(given, history, loop)
    document["experiment"] = experiment_object(history, given.database, loop, trial) if trial else None
    text = loop_text(document, terminal_width())
    if trial:
        experiment = document["experiment"]
        assert isinstance(experiment, Mapping)
        text = "\n".join([*experiment_lines(experiment), "", text])
    if error is not None:
        from wpfsm.adapters.documents.loop import error_document

        document["error"] = error_document(error)["error"]
        hint(f"error: {error}" + (f"\n  fix: {error.fix}" if error.fix else ""))
    emit(given, document, text)
    return code


def _code(loop: Loop) -> int:
    if loop.state is State.CLOSED and loop.outcome is not None:
        return EXIT_CODES[loop.outcome]
    return ASKS if loop.handoff is not None else STILL_RUNNING
