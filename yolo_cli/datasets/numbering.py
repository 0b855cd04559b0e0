"""Find images by the ids that another list gives them, and say how a numbering that does not fit is off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["positions", "shift_between"]

_DENSE = 16  # the span of ids per id, up to which they are looked up in a table


def positions(values: Sequence[Any], known: Mapping[Any, int]) -> NDArray[np.int64]:
    """The index of each value (N,), or -1. The numbers 1 and 1.0 and the text "1" are one id.

    >>> positions([7, 7.0, "7", None, [7]], {7: 0}).tolist()
    [0, 0, 0, -1, -1]
    """
    with suppress(OverflowError):  # ids beyond 64 bits
        if set(map(type, values)) == {int} == set(map(type, known)):
            return _integer_positions(np.array(values, np.int64), known)
    try:
        found = [known.get(value, -1) for value in values]
    except TypeError:  # a list or an object
        found = [known.get(value, -1) if isinstance(value, (int, float, str)) else -1 for value in values]
    if -1 in found:
        spelt = {str(key): index for key, index in reversed([*known.items()])}
        pairs = zip(found, values, strict=True)
        found = [
            spelt.get(str(value), -1) if index < 0 and isinstance(value, (int, str)) else index
            for index, value in pairs
        ]
    return np.array(found, np.int64)


def _integer_positions(values: NDArray[np.int64], known: Mapping[int, int]) -> NDArray[np.int64]:
    """`positions` of whole numbers (N,)."""
    ids = np.fromiter(known.keys(), np.int64, len(known))  # (K,)
    index = np.fromiter(known.values(), np.int64, len(known))  # (K,)
    low, high = int(ids.min()), int(ids.max())
    if high - low < _DENSE * len(ids):
        table = np.full(high - low + 1, -1)  # (high - low + 1,)
        table[ids - low] = index
        return np.where((low <= values) & (values <= high), table[np.clip(values, low, high) - low], -1)
    order = np.argsort(ids)  # (K,)
    nearest = order[np.minimum(np.searchsorted(ids, values, sorter=order), len(ids) - 1)]  # (N,)
    return np.where(ids[nearest] == values, index[nearest], -1)


def shift_between(given: Iterable[Any], known: Iterable[Any]) -> int | None:
    """The number, 1 or -1, that must be added to every given id to make it a known one.

    None if the ids are not whole numbers, all are known as they are, or adding neither makes them known.

    >>> shift_between([0, 1, 2], [1, 2, 3]), shift_between([1, 2], [1, 2, 3]), shift_between([5], [1, 2])
    (1, None, None)
    """
    ids, those = _whole(given), _whole(known)
    if not ids or not those or ids <= those:
        return None
    return next((step for step in (1, -1) if {each + step for each in ids} <= those), None)


def _whole(values: Iterable[Any]) -> set[int]:
    """The values if all are whole numbers, else nothing."""
    listed = list(values)
    whole = all(isinstance(value, (int, np.integer)) for value in listed)
    return set(map(int, listed)) if whole else set()
