"""What a job's pip is told about the outside: the user's index settings, without the user's credentials.

A job sees no variable of the environment that the emulator was started in. Its pip must still find the
index (mirror, CA bundle, proxy) that works on this machine, so those settings, and only those, are written
into the ``pip.conf`` of the job's environment. A URL that carries user information is dropped.
"""

from __future__ import annotations

import configparser
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

_SETTINGS = (
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "trusted-host",
    "prefer-binary",
    "cert",
    "proxy",
    "timeout",
    "default-timeout",
    "retries",
)
_OF_A_JOB = {
    "disable-pip-version-check": "true",  # nothing is asked that the job did not ask for
    "no-input": "true",
    "compile": "false",  # a job imports a part of what it installs, once: Python compiles that part as it goes
}
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def carries_credentials(value: str) -> bool:
    """Tell whether one of the URLs in ``value``, which may lack its scheme, has a user or a password in it."""
    try:
        places = [urlsplit(word if "://" in word else f"//{word}").netloc for word in value.split()]
    except ValueError:
        return True  # what cannot be read is not passed on
    return any("@" in place for place in places)


def pip_configuration(environ: Mapping[str, str]) -> str:
    """Return the text of a ``pip.conf`` for jobs.

    Args:
        environ: The environment of the emulator. Its ``HOME`` says where the user's own files are.

    Returns:
        One ``[global]`` section. A setting that had to be dropped is written empty, which also cancels the
        same setting in the machine's own files: pip ignores a setting without a value.
    """
    settings = dict(_OF_A_JOB)
    for name, value in _found(environ):
        words = [word for word in value.split() if not carries_credentials(word)]
        settings[name] = "\n    ".join(words)
    lines = [f"{name} = {value}" for name, value in settings.items()]
    return "\n".join(["[global]", *lines, ""])


def _found(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the settings that pip would use here, weakest first."""
    for names, setting in ((_BUNDLES, "cert"), (_PROXIES, "proxy")):
        values = (environ[name] for name in names if environ.get(name))
        if value := next(values, None):
            yield setting, value
    for path in _configuration_files(environ):
        yield from _settings_of(path)
    for name in _SETTINGS:
        if value := environ.get(f"PIP_{name.upper().replace('-', '_')}"):
            yield name, value


def _configuration_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield pip's files in its own order (pip user guide, "Configuration": global, user, site, then the variable)."""
    yield Path("/etc/xdg/pip/pip.conf")
    yield Path("/etc/pip.conf")
    if home := environ.get("HOME"):
        yield Path(home, "Library/Application Support/pip/pip.conf")
        yield Path(home, ".pip/pip.conf")
        yield Path(environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "pip/pip.conf")
    yield Path(sys.prefix, "pip.conf")
    if named := environ.get("PIP_CONFIG_FILE"):
        yield Path(named)


def _settings_of(path: Path) -> Iterator[tuple[str, str]]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return  # pip itself would refuse this file; a job goes on without it
    for section in ("global", "install"):
        if parser.has_section(section):
            yield from ((name, value) for name, value in parser.items(section) if name in _SETTINGS)
