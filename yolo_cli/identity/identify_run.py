"""Who is on images as they come: in Python, as text in any format, in files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from yolo_cli.errors import DataError, OnError, check_choice, report
from yolo_cli.files import make_folder, path_of
from yolo_cli.identity.formats import FORMATS, identity_texts
from yolo_cli.identity.identified import Identified
from yolo_cli.identity.running import Each, Identification
from yolo_cli.identity.saving import save_identified
from yolo_cli.pipeline import Outcome
from yolo_cli.pipeline.saving import Saving
from yolo_cli.render import DrawStyle
from yolo_cli.sources import Source

__all__ = ["EachWatch", "IdentifyRun"]

EachWatch = Callable[[Iterable[Each], int], Iterable[Each]]
"""Wraps the stream of images, whose number is given (0 if it is unknown), to show progress."""


class IdentifyRun:
    """Who is on images, one after the other: an iterator over `Identified`.

    No image is read before it is iterated over, or its `texts` are. Memory stays flat.

    Attributes:
        identities: the names in the gallery, in the order in which they were learnt.
        threshold: the lowest score of somebody known, and how it was chosen.
        images: how many images there were so far, those that could not be read, too.
        failed: how many of these could not be read.
    """

    def __init__(
        self,
        identification: Identification,
        source: Source,
        *,
        on_error: OnError | None = None,
        watch: EachWatch | None = None,
    ) -> None:
        self.identities, self.threshold = identification.identities, identification.threshold
        self.images = self.failed = 0
        self._identification, self._source = identification, source
        self._on_error, self._watch = on_error, watch
        self._saving: tuple[Path, Saving] | None = None

    def __iter__(self) -> Iterator[Identified]:
        return (each for each in self.each() if isinstance(each, Identified))

    def each(self) -> Iterator[Each]:
        """As iteration, but an image that cannot be read is an outcome with its error, in its place."""
        counted = self._counted()
        return iter(self._watch(counted, self._source.expected) if self._watch else counted)

    def texts(self, format: str) -> Iterator[str]:  # noqa: A002 - named as the option
        """What ``yolo identify --format`` prints, a piece at a time.

        Args:
            format: as for `DetectRun.texts`. Forms that have one class for each box have the identity as the
                class.

        Raises:
            UsageError: if there is no such format.
        """
        check_choice("format", format, FORMATS)
        return identity_texts(format, self.each(), self._identification)

    def save_to(
        self,
        folder: str | os.PathLike[str],
        *,
        images: bool = True,
        crops: bool = False,
        txt: bool = False,
        segment: float | None = None,
        **style: Any,
    ) -> None:
        """Save what passes, with identities as classes: call it before the first image is taken.

        Args:
            folder: made if need be.
            images: as for `DetectRun.save_to`.
            crops: as for `DetectRun.save_to`.
            txt: as for `DetectRun.save_to`; the names of the classes are in ``classes.txt``.
            segment: as for `DetectRun.save_to`.
            **style: as for `DetectRun.save_to`.

        Raises:
            UserError: as `DetectRun.save_to` does; and if ``classes.txt`` is there with other names.
        """
        saving = Saving(images, crops, txt, DrawStyle(**style), segment)
        self._saving = make_folder(path_of(folder, "folder")), saving

    def _counted(self) -> Iterator[Each]:
        """Who is on each image, saved as asked, with errors told and all of it counted."""
        found = iter(self._identification)
        if self._saving:
            found = save_identified(found, self.identities, *self._saving, self._source.places)
        for each in found:
            self.images += 1
            if isinstance(each, Outcome):
                self.failed += 1
                report(DataError(each.error), self._on_error)
            yield each
