"""Sources of the Python API: paths, bytes, arrays, PIL images, and lists of them."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError, UsageError
from yolo_cli.images import Image, decode_image, over_white, read_image
from yolo_cli.live import LiveOptions, find_address
from yolo_cli.sources import STDIN, SourceItem, open_source
from yolo_cli.video import VIDEO_SUFFIXES, Frame, FrameChoice, has_pages

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = ["InMemory", "InputItem", "OneImage", "array_image", "is_one_image", "open_input", "read_one"]

InMemory: TypeAlias = "Image | bytes | bytearray | memoryview | NDArray[Any] | PilImage"
OneImage: TypeAlias = "InMemory | str | os.PathLike[str]"


@dataclass(frozen=True, slots=True)
class InputItem:
    """An image not converted yet; ``read`` raises DataError if it cannot be used."""

    name: str
    read: Callable[[], Image]


def is_one_image(source: object) -> bool:
    """Whether a source is one image: not a folder, glob, list file, video or list.

    A path that does not exist counts as one image, which cannot be read; so does an address that ends as
    image files do. Standard input may hold several.
    """
    if not isinstance(source, str | os.PathLike):
        return _is_in_memory(source)
    path = os.fspath(source)
    if Path(path).is_dir() or path == STDIN:
        return False
    if Path(path).is_file():
        return not (path.lower().endswith((".txt", *VIDEO_SUFFIXES)) or has_pages(path))
    address = find_address(path)
    return address.is_image if address else not glob.has_magic(path)


def open_input(
    source: OneImage | Iterable[Any],
    *,
    bgr: bool = False,
    recursive: bool = False,
    choice: FrameChoice | None = None,
    live: LiveOptions | None = None,
    name: str = "image",
) -> Iterator[InputItem | SourceItem | Frame]:
    """The images of a source, in order; lists may mix kinds and are iterated lazily.

    Args:
        source: see `InMemory`; or a path, glob, folder or list file; or an iterable of all these.
        bgr: arrays are in the order blue, green, red.
        recursive: include subfolders.
        choice: the frames of videos that are read; None is all.
        live: how cameras and streams are followed.
        name: the name of images without one; in a list, their position is appended.

    Raises:
        UsageError: if something is not a source of images.
    """
    if isinstance(source, str | os.PathLike):
        yield from _paths(os.fspath(source), recursive, choice, live)
    elif _is_in_memory(source):
        yield _in_memory(source, bgr, name)
    elif isinstance(source, Iterable):
        for index, part in enumerate(source):
            named = f"{name}-{index}"
            yield from open_input(part, bgr=bgr, recursive=recursive, choice=choice, live=live, name=named)
    else:
        raise _not_an_image(source, name)


def read_one(source: OneImage, *, bgr: bool = False) -> Image:
    """One image: a path, bytes, an array or a PIL image.

    Raises:
        UserError: if it cannot be read, or is not one image.
    """
    if isinstance(source, str | os.PathLike):
        return read_image(source)
    if not _is_in_memory(source):
        raise _not_an_image(source, "image")
    return _in_memory(source, bgr, "image").read()


def array_image(array: NDArray[Any], *, bgr: bool = False, name: str = "image") -> Image:
    """An array as an image; the pixels of RGB arrays are not copied.

    Args:
        array: uint8, (height, width), (height, width, 1), (height, width, 3) or (height, width, 4).
            Transparent pixels are blended over white, as in files.
        bgr: the order is blue, green, red(, alpha), as OpenCV reads images.
        name: what to call it in results and messages.

    Raises:
        DataError: if shape or dtype is different.

    >>> array_image(np.zeros((40, 60), np.uint8)).rgb.shape
    (40, 60, 3)
    """
    fault = _fault(array) if isinstance(array, np.ndarray) else f"{type(array).__name__} is not an array"
    if fault:
        raise DataError(f"{name}: {fault}")
    pixels = array[:, :, None] if array.ndim == 2 else array  # (height, width, channels)
    if pixels.shape[2] == 1:
        pixels = np.repeat(pixels, 3, axis=2)
    elif bgr:
        pixels = pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]
    if pixels.shape[2] == 4:
        pixels = over_white(pixels)
    return Image(np.ascontiguousarray(pixels), name)


def _paths(
    path: str, recursive: bool, choice: FrameChoice | None, live: LiveOptions | None
) -> Iterator[SourceItem | Frame]:
    """The images of a path; if there are none, an item whose ``read`` raises."""
    try:
        source = open_source([path], recursive=recursive, live=live)
        yield from replace(source, choice=choice or FrameChoice())
    except DataError as fault:
        yield SourceItem(path, fault=fault.text)


def _not_an_image(source: object, name: str) -> UsageError:
    kind = type(source).__name__
    return UsageError(f"{name}: {kind} is not an image; give a path, bytes, an array or a PIL image")


def _is_in_memory(source: object) -> bool:
    return isinstance(source, Image | bytes | bytearray | memoryview) or _is_array(source) or _is_pil(source)


def _is_array(source: object) -> bool:
    """Whether NumPy can convert it to an image-like array, such as a tensor of another library."""
    return isinstance(source, np.ndarray) or (hasattr(source, "__array__") and getattr(source, "ndim", 0) > 1)


def _is_pil(source: object) -> bool:
    """Whether it is a PIL image; PIL need not be imported for that."""
    pil = sys.modules.get("PIL.Image")
    return pil is not None and isinstance(source, pil.Image)


def _in_memory(source: Any, bgr: bool, name: str) -> InputItem:
    if isinstance(source, Image):
        return InputItem(source.name, lambda: source)
    if _is_array(source):
        return InputItem(name, lambda: array_image(np.asarray(source), bgr=bgr, name=name))
    if isinstance(source, bytes | bytearray | memoryview):
        return InputItem(name, lambda: decode_image(bytes(source), name))
    name = str(getattr(source, "filename", "")) or name
    return InputItem(name, lambda: _pil_image(source, name))


def _pil_image(source: PilImage, name: str) -> Image:
    """A PIL image, turned upright as its EXIF orientation says.

    Raises:
        DataError: if it has more than 8 bits per channel, or its file is damaged.
    """
    from PIL import ImageOps

    if source.mode.startswith(("I", "F")):
        raise DataError(f"{name}: PIL mode {source.mode} is not 8-bit; convert it to RGB, or give the path")
    try:
        upright = ImageOps.exif_transpose(source)
        mode = "RGBA" if upright.has_transparency_data else "RGB"
        pixels = np.asarray(upright.convert(mode))
    except (OSError, SyntaxError) as fault:  # PIL decodes lazily
        raise DataError(f"{name}: cannot be read: {fault}") from fault
    return array_image(pixels, name=name)


def _fault(array: NDArray[Any]) -> str | None:
    """Why an array is not an image, and what to do; None if it is one."""
    got = f"array is {array.dtype} of shape {array.shape}"
    if array.ndim == 4:
        return f"{got}, which is a batch; give list(array)"
    if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3, 4):
        return f"{got}, channels first; give array.transpose(1, 2, 0)"
    if array.ndim not in (2, 3) or array.shape[2:] not in ((), (1,), (3,), (4,)):
        return f"{got}, but must be (height, width) or (height, width, 1, 3 or 4)"
    if not array.size:
        return f"{got}, which has no pixels"
    if array.dtype != np.uint8:
        return f"{got}, but must be uint8; scale it to 0 to 255, and give array.astype('uint8')"
    return None
