"""Who may use the emulator: the user who runs it. It runs code as that user, so nobody else may ask it to.

On Linux the kernel tells whose process is at the other end of a loopback connection. Where it does not, and where
the emulator listens beyond loopback, a token is asked for: AWS clients send it as their session token.
"""

from __future__ import annotations

import hmac
import os
import secrets
import socket
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from wpfsm.adapters.emulator.api import query_protocol
from wpfsm.adapters.emulator.api.wire import Answer, json_refusal
from wpfsm.adapters.emulator.engine.errors import ServiceError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CREDENTIALS_NAME = "credentials"
TOKEN_VARIABLE = "WPFSM_EMULATOR_TOKEN"  # noqa: S105 - the name of a variable
PEER_USER = "wpfsm.peer_user"
"""Where the server puts what tells the user at the other end of a request's connection."""

HEALTH = "/_wpfsm/health"
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
Address = tuple[str, int]


class SameUser:
    """Admits the processes of one user."""

    token = ""

    def __init__(self, user: int) -> None:
        self._user = user

    def refusal(self, environ: WSGIEnvironment, _gave: Callable[[str], bool]) -> str | None:
        """Return why a request is not answered, None when it is."""
        ask: Callable[[], int | None] | None = environ.get(PEER_USER)
        found = ask() if ask else None
        if found == self._user:
            return None
        who = "an unknown user" if found is None else f"user {found}"
        return f"This emulator belongs to user {self._user} and does not answer {who}."


class WithToken:
    """Admits whoever knows the token, or a session token that was given to somebody who knew it."""

    def __init__(self, token: str) -> None:
        self.token = token

    def refusal(self, environ: WSGIEnvironment, gave: Callable[[str], bool]) -> str | None:
        """Return why a request is not answered, None when it is.

        Args:
            environ: The request.
            gave: Tells whether a session token was given to a caller, for instance by AssumeRole.
        """
        if environ.get("PATH_INFO") == HEALTH:
            return None  # asked by whoever waits for the start: it says nothing but that it is there
        sent = environ.get("HTTP_X_AMZ_SECURITY_TOKEN") or _in_query(environ.get("QUERY_STRING", ""))
        if hmac.compare_digest(sent.encode(), self.token.encode()) or gave(sent):
            return None
        return (
            "This emulator asks for its token: use the AWS credentials in the file"
            f" {CREDENTIALS_NAME} of its state directory (AWS_SHARED_CREDENTIALS_FILE)."
        )


Callers = SameUser | WithToken


def callers(host: str) -> Callers:
    """Return who may call an emulator that listens on an address."""
    loopback = host == "localhost" or host.startswith("127.")
    if loopback and TOKEN_VARIABLE not in os.environ and can_tell_users():
        return SameUser(os.getuid())
    return WithToken(os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(24))


def can_tell_users() -> bool:
    """Tell whether this machine says which user is at the other end of a loopback connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        own = server.getsockname()
        with socket.create_connection(own) as client:
            return peer_user(client.getsockname(), own) == os.getuid()


def peer_user(peer: Address, own: Address) -> int | None:
    """Return the user whose socket is at the other end of an IPv4 connection on loopback.

    A socket that its process has closed belongs to nobody; the kernel shows user 0 for it, and no inode.

    Args:
        peer: Address of the other end.
        own: Address of this end.

    Returns:
        None when the system does not say.
    """
    wanted = (_hexadecimal(peer), _hexadecimal(own))
    for table in TABLES:
        try:
            lines = table.read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        for line in lines[1:]:
            words = line.split()
            if (words[1][-13:], words[2][-13:]) == wanted and words[9] != "0":
                return int(words[7])
    return None


def write_credentials(directory: Path, account: str, token: str) -> None:
    """Leave the token where only this user can read it, in the form that AWS clients read by themselves."""
    path = directory / CREDENTIALS_NAME
    draft = path.with_suffix(f".{os.getpid()}")
    lines = (
        "[default]",
        f"aws_access_key_id = {account}",
        "aws_secret_access_key = made-up",
        f"aws_session_token = {token}",
    )
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write("\n".join([*lines, ""]))
    draft.replace(path)


def refuse(environ: WSGIEnvironment, why: str) -> Answer:
    """Return the answer to a caller that is not admitted, in the protocol that it speaks."""
    error = ServiceError("AccessDeniedException", why, HTTPStatus.FORBIDDEN)
    return json_refusal(error) if "HTTP_X_AMZ_TARGET" in environ else query_protocol.refusal(error)


def _in_query(query: str) -> str:
    """Return the session token of a presigned URL, which either version of the signature spells in its own way."""
    found = {name.lower(): values[0] for name, values in parse_qs(query).items()}
    return found.get("x-amz-security-token", "")


def _hexadecimal(address: Address) -> str:
    """Return an address as the end of an entry in the kernel's tables: reversed bytes, colon, port."""
    host, port = address
    return f"{socket.inet_aton(host)[::-1].hex().upper()}:{port:04X}"
