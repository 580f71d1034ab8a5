"""A table and a bucket in this process: the twin of DynamoDB's, for tests that make thousands of commits."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from wpfsm.state.shared.table import Item, Update, Value


class MemoryTable:
    """Implements :class:`wpfsm.state.shared.table.Table`."""

    name = "memory"

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], dict[str, Value]] = {}
        self._lock = threading.RLock()

    def get(self, pk: str, sk: str) -> Item | None:
        """One item."""
        with self._lock:
            item = self._items.get((pk, sk))
            return dict(item) if item is not None else None

    def query(self, pk: str, prefix: str = "", *, after: str = "") -> Iterator[Item]:
        """Items of a partition, by their key."""
        with self._lock:
            keys = sorted(k for k in self._items if k[0] == pk and k[1].startswith(prefix) and k[1] > after)
            found = [dict(self._items[key]) for key in keys]
        yield from found

    def last(self, pk: str, prefix: str) -> Item | None:
        """The item with the greatest key."""
        return next(reversed(list(self.query(pk, prefix))), None)

    def indexed(self, index: str, value: str, *, newest_first: bool = False) -> Iterator[Item]:
        """Items of an index, in its order."""
        order = {"listed": "created_at", "unfinished": "due"}.get(index, "sk")
        with self._lock:
            found = [dict(item) for item in self._items.values() if item.get(index) == value]
        yield from sorted(found, key=lambda item: item[order], reverse=newest_first)  # type: ignore[arg-type,return-value]

    def put(self, item: Item) -> None:
        """Write a whole item."""
        with self._lock:
            self._items[str(item["pk"]), str(item["sk"])] = dict(item)

    def delete(self, pk: str, sk: str) -> None:
        """Remove an item."""
        with self._lock:
            self._items.pop((pk, sk), None)

    def update(self, update: Update) -> Item | None:
        """Change one item under its condition."""
        with self._lock:
            return self._change(update) if self._holds(update) else None

    def count(self, pk: str, sk: str, counter: str) -> Item:
        """Raise a counter by one."""
        with self._lock:
            item = self._items.setdefault((pk, sk), {"pk": pk, "sk": sk})
            item[counter] = int(item.get(counter, 0)) + 1
            return dict(item)

    def transact(self, updates: Sequence[Update], puts: Sequence[Item], token: str) -> bool:
        """All of it or nothing."""
        with self._lock:
            if not all(self._holds(update) for update in updates):
                return False
            for update in updates:
                self._change(update)
            for item in puts:
                self.put(item)
            return True

    def _holds(self, update: Update) -> bool:
        item = self._items.get((update.pk, update.sk), {})
        return all(item.get(name) == value for name, value in update.where.items())

    def _change(self, update: Update) -> Item:
        item = self._items.setdefault((update.pk, update.sk), {"pk": update.pk, "sk": update.sk})
        for name, value in update.values.items():
            if value is None:
                item.pop(name, None)
            else:
                item[name] = value
        return dict(item)


class MemoryBlobs:
    """Implements :class:`wpfsm.state.shared.table.Blobs`."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> None:
        """Write a whole object."""
        self._objects[name] = content

    def get(self, name: str) -> bytes | None:
        """Read an object."""
        return self._objects.get(name)

    def has(self, name: str) -> bool:
        """Whether there is an object."""
        return name in self._objects

    def delete(self, name: str) -> None:
        """Remove an object."""
        self._objects.pop(name, None)
