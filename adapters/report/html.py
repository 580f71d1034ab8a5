"""HTML that is escaped and redacted by construction: text becomes markup only through :func:`el`."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TypeAlias

from wpfsm.fsm.failures.redact import redact

VOID = frozenset({"br", "hr", "img", "meta", "col"})


class Markup(str):
    """Text that is HTML already. Made by :func:`el` and :func:`join`, and by nobody from data."""

    __slots__ = ()


Child: TypeAlias = "Markup | str | int | float | None | Iterable[Child]"


def el(name: str, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """An element; children that are not :class:`Markup` are redacted and escaped.

    Args:
        name: Of the element.
        children: Text, elements, or iterables of them; None is nothing.
        attributes: ``class_`` and ``for_`` lose their underscore, other underscores become hyphens; True
            stands alone, False and None are left out.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        word = key.rstrip("_").replace("_", "-")
        parts.append(word if value is True else f'{word}="{html.escape(redact(str(value)))}"')
    opening = f"<{' '.join(parts)}>"
    return Markup(opening if name in VOID else f"{opening}{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Markup:
    """Children one after the other, redacted and escaped where they are text."""
    return Markup("".join(_one(child) for child in children))


def _one(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str | int | float):
        return html.escape(redact(str(child)))
    return join(child)
