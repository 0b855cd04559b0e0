"""A cache in memory with a maximum total size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Cache"]

Item = TypeVar("Item")


class Cache(Generic[Item]):
    """Creates items on first use. Thread-safe.

    Args:
        make: index → item.
        size: item → its size in bytes.
        limit: maximum total size of cached items in bytes.
    """

    def __init__(self, make: Callable[[int], Item], size: Callable[[Item], int], limit: int) -> None:
        self._make, self._size, self._limit = make, size, limit
        self._kept: dict[int, Item] = {}
        self._bytes = 0

    def __getitem__(self, index: int) -> Item:
        """The item, from memory if it is cached."""
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        item = self._make(index)
        if self._bytes < self._limit:
            self._bytes += self._size(item)
            self._kept[index] = item
        return item
