"""A job, a call or a collective operation that took too long, and a job that said nothing for too long."""

from __future__ import annotations

from wpfsm.fsm.failures.model import Family
from wpfsm.fsm.failures.taxonomy.rows import FailureClass, LogPattern

ROWS: tuple[FailureClass, ...] = (
    FailureClass(
        "time_limit",
        Family.TIMEOUT,
        "The job reached MaxRuntimeInSeconds (or MaxWaitTime, MaxPendingTime) and was stopped.",
        "Shorten the run or raise job.max_runtime.",
        "you",
        (
            LogPattern(r"^Max(?:Runtime|WaitTime|PendingTime)Exceeded", 0.93, "status"),
            LogPattern(
                r"Max(?:Runtime|WaitTime|PendingTime)(?:InSeconds|Exceeded)?\b[^\n]{0,40}|exceeded (?:the )?max(?:imum)? ?(?:run|wait|pending)",
                0.94,
                "reason",
            ),
            LogPattern(r"\bMax(?:Runtime|WaitTime|PendingTime)Exceeded\b", 0.9, "log"),
            LogPattern(
                r"(?:maximum|max) (?:run|wait|execution|training)[ -]?time[^\n]{0,30}(?:exceed|reached|expired)|(?:job|task) timed out",
                0.85,
                prose=True,
            ),
        ),
    ),
    FailureClass(
        "collective_timeout",
        Family.TIMEOUT,
        "One rank waited for the others longer than it may: a rank hangs, died, or has more work.",
        "Find the rank that did not arrive; raise the timeout only when the work is uneven.",
        "you",
        (
            LogPattern(
                r"collective operation timeout|WorkNCCL\([^\n]*timing out|Watchdog caught|watchdog\b[^\n]{0,40}\b(?:got stuck|hangs?)\b",
                0.94,
            ),
            LogPattern(r"NCCL[^\n]{0,80}(?:timed? ?out)|(?:timed? ?out)[^\n]{0,80}NCCL", 0.88),
            LogPattern(
                r"Dist(?:Store|Network)Error[^\n]{0,80}time|Rendezvous(?:Timeout|Closed|Connection)Error|(?:socket|client) has timed out",
                0.92,
            ),
            LogPattern(
                r"Timed out (?:after [\d.]+ ?\w* |initializing |waiting )[^\n]{0,80}(?:process group|clients?|store|rank|recv|send|workers?|barrier)|Socket Timeout|StoreTimeout",
                0.91,
            ),
            LogPattern(
                r"(?:Gloo|Horovod|MPI|barrier|allreduce|all_reduce)[^\n]{0,80}(?:timed? ?out|stalled)|(?:stalled|missing) ranks|failed to pass \w*barrier",
                0.88,
            ),
        ),
        by_file=True,
    ),
    FailureClass(
        "operation_timeout",
        Family.TIMEOUT,
        "Something in the job waited longer than it may.",
        "See what it waited for; raise that timeout or make the step shorter.",
        "you",
        (
            LogPattern(
                r"^(?:[\w.]*\.)?(?:TimeoutError|TimeoutExpired|FunctionTimedOut|timeout)\b", 0.75, "exception"
            ),
            LogPattern(r"DEADLINE_EXCEEDED|timed out after [\d.]+ ?(?:s|sec|min|hours?)", 0.72),
        ),
    ),
    FailureClass(
        "silence",
        Family.TIMEOUT,
        "The job printed nothing for longer than the watchdog allows, and was stopped; its pool stays.",
        "Look at the last line that it printed; print progress, or shorten the step.",
        "you",
        (LogPattern(r"^silent for (?P<silent_seconds>\d+) seconds$", 0.58, "fact"),),
    ),
)
