"""The plots of docs/course.md, each for light and for dark pages, in the working folder.

python docs/course/plots.py backbones | residual
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
import numpy as np

STYLES = {"": "default", "-dark": "dark_background"}


@contextmanager
def figure(name: str, style: str) -> Iterator[Any]:
    """Axes in one of the styles; the figure is saved as ``NAME.png`` or ``NAME-dark.png``."""
    with plt.style.context(STYLES[style]):
        drawn, axes = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
        if style:
            drawn.set_facecolor("#1b1f24")
            axes.set_facecolor("#1b1f24")
        yield axes
        drawn.savefig(f"{name}{style}.png", dpi=90)
        plt.close(drawn)


def backbones() -> None:
    """Parameters and multiply-accumulates of the classic networks."""
    from yolo_cli import list_backbones

    rows = list_backbones().rows
    for style in STYLES:
        with figure("backbones", style) as axes:
            for number, row in enumerate(rows):
                place = (row.multiply_accumulates / 1e9, row.parameters / 1e6)
                axes.scatter(*place, s=40)
                below = (6, -11) if number % 2 else (6, 5)  # some are nearly in one place
                axes.annotate(row.name, place, below, textcoords="offset points", fontsize=8)
            axes.set(xscale="log", yscale="log", xlim=(0.1, 60), ylim=(0.02, 80))
            axes.set(xlabel="multiply-accumulates in billions", ylabel="parameters in millions")


def residual() -> None:
    """The training loss of a plain and of a residual network; see `residual.py`."""
    from residual import DEPTH, losses

    found = {name: losses(name == "residual") for name in ("plain", "residual")}
    for name, values in found.items():
        print(f"{name}: {DEPTH} convolutions, loss of the last 40 steps {np.mean(values[-40:]):.3f}")
    for style in STYLES:
        with figure("residual", style) as axes:
            for name, values in found.items():
                axes.plot(np.convolve(values, np.ones(10) / 10, "valid"), label=name)
            axes.set(xlabel="step", ylabel="training loss", ylim=(0, None))
            axes.legend()


PLOTS: dict[str, Callable[[], None]] = {"backbones": backbones, "residual": residual}

if __name__ == "__main__":
    PLOTS[sys.argv[1]]()
