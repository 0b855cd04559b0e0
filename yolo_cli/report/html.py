"""Self-contained HTML pages from templates, with embedded images."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["TEMPLATES", "jpeg_url", "render_page", "shrunk"]

Pixels = NDArray[np.uint8]

TEMPLATES = Path(__file__).parent / "templates"
_QUALITY = 80  # JPEG quality


def render_page(template: Path, **values: Any) -> str:
    """Render a template, which may include the files beside it and those of ``report/templates``.

    Raises:
        jinja2.UndefinedError: if the template uses a value that is not in ``values``.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([template.parent, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(figure=_figure, signed=_signed, percent=_percent, tail=_tail)
    return environment.get_template(template.name).render(values)


def jpeg_url(rgb: Pixels) -> str:
    """An image, RGB (H, W, 3), as a data URL of a JPEG file."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), quality)[1]
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"


def shrunk(rgb: Pixels, side: int) -> tuple[Pixels, float]:
    """An image shrunk to a longer side of at most ``side`` pixels, and its scale."""
    scale = min(1.0, side / max(rgb.shape[:2]))
    if scale == 1:
        return rgb, scale
    size = [max(1, round(length * scale)) for length in rgb.shape[1::-1]]
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8), scale


def _figure(value: float | None, digits: int = 3) -> str:
    """A figure, or a dash if there is none."""
    return "–" if value is None or value != value else f"{value:.{digits}f}"  # noqa: PLR0124  # NaN


def _signed(value: float, digits: int = 3) -> str:
    """A figure with its sign."""
    return f"{value:+.{digits}f}".replace("-", "−")


def _tail(name: str) -> str:
    """The last part of a path."""
    return name.rsplit("/", 1)[-1]


def _percent(value: float) -> str:
    """A fraction as a CSS percentage."""
    return f"{100 * min(max(value, 0.0), 1.0):.1f}%"
