"""Weight interpolation between the trained weights and the starting weights (WiSE-FT).

A fine-tuned model forgets classes with few examples in the new images. Interpolation with the starting
weights retains them: the loss has no barrier between the two, and figures are often best in between (Wortsman
et al., "Robust fine-tuning of zero-shot models", 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from numpy.typing import NDArray

__all__ = ["ALPHAS", "LOOKS", "best_alpha", "interpolate"]

Array = NDArray[Any]
Seen = TypeVar("Seen")

ALPHAS = (0.25, 0.5, 0.75, 1.0)  # fractions of the starting weights, tried in this order
LOOKS = 1 + len(ALPHAS)  # evaluations that the choice may take: the trained weights alone are the first


def interpolate(trained: Sequence[Array], start: Sequence[Array], alpha: float) -> list[Array]:
    """(1 − alpha) · trained + alpha · start, array by array.

    Args:
        trained: the arrays of a network.
        start: its starting weights, in the same order.
        alpha: fraction of ``start``, in [0, 1].

    >>> import numpy as np
    >>> [values.tolist() for values in interpolate([np.array([1.0, 4.0])], [np.array([0.0, 8.0])], 0.25)]
    [[0.75, 5.0]]
    """
    return [((1 - alpha) * a + alpha * b).astype(a.dtype) for a, b in zip(trained, start, strict=True)]


def best_alpha(
    look: Callable[[float], Seen],
    figure: Callable[[Seen], float],
    time_left: Callable[[], bool] = lambda: True,
) -> tuple[float, Seen]:
    """Increase the fraction of the starting weights as long as the figure improves and there is time.

    Args:
        look: fraction of the starting weights → measurement.
        figure: measurement → figure to maximise.
        time_left: whether there is time for one measurement more.

    Returns:
        The best fraction (0 if none is better than the trained weights alone), and its measurement.

    >>> best_alpha(lambda alpha: 1 - (alpha - 0.4) ** 2, float)
    (0.5, 0.99)
    """
    best = 0.0, look(0.0)
    for alpha in ALPHAS:
        if not time_left():
            break
        seen = look(alpha)
        if figure(seen) <= figure(best[1]):
            break
        best = alpha, seen
    return best
