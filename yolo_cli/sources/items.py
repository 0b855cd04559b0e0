"""One source: an image, or what gives images one after the other."""

# os.path keeps names as the user spelt them.
# ruff: noqa: PTH119

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from yolo_cli.errors import DataError
from yolo_cli.images import Image, read_image
from yolo_cli.live import Address, LiveOptions
from yolo_cli.sources.stdin import STDIN, stdin_images
from yolo_cli.video import VIDEO_SUFFIXES, Frame, FrameChoice, has_pages, open_video, page_frames

__all__ = ["SourceItem", "SourcePart", "file_item"]

SourcePart: TypeAlias = "SourceItem | Frame"


@dataclass(frozen=True, slots=True)
class SourceItem:
    """An image, or what gives frames, that has not been read yet.

    Attributes:
        name: as the user named it; "-" for standard input. Of an address without passwords.
        where: the list file and line that named it, as a prefix of its errors.
        fault: one line that says why it can never be read, or None.
        folder: the folder or fixed part of a glob that it was found in, or None.
        address: the camera or address, or None.
        has_pages: whether it is an image file of several pages or frames.
    """

    name: str
    where: str = ""
    fault: str | None = None
    folder: str | None = None
    address: Address | None = None
    has_pages: bool = False

    @property
    def place(self) -> str:
        """Its path in the folder that it was found in, else its file name: where to save what it becomes.

        >>> SourceItem("p/cats/1.jpg", folder="p").place, SourceItem("p/cats/1.jpg").place
        ('cats/1.jpg', '1.jpg')
        """
        if self.address:
            return self.address.place
        if self.name == STDIN:
            return "stdin.jpg"
        return os.path.basename(self.name) if self.folder is None else os.path.relpath(self.name, self.folder)

    @property
    def has_frames(self) -> bool:
        """Whether it gives frames, as far as its name tells."""
        if self.address:
            return not self.address.is_image
        return self.has_pages or self.name.lower().endswith(VIDEO_SUFFIXES)

    @property
    def is_one_image(self) -> bool:
        """Whether it is a file with one image."""
        return not (self.address or self.has_frames or self.name == STDIN)

    def parts(self, choice: FrameChoice, live: LiveOptions) -> Iterator[SourcePart]:
        """Itself if it is one image, else its frames, of which a fault is the last."""
        if self.fault or self.is_one_image:
            yield self
            return
        try:
            yield from self._frames(choice, live)
        except DataError as fault:
            yield Frame(self.name, fault=f"{self.where}{fault.text}")

    def _frames(self, choice: FrameChoice, live: LiveOptions) -> Iterator[Frame]:
        if self.address:
            from yolo_cli.live.following import live_frames  # not needed for files

            return live_frames(self.address, choice, live)
        if self.name == STDIN:
            return stdin_images()
        return page_frames(self.name, choice) if self.has_pages else open_video(self.name).frames(choice)

    def expected(self, choice: FrameChoice) -> int:
        """About how many images or frames it has; 0 if unknown."""
        if self.fault or self.is_one_image:
            return 1
        if self.address or self.has_pages or self.name == STDIN:
            return choice.max_frames or 0 if self.address else 0
        try:
            return open_video(self.name).expected(choice)
        except DataError:
            return 1

    def read(self) -> Image:
        """The image.

        Raises:
            DataError: if it cannot be read.
        """
        if self.fault:
            raise DataError(self.fault)
        # At full size: of JPEGs decoded at a half, boxes move (coco128-val at 128: median IoU 0.96, AP50 from
        # 0.225 to 0.215; at 64, where what is left is still twice the network's size: 0.97).
        try:
            return read_image(self.name)
        except DataError as fault:
            raise DataError(f"{self.where}{fault.text}") from fault


def file_item(path: str, where: str = "", folder: str | None = None) -> SourceItem:
    """The item of a file; it is looked at whether it has pages."""
    return SourceItem(path, where, folder=folder, has_pages=has_pages(path))
