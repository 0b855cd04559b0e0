"""What is found on images, as it comes: in Python, as text in any format, in files, in a window."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from yolo_cli.errors import DataError, OnError, check_choice, report
from yolo_cli.files import make_folder, path_of
from yolo_cli.pipeline.formats import FORMATS, Model
from yolo_cli.pipeline.outcome import Outcome
from yolo_cli.pipeline.overlap import ahead
from yolo_cli.pipeline.running import run_detector
from yolo_cli.render import DrawStyle
from yolo_cli.results import Result

if TYPE_CHECKING:
    from yolo_cli.detectors import Detector
    from yolo_cli.pipeline.saving import Saving
    from yolo_cli.sources import Source

__all__ = ["DetectRun", "Run"]

Item = TypeVar("Item")


class Run(Generic[Item]):
    """One pass over images and videos, with what is known so far. Memory stays flat.

    No image is read before the run is iterated over, or its `texts` are.

    Attributes:
        total: about how many images and frames there are; 0 if that is unknown.
        images: how many there were so far, those that could not be read, too.
        failed: how many of these could not be read.
    """

    def __init__(
        self,
        source: Source,
        *,
        on_error: OnError | None = None,
        watch: Callable[[Iterable[Item], int], Iterable[Item]] | None = None,
    ) -> None:
        self.total = source.expected
        self.images = self.failed = 0
        self._places = source.places
        self._region: tuple[tuple[float, float], ...] = ()
        self._saving: tuple[Path, Saving] | None = None
        self._on_error, self._watch = on_error, watch

    def each(self) -> Iterator[Item]:
        """As iteration, but an image that cannot be read is an outcome with its error, in its place."""
        counted = self._counted()
        return iter(self._watch(counted, self.total) if self._watch else counted)

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
        """Save what passes: call it before the first image is taken.

        An image keeps its place in the folder that it was found in; a second ``a`` there becomes ``a-2``. The
        frames of a video are saved as one video; their crops and labels are numbered.

        Args:
            folder: made if need be.
            images: save images and videos with boxes.
            crops: save a crop of each box, in ``crops/CLASS``.
            txt: save a YOLO label file of each image or frame, in ``labels``.
            segment: minutes of each file of a video; None is one file.
            **style: ``line_width``, ``labels`` and ``confidence``, as for `draw`.

        Raises:
            UserError: if a style is out of range. What passes raises it if a file cannot be written, or if an
                image that is read, or the label of an image of a data set, would be overwritten.
        """
        from yolo_cli.pipeline.saving import Saving

        saving = Saving(images, crops, txt, self._style(style), segment)
        self._saving = make_folder(path_of(folder, "folder")), saving

    def _style(self, style: Mapping[str, Any]) -> DrawStyle:
        return DrawStyle(region=self._region, **style)

    def _counted(self) -> Iterator[Item]:
        """What passes, with errors told and all of it counted."""
        for item in self._passed():
            self.images += 1
            error = getattr(item, "error", None)  # which only outcomes have
            if error is None:
                self._count(item)
            else:
                self.failed += 1
                report(DataError(error), self._on_error)
            yield item

    def _count(self, item: Item) -> None:
        """Count what is on an image that could be read."""

    def _passed(self) -> Iterator[Item]:
        """What is found on each image, saved as asked."""
        raise NotImplementedError


class DetectRun(Run[Outcome]):
    """The objects in images and videos: an iterator over `Result`s. It can be saved, printed and shown.

    Attributes:
        card: the model card.
        model: what the output says of the model.
        objects: the number of detections so far.
        spent_ms: milliseconds that reading and detection took so far.
    """

    def __init__(self, detector: Detector, source: Source, *, batch: int = 1, **how: Any) -> None:
        region = how.pop("region", None)  # (K, 2)
        super().__init__(source, **how)
        self.card = detector.card
        self.model = Model.of(detector, video=source.has_frames)
        self.objects, self.spent_ms = 0, 0.0
        self._region = () if region is None else tuple(map(tuple, region.tolist()))
        loop: dict[str, Any] = {"batch": batch, "read_ahead": source.reads_ahead, "region": region}
        self._found = run_detector(detector, source, **loop)
        self._waiting = batch + 1  # outcomes that may wait to be saved
        self._window: DrawStyle | None = None

    def __iter__(self) -> Iterator[Result]:
        names = self.model.class_names
        return (outcome.result(names) for outcome in self.each() if outcome.image is not None)

    def texts(self, format: str) -> Iterator[str]:  # noqa: A002 - named as the option
        """What ``yolo detect --format`` prints, a piece at a time: ``file.writelines(run.texts("csv"))``.

        Args:
            format: ``json``, ``ndjson``, ``csv``, ``coco``, ``yolo``, ``label-studio`` or ``cvat``. JSON and
                NDJSON have a place for the error of an image that cannot be read. COCO results are for
                evaluation, for which a model is asked for all classes of a box: ``multi_label=True``.

        Raises:
            UsageError: if there is no such format.
        """
        check_choice("format", format, FORMATS)
        return FORMATS[format](self.each(), self.model)

    def show(self, **style: Any) -> None:
        """Show what passes in a window: a frame until the next is there, an image until a key is pressed.

        The key q, Escape and closing the window end the run. It must be iterated over in the main thread.

        Args:
            **style: as for `save_to`.

        Raises:
            UsageError: if there is no display, or a style is out of range.
        """
        from yolo_cli.pipeline.showing import check_display

        check_display()
        self._window = self._style(style)

    def _count(self, item: Outcome) -> None:
        self.objects += len(item.detections)
        self.spent_ms += sum(item.time_ms.values())

    def _passed(self) -> Iterator[Outcome]:
        """What is found on each image, saved and shown as asked."""
        names, outcomes = self.model.class_names, self._found
        if self._saving:
            from yolo_cli.pipeline.saving import save_outcomes

            outcomes = save_outcomes(ahead(outcomes, self._waiting), *self._saving, names, self._places)
        if self._window:
            from yolo_cli.pipeline.showing import show_outcomes

            outcomes = show_outcomes(outcomes, names, self._window)
        return outcomes
