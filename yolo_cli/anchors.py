"""Anchors: the box sizes that a network's heads scale. Reading, writing, and fitting them to boxes.

A file of anchors is YAML::

    name: yolov3-tiny
    imgsz: 416
    source: origin
    anchors:        # width, height in pixels of an image whose longer side is imgsz pixels
      - [10, 14]
      - [23, 27]

Their order is that of the model's heads; fitted anchors are sorted by area, smallest first.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray

from yolo_cli.config import bundled
from yolo_cli.errors import DataError, UsageError
from yolo_cli.files import atomic_write_text, make_folder
from yolo_cli.text import read_yaml

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Anchors",
    "anchor_figures",
    "best_possible_recall",
    "draw_anchors",
    "fit_anchors",
    "known_anchors",
    "mean_iou",
    "read_anchors",
    "write_anchors",
]

Floats = NDArray[np.floating[Any]]

_MOST_BOXES = 20_000  # larger sets are subsampled: seconds instead of minutes, three digits stay
_MOST_ROUNDS = 300
_MOST_ANCHORS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Anchors:
    """Box sizes with the image size that they are meant for.

    Attributes:
        wh: float64, (K, 2): width and height in pixels at ``imgsz``.
        imgsz: the longer side of the network's input in pixels.
        name: their name.
        source: their origin.

    Raises:
        ValueError: if ``wh`` is not a (K, 2) array of positive finite numbers.
    """

    wh: Floats
    imgsz: int = 416
    name: str = "anchors"
    source: str = ""

    def __post_init__(self) -> None:
        wh = self.wh
        if wh.ndim != 2 or wh.shape[1] != 2 or not len(wh) or not (np.isfinite(wh).all() and (wh > 0).all()):
            raise ValueError(f"wh must be positive finite numbers of shape (K, 2), not {wh.shape}")

    def at(self, imgsz: int) -> Floats:
        """The sizes (K, 2) in pixels, rescaled to another input size."""
        return self.wh * (imgsz / self.imgsz)


def known_anchors() -> tuple[str, ...]:
    """The names of the bundled anchors."""
    return tuple(sorted(path.stem for path in bundled("anchors").glob("*.yaml")))


def read_anchors(name_or_path: str | os.PathLike[str]) -> Anchors:
    """Read bundled anchors by name, or a file of anchors.

    Raises:
        UsageError: if there is neither.
        DataError: if the file is not a file of anchors.
    """
    path = Path(name_or_path)
    if not path.is_file() and path.name == str(name_or_path):
        path = bundled("anchors") / f"{name_or_path}.yaml"
    if not path.is_file():
        names = ", ".join(known_anchors())
        raise UsageError(f"{name_or_path}: no such anchors; give a file, or one of {names}")
    return _checked(read_yaml(path), path)


def write_anchors(path: str | os.PathLike[str], anchors: Anchors) -> None:
    """Write a file of anchors, atomically. Sizes are rounded to two decimals.

    Raises:
        DataError: if the file cannot be written.
    """
    path = Path(path)
    rows = "".join(f"  - [{_brief(w)}, {_brief(h)}]\n" for w, h in anchors.wh)
    head = yaml.safe_dump(
        {"name": anchors.name, "imgsz": anchors.imgsz, "source": anchors.source},
        sort_keys=False,
        allow_unicode=True,
    )
    comment = f"# width, height in pixels of an image whose longer side is {anchors.imgsz} pixels"
    make_folder(path.parent)
    atomic_write_text(path, f"{head}anchors:  {comment}\n{rows}")


def mean_iou(wh: Floats, anchors: Floats) -> float:
    """Mean IoU of boxes (N, 2) with their best anchor of (K, 2), centres aligned.

    The figure of table 1 in Redmon and Farhadi, "YOLO9000: Better, Faster, Stronger", CVPR 2017.
    NaN for no boxes.

    >>> mean_iou(np.array([[10.0, 10], [20, 10]]), np.array([[10.0, 10]]))
    0.75
    """
    return float(_iou(wh, anchors).max(axis=1).mean()) if len(wh) else float("nan")


def best_possible_recall(wh: Floats, anchors: Floats, iou: float = 0.5) -> float:
    """Fraction of boxes (N, 2) with an IoU of at least ``iou`` with some anchor (K, 2), centres aligned.

    The recall bound of a network that does not resize its anchors. NaN for no boxes.

    >>> best_possible_recall(np.array([[10.0, 10], [20, 10], [90, 10]]), np.array([[10.0, 10]]))
    0.6666666666666666
    """
    return float((_iou(wh, anchors).max(axis=1) >= iou).mean()) if len(wh) else float("nan")


def anchor_figures(wh: Floats, anchors: Floats) -> dict[str, float]:
    """`mean_iou` and `best_possible_recall`, by name, rounded to 6 digits."""
    figures = (mean_iou, best_possible_recall)
    return {figure.__name__: round(figure(wh, anchors), 6) for figure in figures}


def fit_anchors(wh: Floats, k: int, *, seed: int = 0, starts: int = 10) -> NDArray[np.float64]:
    """Fit ``k`` anchors to boxes by k-means with the distance 1 - IoU.

    Redmon and Farhadi, "YOLO9000: Better, Faster, Stronger", CVPR 2017, section 2. A cluster's centre is the
    median of its widths and of its heights, which on every set at hand gave at least the mean IoU that means
    gave. Starts are drawn as in Arthur and Vassilvitskii, "k-means++", SODA 2007, with the same distance. The
    order of the boxes does not matter, and the same boxes and seed give the same anchors.

    Args:
        wh: widths and heights of boxes (N, 2) in pixels at the network's size, all above 0.
        k: number of anchors.
        seed: random seed of the starts.
        starts: number of starts; the result with the best mean IoU is returned.

    Returns:
        float64, (k, 2), sorted by area, smallest first.

    Raises:
        UsageError: if ``k`` or ``starts`` is below 1.
        DataError: if the boxes have fewer than ``k`` different sizes, or one is not above 0.
    """
    if not 1 <= k <= _MOST_ANCHORS or starts < 1:
        raise UsageError(f"-k is {k}, but must be between 1 and {_MOST_ANCHORS}, with at least one start")
    boxes = np.asarray(wh, float)  # (N, 2)
    if not (np.isfinite(boxes).all() and (boxes > 0).all()):
        raise DataError("anchors need boxes with widths and heights above 0; see what `yolo lint` lists")
    distinct = len(np.unique(boxes, axis=0))
    if distinct < k:
        raise DataError(f"the boxes have only {distinct} different sizes, too few for {k} anchors")
    boxes = boxes[np.lexsort(boxes.T)]  # (N, 2), sorted, so that the input's order does not matter
    rng = np.random.default_rng(seed)
    if len(boxes) > _MOST_BOXES:
        boxes = boxes[np.sort(rng.choice(len(boxes), _MOST_BOXES, replace=False))]  # (20000, 2)
    fits = [_refined(boxes, _start(boxes, k, rng)) for _ in range(starts)]
    best = max(fits, key=lambda anchors: mean_iou(boxes, anchors))  # (k, 2)
    return best[np.argsort(best.prod(axis=1), kind="stable")]


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


_Shown = tuple[tuple[Floats, str, str], ...]  # sizes (K, 2), colour, name


def _draw_sizes(axes: Axes, wh: Floats, shown: _Shown) -> None:
    """Scatter plot of boxes and anchors by width and height, on logarithmic axes."""
    axes.scatter(wh[:, 0], wh[:, 1], s=6, color="0.6", linewidths=0, alpha=0.5, label=f"{len(wh)} boxes")
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
    axes.set_title(
        f"anchors in the network's {imgsz} x {imgsz} pixels, over 150 of the boxes", fontsize="medium"
    )


def _start(wh: NDArray[np.float64], k: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """``k`` of the boxes (N, 2), drawn with probability rising with the distance to earlier ones: (k, 2)."""
    chosen = [wh[rng.integers(len(wh))]]
    while len(chosen) < k:
        apart = 1 - _iou(wh, np.array(chosen)).max(axis=1)  # (N,)
        total = apart.sum()
        chosen.append(wh[rng.choice(len(wh), p=apart / total if total > 0 else None)])
    return np.array(chosen)


def _refined(wh: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """The best anchors (k, 2) of all rounds of k-means from a start (k, 2)."""
    anchors, best, score = start, start, -1.0
    owner: NDArray[np.intp] = np.full(len(wh), -1)  # (N,)
    for _ in range(_MOST_ROUNDS):
        overlap = _iou(wh, anchors)  # (N, k)
        now = float(overlap.max(axis=1).mean())
        if now > score:  # with medians, a round may be worse than the last
            best, score = anchors, now
        before, owner = owner, overlap.argmax(axis=1)  # (N,), (N,)
        if (before == owner).all():
            break
        anchors = np.array(
            [
                np.median(wh[owner == i], axis=0) if (owner == i).any() else anchors[i]
                for i in range(len(anchors))
            ]
        )  # (k, 2)
    return best


def _iou(wh: Floats, anchors: Floats) -> NDArray[np.float64]:
    """IoU (N, K) of boxes (N, 2) with anchors (K, 2), centres aligned."""
    both = np.minimum(wh[:, None, 0], anchors[:, 0]) * np.minimum(wh[:, None, 1], anchors[:, 1])  # (N, K)
    union = wh.prod(axis=1)[:, None] + anchors.prod(axis=1) - both  # (N, K)
    return np.asarray(both / union)


def _checked(keys: Any, path: Path) -> Anchors:
    """The anchors of a parsed YAML file; raises DataError naming what is missing."""
    rows = keys.get("anchors") if isinstance(keys, dict) else None
    size = keys.get("imgsz", 416) if isinstance(keys, dict) else None
    if not isinstance(rows, list) or not 1 <= len(rows) <= _MOST_ANCHORS or not all(map(_is_pair, rows)):
        raise DataError(f"{path}: needs 'anchors:' with a line '- [width, height]', both above 0, for each")
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= 100_000:
        raise DataError(f"{path}: imgsz must be the network's size in pixels, such as 416")
    return Anchors(np.array(rows, float), size, str(keys.get("name", path.stem)), str(keys.get("source", "")))


def _is_pair(row: Any) -> bool:
    """Whether a row is a width and a height."""
    return (
        isinstance(row, list)
        and len(row) == 2
        and all(
            isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e6
            for value in row
        )
    )


def _brief(value: float) -> str:
    """A size with at most two decimals, but never 0."""
    return f"{max(value, 0.01):.2f}".rstrip("0").rstrip(".")
