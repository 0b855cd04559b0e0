"""The comparison as one page: accuracy against time, images side by side, where the arithmetic went."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray

from yolo_cli.comparison.measure import Measured
from yolo_cli.datasets import Sample
from yolo_cli.detections import Detections
from yolo_cli.files import atomic_write_text
from yolo_cli.images import Image
from yolo_cli.render import draw

__all__ = ["arithmetic_map", "write_page"]

Floats = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]

SHOWN, SIDE, QUALITY = 4, 320, 82  # images, their longer side in pixels, of JPEG
CONFIDENT = 0.3  # only boxes above this are drawn: the floor of judging would hide the image
DARKEST = 5  # powers of ten between the darkest and the brightest place of the heat maps


@dataclass(frozen=True, slots=True)
class _Panel:
    """One image of the page as a data URL, with the words beneath it."""

    href: str
    words: str


def write_page(
    path: Path, measured: Sequence[Measured], samples: Sequence[Sample], title: str, version: str
) -> None:
    """Write one self-contained HTML file.

    Args:
        path: where to.
        measured: the detectors, in the order in which they shall stand.
        samples: the images, the first of which is shown with the arithmetic.
        title: what was compared on what.
        version: of this program.

    Raises:
        DataError: if it cannot be written.
    """
    folder = Path(__file__).parent / "templates"
    pages = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)
    first = samples[0].read()
    text = pages.get_template("comparison.html").render(
        title=title,
        version=version,
        rows=[one.row for one in measured],
        chart=_chart(measured),
        images=[_side_by_side(sample, measured) for sample in samples[:SHOWN]],
        heat=[_heat(one, first) for one in measured],
        confident=CONFIDENT,
        decades=DARKEST,
    )
    atomic_write_text(path, text)


def arithmetic_map(one: Measured, height: int, width: int) -> Floats:
    """Multiply-accumulates for each pixel of the first image, (height, width); their sum is all of them.

    What the network does for the image as a whole is spread over all of it, what it does for a region over
    that region.
    """
    steps = np.zeros((height + 1, width + 1))  # differences along both axes
    for x1, y1, x2, y2 in _inside(one.regions, height, width).tolist():
        share = one.cost.each / ((x2 - x1) * (y2 - y1))
        steps[y1, x1] += share
        steps[y2, x2] += share
        steps[y1, x2] -= share
        steps[y2, x1] -= share
    spread = steps.cumsum(axis=0).cumsum(axis=1)[:height, :width]  # (height, width)
    spent: Floats = np.maximum(spread, 0) + one.cost.whole / (height * width)
    return spent


def _inside(regions: Floats, height: int, width: int) -> NDArray[np.int64]:
    """Regions (N, 4) in whole pixels of the image, each at least one wide and high."""
    low = np.clip(np.rint(regions[:, :2]), 0, [width - 1, height - 1])  # (N, 2)
    high = np.maximum(np.clip(np.rint(regions[:, 2:]), 0, [width, height]), low + 1)  # (N, 2)
    return np.concatenate([low, high], axis=1).astype(np.int64)


def _heat(one: Measured, image: Image) -> _Panel:
    """Where the arithmetic went, on a scale that is the same for all detectors."""
    spent = np.log10(np.maximum(arithmetic_map(one, image.height, image.width), 1))  # (height, width)
    shade = np.clip((spent - 3) / DARKEST, 0, 1)  # a thousand a pixel is dark
    colours: Any = cv2.applyColorMap((255 * shade).astype(np.uint8), cv2.COLORMAP_INFERNO)  # BGR
    grey = image.rgb.mean(axis=2, keepdims=True)  # (height, width, 1)
    mixed = (0.75 * colours[:, :, ::-1] + 0.25 * grey).astype(np.uint8)
    return _Panel(_href(mixed), f"{one.row.name}: {one.row.multiply_accumulates / 1e9:,.1f} billion")


def _side_by_side(sample: Sample, measured: Sequence[Measured]) -> list[_Panel]:
    """One image as each detector that came to it sees it."""
    image = sample.read()
    panels = []
    for one in measured:
        if sample.name not in one.found:
            panels.append(_Panel(_href(image.rgb // 4), f"{one.row.name}: not reached in its time"))
            continue
        found = one.found[sample.name]
        shown: Detections = found[found.confidence > CONFIDENT]
        panels.append(_Panel(_href(draw(image, shown, one.class_names)), f"{one.row.name}: {len(shown)}"))
    return panels


def _href(rgb: Pixels) -> str:
    """A JPEG of at most SIDE pixels as a data URL."""
    scale = min(1.0, SIDE / max(rgb.shape[:2]))
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    small: Any = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[
        1
    ]
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"


def _chart(measured: Sequence[Measured]) -> Markup | None:
    """Accuracy over time, with powers of ten along the time; None where there is no accuracy."""
    rows = [one.row for one in measured if one.row.map50 is not None]
    if not rows:
        return None
    times = [math.log10(max(row.total_ms, 0.1)) for row in rows]
    low, high = math.floor(min(times)), math.floor(max(times)) + 1
    marks = [_x_mark(power, low, high) for power in range(low, high + 1)]
    marks += [_y_mark(step / 5) for step in range(6)]
    dots = [
        _dot(row.name, _across(at, low, high), _down(row.map50 or 0), above=place % 2 == 0)
        for place, (at, row) in enumerate(sorted(zip(times, rows, strict=True), key=lambda pair: pair[0]))
    ]
    return Markup(
        '<svg viewBox="0 0 720 380" role="img" aria-label="mAP50 over milliseconds an image">{}'
        '<text x="390" y="376" text-anchor="middle">milliseconds an image</text>'
        '<text transform="translate(14 180) rotate(-90)" text-anchor="middle">mAP50</text></svg>'
    ).format(Markup("").join([*marks, *dots]))


def _across(power: float, low: int, high: int) -> float:
    return 60 + (power - low) / (high - low) * 620


def _down(value: float) -> float:
    return 320 - value * 295


def _x_mark(power: int, low: int, high: int) -> Markup:
    return Markup(
        '<line x1="{0:.1f}" x2="{0:.1f}" y1="20" y2="320"/>'
        '<text x="{0:.1f}" y="352" text-anchor="middle">{1:,g}</text>'
    ).format(_across(power, low, high), 10.0**power)


def _y_mark(value: float) -> Markup:
    return Markup(
        '<line x1="60" x2="680" y1="{0:.1f}" y2="{0:.1f}"/>'
        '<text x="52" y="{1:.1f}" text-anchor="end">{2:g}</text>'
    ).format(_down(value), _down(value) + 4, value)


def _dot(name: str, x: float, y: float, above: bool) -> Markup:
    """A dot with its name; neighbours have theirs on different sides of it."""
    return Markup(
        '<circle cx="{:.1f}" cy="{:.1f}" r="6"/>'
        '<text class="dot" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>'
    ).format(x, y, min(max(x, 110), 650), y - 12 if above else y + 22, name)
