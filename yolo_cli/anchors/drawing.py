"""Draw anchors over the boxes that they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.anchors.kmeans import mean_iou
from yolo_cli.anchors.sizes import Anchors
from yolo_cli.text import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_anchors"]

Floats = NDArray[np.floating[Any]]
_Shown = tuple[tuple[Floats, str, str], ...]  # sizes (K, 2), colour, name


def draw_anchors(wh: Floats, anchors: Anchors, present: Anchors) -> NDArray[np.uint8]:
    """A plot of boxes and anchors: the distribution of sizes, and the anchors in the network's input.

    Args:
        wh: boxes (N, 2) in pixels at ``anchors.imgsz``.
        anchors: the new anchors.
        present: anchors to compare with, at any imgsz.

    Returns:
        uint8, (height, width, 3), RGB.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 6.4), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    shown = (
        (present.at(anchors.imgsz), "tab:orange", f"present: {present.name}"),
        (anchors.wh, "tab:blue", f"new: {anchors.name}"),
    )
    _draw_sizes(left, wh, shown)
    _draw_square(right, wh, shown, anchors.imgsz)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib leaves these two untyped
    rgba = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]  # (height, width, 4)
    return rgba[..., :3].copy()


def _draw_sizes(axes: Axes, wh: Floats, shown: _Shown) -> None:
    """Scatter plot of boxes and anchors by width and height, on logarithmic axes."""
    axes.scatter(wh[:, 0], wh[:, 1], s=6, color="0.6", linewidths=0, alpha=0.5, label=counted(len(wh), "box"))
    for (sizes, colour, name), marker in zip(shown, ("s", "o"), strict=True):
        label = f"{name} (mean IoU {mean_iou(wh, sizes):.3f})"
        axes.scatter(
            sizes[:, 0], sizes[:, 1], s=70, marker=marker, color=colour, edgecolors="white", label=label
        )
    every = np.concatenate([wh, *(sizes for sizes, _, _ in shown)])  # (N + K + L, 2)
    span = (every.min() / 1.3, every.max() * 1.3)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set(xlim=span, ylim=span, aspect="equal", xlabel="width in pixels", ylabel="height in pixels")
    axes.set_title("boxes and anchors by size", fontsize="medium")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    axes.legend(loc="upper left")


def _draw_square(axes: Axes, wh: Floats, shown: _Shown, imgsz: int) -> None:
    """The anchors, over at most 150 of the boxes, as frames centred in a square."""
    from matplotlib.patches import Rectangle

    some = np.random.default_rng(0).permutation(len(wh))[:150]
    frames = [(size, "0.75", "-", 0.4) for size in wh[some]]
    frames += [(size, shown[0][1], "--", 1.6) for size in shown[0][0]]
    frames += [(size, shown[1][1], "-", 2.0) for size in shown[1][0]]
    for (w, h), colour, style, thickness in frames:
        corner = ((imgsz - w) / 2, (imgsz - h) / 2)
        axes.add_patch(
            Rectangle(corner, w, h, fill=False, edgecolor=colour, linestyle=style, linewidth=thickness)
        )
    axes.set(xlim=(0, imgsz), ylim=(imgsz, 0), aspect="equal")
    over = f"{len(some)} of {len(wh)} boxes"
    axes.set_title(f"anchors in the network's {imgsz} x {imgsz} pixels, over {over}", fontsize="medium")
