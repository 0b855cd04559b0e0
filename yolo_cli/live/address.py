"""Addresses that the user typed: the number of a camera, or where a stream, a video or an image is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from yolo_cli.images import SUFFIXES
from yolo_cli.names import masked_address

__all__ = ["Address", "find_address"]

SCHEMES = ("http", "https", "rtsp", "rtsps")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """A camera, or an address on the network.

    Attributes:
        url: as typed; a camera's number.
        name: the same with passwords masked, which is all that is ever shown.
    """

    url: str = field(repr=False)
    name: str

    @property
    def scheme(self) -> str:
        """In lower case; empty for a camera."""
        found = _SCHEME.match(self.url)
        return found[1].lower() if found else ""

    @property
    def title(self) -> str:
        """Its name in messages."""
        return self.name if self.scheme else f"camera {self.name}"

    @property
    def is_image(self) -> bool:
        """By the end of its path alone."""
        return self.scheme in ("http", "https") and self._path.lower().endswith(SUFFIXES)

    @property
    def place(self) -> str:
        """A file name for what it becomes.

        >>> find_address("http://cam/a/front.jpg?size=1").place, find_address("rtsp://10.0.0.7:554").place
        ('front.jpg', '10-0-0-7')
        """
        if not self.scheme:
            return f"camera-{self.name}"
        name = re.sub(r"[^\w.-]+", "_", unquote(PurePosixPath(self._path).name)).strip(".")
        return name or re.sub(r"\W", "-", re.sub(r".*@|:\d*\Z", "", urlsplit(self.name).netloc)) or "stream"

    @property
    def _path(self) -> str:
        return re.split(r"[?#]", self.name.partition("://")[2].partition("/")[2])[0]


def find_address(text: str) -> Address | None:
    """The address that a text is; None if it is a path.

    In its name, secrets are masked: see `masked_address`.

    >>> find_address("rtsp://me:s3cret@10.0.0.7/live?token=abc&channel=1").name
    'rtsp://me:***@10.0.0.7/live?token=***&channel=1'
    >>> find_address("0"), find_address("p/0.jpg")
    (Address(name='0'), None)
    """
    if re.fullmatch(r"[0-9]{1,3}", text):
        return Address(text, str(int(text)))
    if not _SCHEME.match(text):
        return None
    return Address(text, masked_address(text))
