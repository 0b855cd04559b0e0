"""Who is on images → files, as of detections, with identities as classes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from yolo_cli.errors import UsageError
from yolo_cli.files import atomic_write_text
from yolo_cli.identity.formats import named_outcome
from yolo_cli.identity.identified import UNKNOWN
from yolo_cli.identity.running import Each
from yolo_cli.pipeline import Outcome
from yolo_cli.pipeline.saving import Saving, save_outcomes
from yolo_cli.text import read_text

__all__ = ["save_identified"]

NAMES = "classes.txt"


def save_identified(
    found: Iterable[Each], identities: Sequence[str], folder: Path, saving: Saving, places: Mapping[str, str]
) -> Iterator[Each]:
    """Pass on who is on each image, and save what is asked for each: see `save_outcomes`.

    With labels, the names of their classes are in ``classes.txt``: with the images, they are a data set.

    Args:
        found: who is on each image.
        identities: the names in the gallery.
        folder: where to save.
        saving: what to save.
        places: relative path of each image and video, by its name.

    Raises:
        DataError: if a file cannot be written.
        UsageError: if an image that is read, or the names of another data set would be overwritten.
    """
    names, passed = (*identities, UNKNOWN), deque[Each]()

    def outcomes() -> Iterator[Outcome]:
        if saving.texts:  # here, what must not be overwritten has been looked for
            _write_names(folder / NAMES, "".join(f"{name}\n" for name in names))
        for each in found:
            passed.append(each)
            yield named_outcome(each)

    for _ in save_outcomes(outcomes(), folder, saving, names, places):
        yield passed.popleft()


def _write_names(path: Path, text: str) -> None:
    if path.exists() and read_text(path) != text:
        raise UsageError(f"{path}: has other names than the gallery; choose another folder with --out")
    atomic_write_text(path, text)
