"""Part of the way back: learnt weights mixed with those that the network started from.

A model that knew some of the classes before forgets what the new images show too little of. Mixed with the
weights that it started from, it keeps both: on the straight line from start to end the loss has no hill, and
figures are often best in between (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from numpy.typing import NDArray

__all__ = ["SHARES", "mixed", "way_back"]

Array = NDArray[Any]
Look = TypeVar("Look")

SHARES = (0.25, 0.5, 0.75)  # of the starting weights, tried in this order


def mixed(learnt: Sequence[Array], start: Sequence[Array], share: float) -> list[Array]:
    """So much of the starting weights, the rest of the learnt ones.

    Args:
        learnt: the arrays of a network.
        start: those that it started from, in the same order.
        share: of ``start``, in [0, 1].

    >>> import numpy as np
    >>> [values.tolist() for values in mixed([np.array([1.0, 4.0])], [np.array([0.0, 8.0])], 0.25)]
    [[0.75, 5.0]]
    """
    return [((1 - share) * a + share * b).astype(a.dtype) for a, b in zip(learnt, start, strict=True)]


def way_back(look: Callable[[float], Look], figure: Callable[[Look], float]) -> tuple[float, Look]:
    """Walk back towards the start as long as it gets better.

    Args:
        look: a share of the starting weights → what is seen with it.
        figure: how good that is.

    Returns:
        The best share, 0 if none is better than what was learnt, and what was seen with it.

    >>> way_back(lambda share: 1 - (share - 0.4) ** 2, float)
    (0.5, 0.99)
    """
    best = 0.0, look(0.0)
    for share in SHARES:
        seen = look(share)
        if figure(seen) <= figure(best[1]):
            break
        best = share, seen
    return best
