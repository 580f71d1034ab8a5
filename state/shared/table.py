"""What the shared rows ask of a table, in words that any key-value store with conditional writes has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

Value: TypeAlias = str | int | float | bool
Item: TypeAlias = Mapping[str, Value]
"""One row: ``pk`` and ``sk`` are its key, the other attributes are text, numbers and flags."""


@dataclass(frozen=True)
class Update:
    """A change of some attributes of one item, which is made where there is none.

    Attributes:
        pk: The item's partition.
        sk: Its key within the partition.
        values: What becomes of its attributes; None removes one.
        where: What they must be for the change to happen; None for an attribute that must not be there.
    """

    pk: str
    sk: str
    values: Mapping[str, Value | None]
    where: Mapping[str, Value | None] = field(default_factory=dict)


class Table(Protocol):
    """A table of items. Reads see every write that was answered, except those of an index.

    Every method raises ``StoreError`` when the table does not answer, ``Denied`` when it may not be used and
    ``NotFound`` when there is no such table.
    """

    @property
    def name(self) -> str:
        """Where it is, as ``WPFSM_DB`` names it."""
        ...

    def get(self, pk: str, sk: str) -> Item | None:
        """One item."""
        ...

    def query(self, pk: str, prefix: str = "", *, after: str = "") -> Iterator[Item]:
        """The items of a partition whose ``sk`` begins with ``prefix``, and comes after ``after``, by ``sk``."""
        ...

    def last(self, pk: str, prefix: str) -> Item | None:
        """The item with the greatest ``sk`` that begins with ``prefix``."""
        ...

    def indexed(self, index: str, value: str, *, newest_first: bool = False) -> Iterator[Item]:
        """Items whose attribute named as the index has this value, in the index's order. May lag behind."""
        ...

    def put(self, item: Item) -> None:
        """Write a whole item, whatever was there."""
        ...

    def delete(self, pk: str, sk: str) -> None:
        """Remove an item, if it is there."""
        ...

    def update(self, update: Update) -> Item | None:
        """Change one item and return it as it now is; None when the condition did not hold."""
        ...

    def count(self, pk: str, sk: str, counter: str) -> Item:
        """Raise a counter of one item by one and return the item."""
        ...

    def transact(self, updates: Sequence[Update], puts: Sequence[Item], token: str) -> bool:
        """Some changes and some whole items, all or none; False when a condition did not hold.

        Args:
            updates: The changes, each of another item, and the conditions of the whole.
            puts: Items to write.
            token: Names this transaction: sent twice with the same token, it happens once.
        """
        ...


class Blobs(Protocol):
    """Texts and files too large for an item, by name."""

    def put(self, name: str, content: bytes) -> None:
        """Write a whole object."""
        ...

    def get(self, name: str) -> bytes | None:
        """Read an object; None when there is none."""
        ...

    def has(self, name: str) -> bool:
        """Whether there is an object."""
        ...

    def delete(self, name: str) -> None:
        """Remove an object, if it is there."""
        ...
