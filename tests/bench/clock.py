"""How long something takes when nothing disturbs it."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any


def fastest(function: Callable[[], Any], seconds: float = 0.5, min_repeats: int = 5) -> float:
    """The shortest of many runs, in seconds: what else the machine does only ever adds time."""
    function()
    times: list[float] = []
    while len(times) < min_repeats or sum(times) < seconds:
        start = perf_counter()
        function()
        times.append(perf_counter() - start)
    return min(times)
