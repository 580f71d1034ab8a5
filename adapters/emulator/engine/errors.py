"""What the emulator answers instead of a result."""

from __future__ import annotations


class ServiceError(Exception):
    """An error in the service's own terms: a code that clients switch on and a message that people read."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class ConnectionCut(Exception):
    """The answer never reaches the client: the connection is cut, before or after the work was done."""

    def __init__(self, *, written: bool) -> None:
        super().__init__("cut-after-write" if written else "cut-before-write")


def not_stored(why: str) -> ServiceError:
    """Return the error for what could not be written down: nothing of it happened, and it may be asked for again."""
    return ServiceError(
        "EmulatorDiskFull", f"the emulator cannot write its state: {why}; make room, and it goes on", 500
    )


def invalid(message: str) -> ServiceError:
    """Return the error for a request that the service refuses."""
    return ServiceError("ValidationException", message)


def not_found() -> ServiceError:
    """Return what the service answers for an unknown training job, which is not the modelled ResourceNotFound."""
    return invalid("Requested resource not found.")
