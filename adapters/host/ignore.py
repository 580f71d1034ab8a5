"""What of a source folder never goes into a snapshot, and so never into an upload.

The built-in list, and behind it the lines of ``.wpfsmignore`` at the top of the folder, in the syntax of
``.gitignore``: the last line that fits decides, so ``!.env`` names a file that is wanted after all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

FILE = ".wpfsmignore"

CLUTTER: Sequence[str] = (
    ".git/",
    ".git",
    ".hg/",
    ".svn/",
    ".venv/",
    "venv/",
    "node_modules/",
    "__pycache__/",
    "*.pyc",
    ".mypy_cache/",
    ".ruff_cache/",
    ".pytest_cache/",
    ".tox/",
    ".ipynb_checkpoints/",
    ".cache/",
    ".DS_Store",
)
"""What tools leave in a folder and no training job needs."""

SECRETS: Sequence[str] = (
    ".env",
    ".env.*",
    "!.env.example",
    "!.env.sample",
    "!.env.template",
    ".envrc",
    "*.pem",
    "*.key",
    "*.ppk",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    ".ssh/",
    ".aws/",
    ".gnupg/",
    ".netrc",
    ".pgpass",
    ".pypirc",
    ".npmrc",
    ".git-credentials",
    ".dockercfg",
    "kaggle.json",
    "credentials.json",
    "service-account*.json",
    "service_account*.json",
)
"""What holds passwords and keys: it stays here unless ``.wpfsmignore`` names it with ``!``."""

LeftOut = Callable[[str], bool]
"""Whether a path is left out: relative, with ``/`` between its parts, and ``/`` at the end of a folder's."""


def rules_of(root: Path) -> tuple[LeftOut, LeftOut]:
    """The rules of a folder: what is left out at all, and what of it for the secrets that it may hold.

    Raises:
        ValueError: A line of ``.wpfsmignore`` is no pattern; the message names it.
        OSError: The file cannot be read.
    """
    from pathspec import GitIgnoreSpec  # not needed to look at a loop

    file = root / FILE
    own = file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    try:
        every = GitIgnoreSpec.from_lines([*CLUTTER, *SECRETS, *own])
    except Exception as error:
        raise ValueError(f"{file}: {error}") from error
    secret = GitIgnoreSpec.from_lines(SECRETS)
    return every.match_file, secret.match_file
