"""Keeps web pages out: an endpoint on loopback that runs code must not be one that a browser can be led to.

A page of anywhere can make the browser send requests to 127.0.0.1, and a name that resolves to it makes the
answer readable as well. AWS clients send no Origin, and call the endpoint by its own name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

LOOPBACK = re.compile(r"(127\.0\.0\.1|\[::1\]|([^:]+\.)?localhost)(:\d+)?")


def refused(environ: WSGIEnvironment, *, by_any_name: bool = False) -> str | None:
    """Return why a request is not answered, None when it is.

    Args:
        environ: The request.
        by_any_name: The emulator is asked for under other names as well; a token keeps strangers out.
    """
    if "HTTP_ORIGIN" in environ:
        return "The emulator does not answer requests of web pages."
    if by_any_name:
        return None
    host = environ.get("HTTP_HOST", "localhost")
    if not LOOPBACK.fullmatch(host):
        return f"The emulator is called by 127.0.0.1 or localhost, not by {host}."
    return None
