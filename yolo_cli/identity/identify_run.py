"""Who is on images, as it comes: in Python, as text in any format, in files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from yolo_cli.errors import check_choice
from yolo_cli.identity.formats import FORMATS, identity_texts
from yolo_cli.identity.identified import Identified
from yolo_cli.identity.running import Each, Identification
from yolo_cli.identity.saving import save_identified
from yolo_cli.pipeline.runs import Run
from yolo_cli.sources import Source

__all__ = ["IdentifyRun"]


class IdentifyRun(Run[Each]):
    """Who is on images: an iterator over `Identified`. It can be saved, with identities as classes.

    The names of the classes of ``save_to(folder, txt=True)`` are in ``classes.txt``; with other names there,
    what passes raises a `UsageError`.

    Attributes:
        identities: the names in the gallery, in the order in which they were learnt.
        threshold: the lowest score of somebody known, and how it was chosen.
    """

    def __init__(self, identification: Identification, source: Source, **how: Any) -> None:
        super().__init__(source, **how)
        self.identities, self.threshold = identification.identities, identification.threshold
        self._identification = identification

    def __iter__(self) -> Iterator[Identified]:
        return (each for each in self.each() if isinstance(each, Identified))

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

    def _passed(self) -> Iterator[Each]:
        found = iter(self._identification)
        return save_identified(found, self.identities, *self._saving, self._places) if self._saving else found
