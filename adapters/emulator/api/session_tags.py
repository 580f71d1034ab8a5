"""Which session tags a caller carries: the tags of the AssumeRole that made its credentials.

A job with EnableSessionTagChaining matches a pool only under the same set of session tag keys (developer
guide, train-warm-pools), and no training request shows them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping

ACCESS_KEY = re.compile(rb"<AccessKeyId>([^<]+)</AccessKeyId>")
SESSION_TOKEN = re.compile(rb"<SessionToken>([^<]+)</SessionToken>")
TAG_KEY = re.compile(r"Tags\.member\.\d+\.Key")


class Sessions:
    """Session tag keys by access key; forgotten with the process, as the credentials are."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[str, ...]] = {}
        self._tokens: set[str] = set()
        self._lock = threading.Lock()

    def remember(self, form: Mapping[str, str], answer: bytes) -> None:
        """Note the session token in an answer of STS, and the tags that it gave to the credentials beside it."""
        if token := SESSION_TOKEN.search(answer):
            with self._lock:
                self._tokens.add(token.group(1).decode())
        made = ACCESS_KEY.search(answer)
        keys = tuple(sorted(value for name, value in form.items() if TAG_KEY.fullmatch(name)))
        if made and keys:
            with self._lock:
                self._keys[made.group(1).decode()] = keys

    def tag_keys(self, access_key: str) -> tuple[str, ...]:
        """Return the session tag keys of a caller, sorted."""
        return self._keys.get(access_key, ())

    def gave(self, token: str) -> bool:
        """Tell whether a session token came from an answer of this process."""
        with self._lock:
            return token in self._tokens
