"""Copied into the Python environment of each job: the names ``algo-1``, ``algo-2`` and so on mean this machine.

All hosts of an emulated job share the machine's loopback interface, and no name service knows their names. What
resolves names in Python code is told; programs of other languages are not. It must run on every Python that an image
may have, so nothing here is newer than Python 3.6.
"""

# mypy: disallow-untyped-defs=False, disallow-untyped-calls=False

import socket

LOOPBACK = "127.0.0.1"


def local(host):
    """Return the address of a job's host, any other name as it is."""
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    is_host = isinstance(text, str) and text.startswith("algo-") and text[5:].isdigit()
    return LOOPBACK if is_host else host


def _by_name(function):
    """Return a function whose first argument is a name."""

    def resolve(host, *rest, **named):
        return function(local(host), *rest, **named)

    return resolve


def _by_address(function):
    """Return a socket's method whose last argument is a pair of name and port."""

    def reach(self, *arguments):
        *rest, address = arguments
        if isinstance(address, tuple) and address:
            address = (local(address[0]),) + address[1:]  # noqa: RUF005 - see the module's docstring
        return function(self, *rest, address)

    return reach


for _name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
    setattr(socket, _name, _by_name(getattr(socket, _name)))
for _name in ("connect", "connect_ex", "bind", "sendto"):
    setattr(socket.socket, _name, _by_address(getattr(socket.socket, _name)))
