"""The statistics of a data set as an HTML page with plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from yolo_cli.datasets.statistics import CELLS, DatasetStats
from yolo_cli.files import atomic_write_text
from yolo_cli.report.html import render_page
from yolo_cli.report.svg import Frame
from yolo_cli.version import __version__

__all__ = ["write_dataset_page"]

_TEMPLATE = Path(__file__).parent / "templates" / "dataset.html"
_BARS = 20  # of a histogram
_MATRIX = 20  # classes of the matrix, the most frequent
_SIZES = 12  # rows of the table of image sizes
_BAR = Markup(
    '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
)
_CELL = Markup(
    '<rect class="cell" x="{}" y="{}" width="1" height="1" style="--v:{:.3f}"><title>{}</title></rect>'
)


@dataclass(frozen=True, slots=True)
class _Matrix:
    """Which classes occur together: names, numbers of images, and these as fractions of the row's class."""

    names: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]
    fractions: tuple[tuple[float, ...], ...]


def write_dataset_page(path: Path, stats: DatasetStats) -> None:
    """Write one self-contained HTML file.

    Raises:
        DataError: if it cannot be written.
    """
    sizes = stats.image_sizes
    text = render_page(
        _TEMPLATE,
        version=__version__,
        stats=stats,
        name=Path(stats.data).name,
        classes=sorted(stats.classes, key=lambda one: -one.boxes),
        most=max((one.boxes for one in stats.classes), default=0) or 1,
        per_image=_per_image(stats),
        sides=_sides(stats),
        centres=_centres(stats),
        matrix=_matrix(stats),
        sizes=sizes[:_SIZES],
        more_sizes=len(sizes) - _SIZES,
    )
    atomic_write_text(path, text)


def _per_image(stats: DatasetStats) -> Markup:
    """Images by their number of boxes; the last bar holds the 1 % with most boxes, too."""
    values = np.repeat(list(stats.boxes_per_image), list(stats.boxes_per_image.values()))  # (images,)
    step = int(np.percentile(values, 99)) // _BARS + 1
    counts = np.bincount(np.minimum(values // step, _BARS - 1)).tolist()
    labels = [str(i) if step == 1 else f"{i * step} to {i * step + step - 1}" for i in range(len(counts))]
    labels[-1] = f"{(len(counts) - 1) * step} or more"
    words = [f"images with {label} boxes: {count:,}" for label, count in zip(labels, counts, strict=True)]
    marks = tuple((i + 0.5, str(i * step)) for i in range(0, len(counts), len(counts) // 8 + 1))
    return _histogram("Images by number of boxes", ("boxes in an image", "images"), counts, words, marks)


def _sides(stats: DatasetStats) -> Markup:
    """Boxes by their side relative to the image's."""
    counts = np.histogram(np.clip(stats.relative_sides, 0, 1), _BARS, (0, 1))[0].tolist()
    edges = [i / _BARS for i in range(_BARS + 1)]
    words = [f"boxes of {a:.2f} to {b:.2f}: {n:,}" for a, b, n in zip(edges, edges[1:], counts, strict=False)]
    marks = tuple((i * _BARS / 5, f"{i / 5:g}") for i in range(6))
    axes = ("side of a box relative to the image's", "boxes")
    return _histogram("Boxes by relative size", axes, counts, words, marks)


def _histogram(
    title: str,
    axes: tuple[str, str],
    counts: Sequence[int],
    words: Sequence[str],
    marks: tuple[tuple[float, str], ...],
) -> Markup:
    """Bars of width 1 from 0."""
    top = max(counts) or 1
    left = 30 + 8 * len(str(top))
    frame = Frame((0.0, float(len(counts))), (0.0, top * 1.05), left=left, x_ticks=marks)
    bars = [_bar(frame, i, count, word) for i, (count, word) in enumerate(zip(counts, words, strict=True))]
    return frame.drawing(title, axes, *bars)


def _bar(frame: Frame, place: int, count: int, words: str) -> Markup:
    """A bar from 0 at x = ``place`` to ``place`` + 1."""
    left, top = frame.across(place), frame.down(count)
    return _BAR.format(left + 1, top, frame.across(place + 1) - left - 2, frame.down(0) - top, words)


def _centres(stats: DatasetStats) -> Markup:
    """The map of centres, the darker the more boxes."""
    most = int(stats.centres.max()) or 1
    cells = [_CELL.format(x, y, n / most, f"boxes: {n:,}") for (y, x), n in np.ndenumerate(stats.centres)]
    return Markup('<svg class="centres" viewBox="0 0 {0} {0}" role="img" aria-label="{1}">{2}</svg>').format(
        CELLS, "Boxes by the place of their centre", Markup("").join(cells)
    )


def _matrix(stats: DatasetStats) -> _Matrix:
    """The most frequent classes of those that occur."""
    order = sorted(range(len(stats.classes)), key=lambda i: -stats.classes[i].images)[:_MATRIX]
    kept = [i for i in order if stats.classes[i].images and len(stats.together)]  # it is empty for many
    rows = stats.together[np.ix_(kept, kept)]  # (K, K)
    fractions = rows / np.maximum(np.diagonal(rows), 1)[:, None]  # (K, K)
    return _Matrix(
        tuple(stats.classes[i].class_name for i in kept),
        tuple(map(tuple, rows.tolist())),
        tuple(map(tuple, fractions.round(3).tolist())),
    )
