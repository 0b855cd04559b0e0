"""Axes for the plots of docs/course.md, each for light and for dark pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt

STYLES = {"": "default", "-dark": "dark_background"}
DARK = "#1b1f24"


def figures(name: str, size: tuple[float, float] = (6.4, 3.2), panels: int = 1) -> Iterator[Any]:
    """Axes, or those of several panels, in each style; each is saved as ``NAME.png`` or ``NAME-dark.png``."""
    for style, sheet in STYLES.items():
        with plt.style.context(sheet):
            drawn, axes = plt.subplots(1, panels, figsize=size, layout="constrained")
            if style:
                drawn.set_facecolor(DARK)
                for each in drawn.axes:
                    each.set_facecolor(DARK)
            yield axes
            drawn.savefig(f"{name}{style}.png", dpi=90, metadata={"Software": None})
            plt.close(drawn)
    print(f"saved {name}.png and {name}-dark.png")


def text_colour() -> str:
    """The colour of text on the present figure."""
    return str(mpl.rcParams["text.color"])
