"""Which session tags a caller carries: the tags of the AssumeRole that made its credentials.

A job with EnableSessionTagChaining matches a pool only under the same set of session tag keys (developer
guide, train-warm-pools), and no training request shows them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping

ACCESS_KEY = re.compile(rb"<AccessKeyId>([^<]+)</AccessKeyId>")
TAG_KEY = re.compile(r"Tags\.member\.\d+\.Key")


class Sessions:
    """Session tag keys by access key; forgotten with the process, as the credentials are."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[str, ...]] = {}
        self._lock = threading.Lock()

    def remember(self, form: Mapping[str, str], answer: bytes) -> None:
        """Note the tags that an answered AssumeRole gave to the credentials in its answer."""
        made = ACCESS_KEY.search(answer)
        keys = tuple(sorted(value for name, value in form.items() if TAG_KEY.fullmatch(name)))
        if made and keys:
            with self._lock:
                self._keys[made.group(1).decode()] = keys

    def tag_keys(self, access_key: str) -> tuple[str, ...]:
        """Return the session tag keys of a caller, sorted."""
        return self._keys.get(access_key, ())
