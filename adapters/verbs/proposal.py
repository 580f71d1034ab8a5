"""What ``next`` and ``resume`` enqueue: the proposal, and in which it differs from what it starts from."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wpfsm.adapters.aws.targets import sources_of
from wpfsm.adapters.documents.experiment import loop_source, source_changes
from wpfsm.adapters.documents.rows import phases_of, section
from wpfsm.adapters.terminal.output import Options, hint
from wpfsm.fsm.errors import NotFound, Refused, UsageError
from wpfsm.fsm.ports import History, Sources
from wpfsm.fsm.records import Loop, Proposal, Trial, Value
from wpfsm.fsm.records.handoff import FailureHandoff
from wpfsm.fsm.steps.render_request import LIKE, REQUIREMENTS
from wpfsm.fsm.strategies.metrics import Goal
from wpfsm.fsm.strategies.verdict import Keep, start_of

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


def proposal_of(given: Options, history: History, loop: Loop, asked: Asked) -> Proposal:
    """The row, its source kept beforehand; says on stderr what it changes against its base."""
    now = time.time()
    if asked.done:
        return Proposal(loop.id, 0, now, "done", note=asked.note)
    params = params_of(asked.settings)
    trials = history.trials(loop.id)
    base = _base(loop, trials, history, asked.base)
    digest = ""
    sources = sources_of(given, loop)
    if asked.source is not None:
        if not section(loop, "job").get("source"):
            raise UsageError(
                "--source: the loop brings its own request and has no source", fix="leave it out"
            )
        digest = sources.snapshot(str(asked.source.resolve()))
        if given.shared:
            _refuse_unrendered(history, sources, loop, base, digest)
    _say_changes(sources, history, loop, base, params, digest, asked.source)
    return Proposal(loop.id, 0, now, "trial", params, digest, asked.base, asked.note, asked.again)


def _refuse_unrendered(
    history: History, sources: Sources, loop: Loop, base: Trial | None, digest: str
) -> None:
    """A function has no SageMaker SDK: it can only upload a source that is like one that was rendered.

    Raises:
        Refused: Nothing of its entry and requirements was.
    """
    job = section(loop, "job")
    entry = (base.entry if base else "") or str(job.get("entry") or "")
    own = REQUIREMENTS if REQUIREMENTS in sources.files(digest) else ""
    requirements = str(job.get("requirements") or own)
    if not history.rendered(loop.id, f"{LIKE}:{entry}:{requirements}"):
        raise Refused(
            f"the loop began with a source that has {REQUIREMENTS}, and this one has none: the engine cannot render it",
            fix=f"add a {REQUIREMENTS} to it, which may be empty",
        )


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
    sources: Sources,
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
    if digest and before and digest != before:
        lines = sources.diff(before, digest).splitlines()
        for line in lines[:MOST_LINES]:
            hint(f"  {line}")
        if len(lines) > MOST_LINES:
            hint(f"  ... and {len(lines) - MOST_LINES} lines more")
    for trial in history.trials(loop.id) if digest else ():
        if trial.verdict == "discarded" and _still_held(sources, history, trial, sources.files(digest)):
            hint(
                f"warning: {folder} still holds the change of trial {trial.number} ({trial.label}), which was "
                f"discarded; wpfsm diff {loop.id} --best --apply brings it to the best"
            )


def _still_held(sources: Sources, history: History, trial: Trial, files: Mapping[str, str]) -> bool:
    trials = {t.number: t for t in history.trials(trial.loop_id)}
    base = trials.get(trial.base or 0)
    if base is None:
        return False
    changed = source_changes(sources, base.source_digest, trial.source_digest)
    own = sources.files(trial.source_digest)
    names = [str(each["file"]) for each in changed if isinstance(each, Mapping)]
    return bool(names) and all(files.get(name) == own.get(name) for name in names)


def instead_of_failed(loop: Loop, *, skip: bool, settings: Sequence[str]) -> Proposal:
    """What ``resume --skip`` and ``--set`` ask for at a failure hand-off.

    Raises:
        Refused: The loop waits in none.
        UsageError: A setting is not of the form ``name=value``.
    """
    if not isinstance(loop.handoff, FailureHandoff):
        raise Refused(
            f"no failed trial of {loop.id} waits in a hand-off",
            fix=f"wpfsm inspect {loop.id} shows where it is",
        )
    return Proposal(loop.id, 0, time.time(), "skip" if skip else "trial", params_of(settings))
