"""Numbers from which a reader gets exactly the edges that were written.

Forms have other numbers than edges: centres, widths, fractions, percent. Arithmetic there and back changes
the last bit of an edge, and training is no longer bit-equal. So the neighbours of a number are tried.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import inf, nextafter

__all__ = ["exact", "number_text", "rounded"]


def exact(
    wanted: tuple[float, ...], guesses: tuple[float, ...], back: Callable[..., tuple[float, ...]]
) -> tuple[float, ...]:
    """Numbers near the guesses from which ``back`` gets exactly what is wanted.

    With 15 digits if that is enough, as then there is no residue of arithmetic; if no neighbour fits, which
    binary fractions allow, the guesses with 15 digits.

    >>> exact((17.0,), (17 / 640,), lambda part: (part * 640,))
    (0.0265625,)
    """
    tries = product(*map(_neighbours, guesses))
    return next((numbers for numbers in tries if back(*numbers) == wanted), tuple(map(rounded, guesses)))


def _neighbours(value: float) -> tuple[float, ...]:
    """A number with 15 digits, itself, and the next two on either side."""
    up, down = nextafter(value, inf), nextafter(value, -inf)
    return rounded(value), value, up, down, nextafter(up, inf), nextafter(down, -inf)


def rounded(value: float) -> float:
    """A number with 15 digits, without the residue of arithmetic.

    >>> rounded(0.1 + 0.2), rounded(1 / 3)
    (0.3, 0.333333333333333)
    """
    return float(f"{value:.15g}")


def number_text(value: float) -> str:
    """All digits of a number, without a fraction if it is whole.

    >>> number_text(12.0), number_text(0.1 + 0.2)
    ('12', '0.30000000000000004')
    """
    return repr(int(value)) if value.is_integer() else repr(value)
