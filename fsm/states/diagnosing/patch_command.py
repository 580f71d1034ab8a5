"""A program of the user's that mends: it gets the hand-off packet and edits a copy of the source."""

from __future__ import annotations

from collections.abc import Sequence

from wpfsm.fsm.context import Context
from wpfsm.fsm.failures.model import Diagnosis
from wpfsm.fsm.patches import Patch
from wpfsm.fsm.patches.on_failure import Rule
from wpfsm.fsm.records import Job, Trial
from wpfsm.fsm.states.diagnosing.handoff_packet import packet_of
from wpfsm.fsm.steps.hold_pool import cap_hold
from wpfsm.fsm.steps.source_edits import changed_names

COMMAND_SECONDS = 1800.0
"""How long a program may take when its row says nothing; the pool is held for as long."""
_SHELL_CODES = {124: "it took longer than its time", 127: "it could not be started"}


def run_command(
    ctx: Context, rule: Rule, job: Job, trial: Trial, diagnosis: Diagnosis, tried: Sequence[str]
) -> tuple[Patch, str] | str:
    """Let the program edit a copy of the snapshot.

    Returns:
        The patch and the snapshot that it made, deleted files left out; or why there is none, in words.
    """
    command = rule.options.get("command")
    if not isinstance(command, Sequence) or isinstance(command, str) or not command:
        return "the row names no program"
    if not trial.source_digest:
        return "the loop has no source of its own to edit"
    hold = rule.options.get("hold")
    limit = float(hold) if isinstance(hold, int | float) else COMMAND_SECONDS
    packet = packet_of(ctx, job, trial, diagnosis, tried, cap_hold(ctx, limit)).to_json()
    words = [str(word) for word in command]
    with ctx.sources.workspace(trial.source_digest) as folder:
        ctx.progress.waiting(f"{words[0]} to mend the source", ctx.clock.now() + limit)
        code = ctx.gateway.call("command.run", lambda: ctx.ports.command.run(words, packet, folder, limit))
        ctx.check_stop()
        digest = ctx.sources.snapshot(folder)
    if code != 0:
        return f"{words[0]}: {_SHELL_CODES.get(code, f'exit code {code}')}"
    if digest == trial.source_digest:
        return f"{words[0]} changed nothing"
    names = changed_names(ctx, trial.source_digest, digest)
    summary = f"{words[0]} changed {', '.join(names) or 'files that are not text'}"
    return Patch(kind="command", summary=summary, key=f"command:{digest}"), digest
