"""Jinja2 as the page uses it: a value is redacted and escaped wherever a template prints it.

Only :class:`markupsafe.Markup` is printed as it is, and only the page's own style, scripts and packed data are such.
"""

from __future__ import annotations

import importlib.resources
from functools import cache

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from wpfsm.adapters.report.words import moment, number, span
from wpfsm.fsm.failures.redact import redact
from wpfsm.fsm.units import usd


@cache
def environment() -> Environment:
    """The templates of the page. A name that is not given is an error, None is nothing."""
    made = Environment(
        loader=FunctionLoader(lambda name: resource(f"templates/{name}")),
        autoescape=True,
        finalize=_printed,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"moment": moment, "number": number, "span": span, "usd": usd}
    return made


def own(name: str) -> Markup:
    """A file of this package, printed as it is."""
    return Markup(resource(name))  # noqa: S704 - the package's own text


def resource(name: str) -> str:
    """The text of a file of this package."""
    return importlib.resources.files("wpfsm.adapters.report").joinpath(name).read_text(encoding="utf-8")


def _printed(value: object) -> object:
    if value is None:
        return ""
    return value if isinstance(value, Markup) else redact(str(value))
