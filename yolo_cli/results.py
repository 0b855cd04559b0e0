"""Results of the Python API: the detections of one image, with the image and the class names."""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias, overload

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from yolo_cli.boxes import xyxy_to_xywh
from yolo_cli.detections import Classes, Detections, class_ids
from yolo_cli.errors import UsageError
from yolo_cli.files import path_of
from yolo_cli.images import Image, encode_image, write_image
from yolo_cli.render import DrawStyle, draw
from yolo_cli.text import counted, json_line

__all__ = ["Detection", "Result", "each_detection", "keypoint_columns"]

_PREVIEW = 1024  # pixels of the longer side in a notebook

Floats: TypeAlias = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, repr=False)
class Detection:
    """One object on an image.

    Attributes:
        class_name: the name of its class.
        class_id: the index of that name in the model's class names.
        confidence: in [0, 1].
        xyxy: left, top, right and bottom edge in pixels of the upright original.
        keypoints: x and y in pixels of each key point, and how probably it is visible; () without.
    """

    class_name: str
    class_id: int
    confidence: float
    xyxy: tuple[float, float, float, float]
    keypoints: tuple[tuple[float, float, float], ...] = ()

    def __repr__(self) -> str:
        edges = " ".join(f"{edge:.0f}" for edge in self.xyxy)
        return f"<Detection {self.class_name} {self.confidence:.2f} [{edges}]>"

    def to_dict(self) -> dict[str, Any]:
        """As printed by ``--format json``: edges rounded to 0.01 pixels, confidence to 0.0001."""
        points = [[round(x, 2), round(y, 2), round(visible, 4)] for x, y, visible in self.keypoints]
        return {
            "class_id": self.class_id,
            "class_name": self.class_name,
            "confidence": round(self.confidence, 4),
            "box": [round(edge, 2) for edge in self.xyxy],
            **({"keypoints": points} if points else {}),
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Result(Sequence[Detection]):
    """The detections on one image, most confident first: a sequence of `Detection`, false when empty.

    An index gives one `Detection`; a slice, a boolean mask (N,) or integer positions (K,) give a `Result`
    with those detections. Two results are equal if their images (name and pixels), detections and class
    names are; times do not count.

    Attributes:
        image: the image.
        detections: the N detections as arrays.
        names: the model's class names, by class id.
        time_ms: milliseconds of ``read``, ``prepare``, ``infer`` and ``post``.

    >>> image = Image(np.zeros((40, 60, 3), np.uint8), "a.png")
    >>> boxes = np.float32([[0, 0, 30, 40], [0, 0, 10, 20]])
    >>> result = Result(image, Detections(boxes, np.float32([0.9, 0.5]), np.array([1, 0])), ("cat", "dog"))
    >>> result
    <Result a.png 60x40: 1 dog, 1 cat>
    >>> result[0]
    <Detection dog 0.90 [0 0 30 40]>
    >>> result.filter(classes="cat").xywh
    array([[ 0.,  0., 10., 20.]], dtype=float32)
    """

    image: Image
    detections: Detections
    names: tuple[str, ...]
    time_ms: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.detections)

    @overload
    def __getitem__(self, index: int) -> Detection: ...
    @overload
    def __getitem__(self, index: slice | ArrayLike) -> Result: ...
    def __getitem__(self, index: int | slice | ArrayLike) -> Detection | Result:
        if isinstance(index, int | np.integer) and not isinstance(index, bool):
            return next(iter(self[[range(len(self))[index]]]))
        if not isinstance(index, slice):
            chosen = np.asarray(index)
            index = chosen if chosen.size else chosen.astype(np.intp)  # an empty list is float
        return Result(self.image, self.detections[index], self.names, self.time_ms)

    def __iter__(self) -> Iterator[Detection]:
        return each_detection(self.detections, self.names)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        pairs = zip(self._arrays(), other._arrays(), strict=True)
        same_arrays = (np.array_equal(a, b) for a, b in pairs)  # type: ignore[arg-type]  # None is a 0-d array
        return (self.image.name, self.names) == (other.image.name, other.names) and all(same_arrays)

    __hash__ = None  # type: ignore[assignment]  # its arrays can change

    def _arrays(self) -> tuple[NDArray[Any] | None, ...]:
        return self.image.rgb, self.xyxy, self.confidence, self.class_id, self.keypoints

    def __repr__(self) -> str:
        counts = ", ".join(counted(count, name) for name, count in self.counts.items())
        return f"<Result {self.image.name} {self.image.width}x{self.image.height}: {counts or 'nothing'}>"

    @property
    def xyxy(self) -> Floats:
        """Left, top, right and bottom edges, (N, 4), pixels of the upright original."""
        return self.detections.xyxy

    @property
    def xywh(self) -> Floats:
        """Left edge, top edge, width and height, (N, 4), pixels: as in COCO, *not* the box's centre."""
        return xyxy_to_xywh(self.xyxy)

    @property
    def xyxyn(self) -> Floats:
        """`xyxy` as fractions of the image's width and height, (N, 4), in [0, 1]."""
        return self.xyxy / np.array([self.image.width, self.image.height] * 2, self.xyxy.dtype)

    @property
    def keypoints(self) -> Floats | None:
        """Key points, (N, K, 3): x and y in pixels, and visibility in [0, 1]; None without."""
        return self.detections.keypoints

    @property
    def confidence(self) -> Floats:
        """(N,), in [0, 1]."""
        return self.detections.confidence

    @property
    def class_id(self) -> NDArray[np.integer[Any]]:
        """(N,), indices into `names`."""
        return self.detections.class_id

    @property
    def class_names(self) -> NDArray[np.str_]:
        """The class name of each detection, (N,): ``result[result.class_names == "cat"]`` works."""
        names: NDArray[np.str_] = np.array(self.names, dtype=str)[self.class_id]
        return names

    @property
    def counts(self) -> dict[str, int]:
        """Number of detections per class, most frequent first."""
        return dict(Counter(self.class_names.tolist()).most_common())

    def filter(self, classes: Classes | None = None, conf: float | None = None) -> Result:
        """The detections of some classes above a confidence threshold.

        Args:
            classes: names or ids, one or several; None keeps all.
            conf: the confidence threshold, as in ``--conf``; None keeps all.

        Raises:
            UsageError: if the model has no such class.
        """
        kept = np.ones(len(self), bool) if conf is None else self.confidence > conf  # (N,)
        if classes is not None:
            kept &= np.isin(self.class_id, class_ids(classes, self.names))
        return self[kept]

    def plot(
        self, *, line_width: int | None = None, labels: bool = True, confidence: bool = True
    ) -> NDArray[np.uint8]:
        """The image with the boxes drawn in: uint8, (height, width, 3), **RGB** (OpenCV expects BGR).

        Args:
            line_width: in pixels; None follows the image's size.
            labels: whether boxes are labelled with class names.
            confidence: whether labels show the confidence.
        """
        return draw(self.image, self.detections, self.names, DrawStyle(line_width, labels, confidence))

    def save(self, path: str | os.PathLike[str], **style: Any) -> Path:
        """Write `plot` to a file, or into an existing folder under the image's name; return the path.

        Args:
            path: a folder, or a file name that ends in .jpg, .png or another of `yolo detect`'s formats.
            **style: as for `plot`.

        Raises:
            UserError: if the suffix is unknown, or the file cannot be written.
        """
        path = path_of(path, "path")
        if path.is_dir():
            name = Path(self.image.name)
            path /= name.name if name.suffix else f"{name.name}.png"
        write_image(path, self.plot(**style))
        return path

    def to_dict(self) -> dict[str, Any]:
        """The object that ``yolo detect --format ndjson`` prints for the image or frame."""
        frame = self.image.frame
        return {
            "image": self.image.name,
            **({"frame": frame.number, "time_s": frame.time_s} if frame else {}),
            "width": self.image.width,
            "height": self.image.height,
            "detections": [found.to_dict() for found in self],
            "time_ms": {step: round(spent, 1) for step, spent in self.time_ms.items()},
        }

    def to_json(self) -> str:
        """`to_dict` as one line of JSON."""
        return json_line(self.to_dict())

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame``, one row per detection, with the columns of ``--format csv``.

        Raises:
            UsageError: if pandas is not installed.
        """
        pandas = _optional("pandas")
        columns = {
            "image": [self.image.name] * len(self),
            "width": [self.image.width] * len(self),
            "height": [self.image.height] * len(self),
            "class_id": self.class_id,
            "class_name": self.class_names,
            "confidence": self.confidence,
        }
        edges = zip(("x1", "y1", "x2", "y2"), self.xyxy.T, strict=True)  # each (N,)
        points = np.zeros((len(self), 0, 3)) if self.keypoints is None else self.keypoints  # (N, K, 3)
        flat = points.reshape(len(self), 3 * points.shape[1]).T  # (3 · K, N)
        named = zip(keypoint_columns(points.shape[1]), flat, strict=True)
        return pandas.DataFrame({**columns, **dict(edges), **dict(named)})

    def to_supervision(self) -> Any:
        """A ``supervision.Detections``, with class names under ``data["class_name"]``.

        Raises:
            UsageError: if supervision is not installed.
        """
        return _optional("supervision").Detections(
            xyxy=self.xyxy,
            confidence=self.confidence,
            class_id=self.class_id.astype(int),
            data={"class_name": self.class_names},
        )

    def _repr_png_(self) -> bytes:
        """The preview in a notebook: the image with its boxes, at most 1024 pixels wide and high."""
        scale = min(1, _PREVIEW / max(self.image.width, self.image.height))
        size = (max(round(self.image.width * scale), 1), max(round(self.image.height * scale), 1))
        small = (
            self.image.rgb if scale == 1 else cv2.resize(self.image.rgb, size, interpolation=cv2.INTER_AREA)
        )
        boxes = self.xyxyn * np.array(size * 2, self.xyxy.dtype)  # (N, 4)
        points = None if self.keypoints is None else self.keypoints * np.array([scale, scale, 1])  # (N, K, 3)
        found = replace(self.detections, xyxy=boxes, wh=None, keypoints=points)
        return encode_image(draw(Image(small), found, self.names), ".png")

    def _repr_html_(self) -> str:
        """The preview in a notebook, with a caption."""
        import html  # which only notebooks need

        caption = html.escape(repr(self)[1:-1])
        data = base64.b64encode(self._repr_png_()).decode()
        return f'<img src="data:image/png;base64,{data}" alt="{caption}"><br>{caption}'


def each_detection(detections: Detections, names: Sequence[str]) -> Iterator[Detection]:
    """The detections one by one, with the class names of the model ``names``."""
    points = [()] * len(detections) if detections.keypoints is None else detections.keypoints.tolist()
    columns = (detections.xyxy.tolist(), detections.confidence.tolist(), detections.class_id.tolist(), points)
    for box, confidence, number, own in zip(*columns, strict=True):
        yield Detection(names[number], number, confidence, tuple(box), tuple(map(tuple, own)))


def keypoint_columns(count: int) -> list[str]:
    """The names of the columns of ``count`` key points in tables.

    >>> keypoint_columns(2)
    ['kpt1_x', 'kpt1_y', 'kpt1_visible', 'kpt2_x', 'kpt2_y', 'kpt2_visible']
    """
    return [f"kpt{number}_{what}" for number in range(1, count + 1) for what in ("x", "y", "visible")]


def _optional(library: str) -> Any:
    """An optional library, imported."""
    try:
        return import_module(library)
    except ModuleNotFoundError as fault:
        if fault.name != library:
            raise
        raise UsageError(f"{library} is not installed; run: pip install {library}") from None
