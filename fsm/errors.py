"""What can go wrong, by what the caller should do about it.

Each class carries the exit code of the command line (see docs/exit-codes.md) and a ``fix``: the next
thing to do, in one sentence or one command.
"""

from __future__ import annotations

from collections.abc import Iterable

POLICY = "attach the policy in docs/aws.md"
"""The fix where credentials are good and may not do what a loop does."""

FIX = "  fix: "
"""Before what to do, on a line of its own under what happened."""


def with_fix(text: str, fix: str) -> str:
    """What happened, and what to do about it on a line of its own, where something is to be done."""
    return f"{text}\n{FIX}{fix}" if fix else text


class WpfsmError(Exception):
    """An error that a user can act on: a message that names what and where, and a fix."""

    exit_code = 1

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class Suspended(BaseException):
    """The clock ends the turn here instead of waiting. Not an ``Exception``: no activity may go on after it.

    To an activity it is what a crash is: it is run again from its beginning, by whoever takes the next turn.

    Args:
        seconds: How long from now until the next turn is due.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"until {seconds:.0f} s from now")
        self.seconds = seconds


class UsageError(WpfsmError):
    """Bad usage or a bad loop file. Nothing was written and no pool was touched."""

    exit_code = 2


class Refused(WpfsmError):
    """Preflight or the lock refused: quota, lock drift, a changed file."""

    exit_code = 3


class Denied(WpfsmError):
    """Credentials or permissions: the service would not act for us."""

    exit_code = 4


class Held(WpfsmError):
    """Another live controller holds the loop or the pool key."""

    exit_code = 5


class NotFound(WpfsmError):
    """No such loop, job or database."""

    exit_code = 6


class StoreError(WpfsmError):
    """The database cannot be used: locked, full, read-only, corrupt or of a newer version."""

    exit_code = 75


class Fenced(WpfsmError):
    """Another controller took the loop over; this one must do nothing more."""

    exit_code = 5


class Overtaken(Exception):
    """A sibling lane was faster: what this commit depends on has changed since it was read. Nothing was written."""


class ServiceError(WpfsmError):
    """The training service answered with an error.

    Args:
        code: The error code of the wire, such as ``ValidationException``.
        message: The service's own sentence.
    """

    def __init__(self, code: str, message: str, *, operation: str = "", fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.code = code
        self.operation = operation

    def __str__(self) -> str:
        """Botocore's form, so that one taxonomy reads both."""
        return f"An error occurred ({self.code}) when calling the {self.operation} operation: {self.message}"


class Rejected(ServiceError):
    """The service said no, and nothing happened: validation, quota, a state that does not allow it."""


class NameTaken(ServiceError):
    """``ResourceInUse``: a job of this name exists; it may be our own first attempt."""


class ServiceDenied(ServiceError):
    """Credentials are missing, expired or insufficient."""

    exit_code = 4


class Unknown(ServiceError):
    """Timeout, connection loss, 5xx or throttling: the call may or may not have happened."""

    exit_code = 75


class Vanished(ServiceError):
    """The local emulator that played the service is gone, and what it held with it: nothing of it can bill."""


class MissingExtra(WpfsmError):
    """An optional dependency is not installed.

    Args:
        extra: The name of the extra.
        purpose: What it is needed for.
    """

    exit_code = 3

    def __init__(self, extra: str, purpose: str) -> None:
        self.extra = extra
        super().__init__(
            f"{purpose} needs the optional dependency {extra!r}", fix=f"pip install 'wpfsm[{extra}]'"
        )


class NotConfirmed(WpfsmError):
    """The release could not be read back: something may still bill. Overrides every other exit code."""

    exit_code = 30


def did_you_mean(given: str, known: Iterable[str], otherwise: str = "", *, cutoff: float = 0.6) -> str:
    """``did you mean max_jobs?``; ``otherwise`` where nothing that is known comes near.

    Args:
        given: What was written.
        known: What could have been.
        otherwise: What to say instead.
        cutoff: How near it must come, from 0 to 1.
    """
    from difflib import get_close_matches

    near = get_close_matches(given, list(known), n=1, cutoff=cutoff)
    return f"did you mean {near[0]}?" if near else otherwise
