"""From a diagnosis to what is done about it: the first rule that matches, is not used up, and can.

What worked before on the same failure goes first, then the loop file's rows, then the built-in table. A rule
whose fix has nothing to propose is passed over, so that `any` at the end always has the last word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from wpfsm.fsm.context import Context
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.patches import Material, Patch, propose
from wpfsm.fsm.patches.on_failure import DEFAULT_RULES, Rule, applicable
from wpfsm.fsm.records import JSON, Job, Trial
from wpfsm.fsm.states.diagnosing import failure_memory
from wpfsm.fsm.steps.next_trial import params_for

MOST_TIMES = 6
"""How often a row of the loop file that gives no ``times`` may patch a job of one loop."""
MOST_EDITS = 2
"""After so many edits by one program the same failure is not given to it again."""


@dataclass(frozen=True)
class Remedy:
    """What is done about a failure."""

    action: Literal["retry", "skip", "handoff", "release"]
    why: str
    fingerprint: str
    class_: str
    patch: Patch | None = None
    source_digest: str = ""
    """Snapshot of the source with the patch."""
    rule: str = ""
    """Key of the rule that applied, by which its uses are counted."""
    hold: float | None = None
    tried: tuple[str, ...] = ()
    of_trial: bool = False
    """The strategy's own values caused the failure, so the same failure in another trial does not count as repeated."""


def rules_of(ctx: Context) -> Sequence[Rule]:
    """The loop file's rows, then the built-in table."""
    own = tuple(
        Rule(
            when=row.when,
            do=row.action,
            times=row.times or (None if row.action in ("skip", "handoff", "release") else MOST_TIMES),
            options={"set": dict(row.set), "hold": row.hold, "command": row.command, "allow": row.allow},
        )
        for row in ctx.file.on_failure
    )
    return (*own, *DEFAULT_RULES)


def choose_patch(ctx: Context, job: Job, trial: Trial, diagnosis: Diagnosis) -> Remedy:
    """Apply what worked before, else the first rule that can."""
    return _Chooser(ctx, job, trial, diagnosis).decide()


class _Chooser:
    """One failure on its way through the rules."""

    def __init__(self, ctx: Context, job: Job, trial: Trial, diagnosis: Diagnosis) -> None:
        self.ctx, self.job, self.trial, self.diagnosis = ctx, job, trial, diagnosis
        self.params = params_for(ctx, trial)
        self.tried: list[str] = []

    def decide(self) -> Remedy:
        rules, counts = rules_of(self.ctx), _counts(self.ctx)
        proven = failure_memory.replay(self.ctx, self.trial, self.params, self.diagnosis)
        if proven and any(
            rule.do not in ("release", "skip") for rule in applicable(rules, self.diagnosis, {})
        ):
            patch, digest, before = proven
            return self._remedy(
                "retry",
                f"worked before on the same failure ({before.job_name})",
                patch=patch,
                source_digest=digest,
                rule=f"memory:{patch.kind}",
            )
        for rule in rules:
            if (
                rule.matches(self.diagnosis)
                and rule.times is not None
                and counts.get(rule.key, 0) >= rule.times
            ):
                self.tried.append(f"{rule.do}: used up ({rule.times} times in this loop)")
        for rule in self._proven_first(applicable(rules, self.diagnosis, counts)):
            if remedy := self._apply(rule, counts.get(rule.key, 0)):
                return remedy
        return self._remedy("release", "no rule applies")

    def _remedy(
        self,
        action: Literal["retry", "skip", "handoff", "release"],
        why: str,
        *,
        patch: Patch | None = None,
        source_digest: str = "",
        rule: str = "",
        hold: float | None = None,
        of_trial: bool = False,
    ) -> Remedy:
        return Remedy(
            action,
            why,
            self.diagnosis.fingerprint,
            self.diagnosis.class_,
            patch,
            source_digest,
            rule,
            hold,
            tuple(self.tried),
            of_trial,
        )

    def _proven_first(self, rules: Sequence[Rule]) -> Sequence[Rule]:
        """A rule whose fix worked on this fingerprint before, in any loop, moves to the front."""
        proven = {r.patch.kind for r in failure_memory.worked(self.ctx, self.diagnosis.fingerprint)}
        return sorted(rules, key=lambda rule: rule.do not in proven)

    def _apply(self, rule: Rule, used: int) -> Remedy | None:
        match rule.do:
            case "handoff":
                hold = rule.options.get("hold")
                return self._remedy(
                    "handoff", self.diagnosis.fix, hold=float(hold) if isinstance(hold, int | float) else None
                )
            case "skip":
                return self._skip(rule)
            case "release":
                return self._remedy("release", self.diagnosis.fix)
            case "command":
                return self._command(rule)
        return self._patch(rule, used)

    def _skip(self, rule: Rule) -> Remedy | None:
        varied = bool(self.trial.params)
        if rule in DEFAULT_RULES and not varied:
            self.tried.append("skip: the strategy varies nothing, so another trial would fail like this one")
            return None
        of_trial = varied and self.diagnosis.class_ == "nan_loss"
        return self._remedy("skip", self.diagnosis.fix, of_trial=of_trial)

    def _patch(self, rule: Rule, used: int) -> Remedy | None:
        material = self._material(rule, used)
        patch = propose(rule.do, self.diagnosis, material)
        if isinstance(patch, str):
            self.tried.append(f"{rule.do}: {patch}")
            return None
        chosen = sorted(patch.hyperparameters.keys() & self.trial.params.keys())
        if chosen and not rule.options.get("set"):
            # Another value would be another trial: the strategy's point does not fit, and that is its result.
            why = f"{', '.join(chosen)} is what the strategy varies, so it is not changed"
            self.tried.append(f"{rule.do}: {why}")
            return self._remedy("skip", why, of_trial=True)
        digest = self.trial.source_digest
        if patch.files and not digest:
            self.tried.append(
                f"{rule.do}: the request brings its own source, which is not here to be patched"
            )
            return None
        if patch.files:
            digest = self.ctx.gateway.call(
                "sources.derive", lambda: self.ctx.sources.derive(digest, patch.files)
            )
        same = [
            r for r in failure_memory.worked(self.ctx, self.diagnosis.fingerprint) if r.patch_key == patch.key
        ]
        why = f"worked before on the same failure ({same[0].job_name})" if same else self.diagnosis.fix
        return self._remedy("retry", why, patch=patch, source_digest=digest, rule=rule.key)

    def _command(self, rule: Rule) -> Remedy | None:
        from wpfsm.fsm.states.diagnosing.patch_command import run_command

        edits = sum(
            job.patch is not None
            and job.diagnosis is not None
            and job.patch.kind == "command"
            and job.diagnosis.fingerprint == self.diagnosis.fingerprint
            for job in self.ctx.jobs()
        )
        if edits >= MOST_EDITS:
            self.tried.append(f"command: the same failure came back after {edits} edits")
            return None
        made = run_command(self.ctx, rule, self.job, self.trial, self.diagnosis, self.tried)
        if isinstance(made, str):
            self.tried.append(f"command: {made}")
            return None
        patch, digest = made
        return self._remedy("retry", self.diagnosis.fix, patch=patch, source_digest=digest, rule=rule.key)

    def _material(self, rule: Rule, used: int) -> Material:
        digest = self.trial.source_digest
        options: Mapping[str, JSON] = {k: v for k, v in rule.options.items() if v is not None}
        return Material(
            hyperparameters={name: value for name, value in self.params.items() if value is not None},
            files=self.ctx.sources.files(digest) if digest else {},
            requirements_path=self.ctx.file.job.requirements,
            history=failure_memory.history(self.ctx, self.diagnosis),
            attempt=used + 1,
            options=options,
            first_wait=self.ctx.pace.retry,
        )


def _counts(ctx: Context) -> Mapping[str, int]:
    """How often each rule has patched a job of this loop, by its key."""
    return Counter(job.patch.rule for job in ctx.jobs() if job.patch and job.patch.rule)
