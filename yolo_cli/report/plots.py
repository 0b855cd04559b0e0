"""The curves as image files, for papers and slides. Matplotlib is imported lazily."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from yolo_cli.files import atomic_write, make_folder
from yolo_cli.report.analysis import Analysis
from yolo_cli.report.confusions import confusion_table

__all__ = ["write_plots"]

_DPI = 150
_SUFFIXES = (".png", ".svg")


def write_plots(folder: Path, analysis: Analysis) -> list[Path]:
    """Write four plots into a folder, each as PNG and SVG, and return their paths.

    They are ``precision_recall``, ``threshold`` (precision, recall and F1 by confidence), ``confusion`` and
    ``reliability``.

    Raises:
        DataError: if a file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure  # without pyplot there is no global state, and no display is needed

    plots: dict[str, Callable[[Any, Analysis], None]] = {
        "precision_recall": _precision_recall,
        "threshold": _threshold,
        "confusion": _confusion,
        "reliability": _reliability,
    }
    paths = []
    make_folder(folder)
    for name, plot in plots.items():
        figure = Figure(figsize=(6.4, 4.8), layout="constrained")
        plot(figure.add_subplot(), analysis)
        for suffix in _SUFFIXES:
            paths.append(folder / f"{name}{suffix}")
            date = {"Date": None} if suffix == ".svg" else {}  # equal figures are equal files
            with rc_context({"svg.hashsalt": name}):
                atomic_write(paths[-1], partial(figure.savefig, dpi=_DPI, metadata=date))
    return paths


def _precision_recall(axes: Any, analysis: Analysis) -> None:
    curves = [it.curve for it in analysis.report.per_class if it.ground_truths and len(it.curve.confidence)]
    for place, curve in enumerate(curves):
        label = None if place else "each class"
        axes.plot(curve.recall, curve.precision, color="0.75", linewidth=0.8, label=label)
    curve = analysis.report.curve
    axes.plot(curve.recall, curve.precision, linewidth=2.2, label="all classes")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend()


def _threshold(axes: Any, analysis: Analysis) -> None:
    curve = analysis.report.curve
    lines = {"precision": curve.precision, "recall": curve.recall, "F1": curve.f1}
    for (name, values), style in zip(lines.items(), ("-", "--", ":"), strict=True):
        axes.plot(curve.confidence, values, style, label=name)
    axes.axvline(analysis.confidence, color="0.5", linewidth=1)
    axes.set(xlabel="confidence threshold", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend()


def _confusion(axes: Any, analysis: Analysis) -> None:
    table = confusion_table(analysis.confusion)
    places = np.arange(len(table.names))  # (R,)
    axes.imshow(np.array(table.fractions), cmap="Blues", vmin=0, vmax=1)
    size = 9 if len(places) < 12 else 6
    axes.set_xticks(places, [*table.names[:-1], "missed"], rotation=90, fontsize=size)
    axes.set_yticks(places, table.names, fontsize=size)
    axes.set(xlabel="detected", ylabel="ground truth")
    if len(places) > 12:
        return  # numbers would be too small to read
    for row, column in np.ndindex(len(places), len(places)):
        if table.rows[row][column]:
            ink = "white" if table.fractions[row][column] > 0.5 else "black"
            axes.text(column, row, table.rows[row][column], ha="center", va="center", color=ink, fontsize=8)


def _reliability(axes: Any, analysis: Analysis) -> None:
    seen = analysis.reliability
    width = 1 / len(seen.count)
    full = seen.count > 0  # (B,)
    axes.bar(np.flatnonzero(full) * width, seen.precision[full], width * 0.92, align="edge")
    axes.plot([0, 1], [0, 1], "k--", linewidth=1)
    error = seen.expected_calibration_error
    title = "no detections" if error is None else f"D-ECE {error:.3f}"
    axes.set(xlabel="confidence", ylabel="fraction correct", xlim=(0, 1), ylim=(0, 1), title=title)
