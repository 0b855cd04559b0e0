"""Photos of identities: from a folder for each, or cut out along the tracks of videos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from yolo_cli.errors import DataError
from yolo_cli.files import find_files
from yolo_cli.images import SUFFIXES, Image, crop, read_image
from yolo_cli.sources import open_source
from yolo_cli.text import counted
from yolo_cli.tracks import Tracks, read_mot
from yolo_cli.video import VIDEO_SUFFIXES

__all__ = ["Identities", "check_identities", "read_identities"]

PER_TRACK = 40  # photos of a track at most, evenly spaced
MAX_BYTES = 4 << 30  # of all photos in memory

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Identities:
    """Photos by identity.

    Attributes:
        names: of each identity: its folder below the data's, or the sequence and the track's id.
        photos: of each, uint8 (N, height, width, 3).
        groups: of each, a number: identities of one folder or video have the same.
    """

    names: tuple[str, ...]
    photos: tuple[Pixels, ...]
    groups: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def count(self) -> int:
        """The number of photos."""
        return sum(map(len, self.photos))

    def __getitem__(self, chosen: Sequence[int] | NDArray[np.integer[Any]]) -> Identities:
        """Those at some places."""
        each = [(self.names[at], self.photos[at], self.groups[at]) for at in chosen]
        names, photos, groups = zip(*each, strict=True) if each else ((), (), ())
        return Identities(tuple(names), tuple(photos), tuple(groups))


def check_identities(data: Path) -> None:
    """Raise the DataError of `read_identities` if there is no such folder: before long work."""
    if not data.is_dir():
        raise DataError(f"{data}: is not a folder; give one with a folder of photos for each identity")


def read_identities(
    data: Path, size: tuple[int, int], say: Callable[[str], object] = lambda _: None
) -> Identities:
    """Read the photos of a data set.

    Args:
        data: a folder with a folder of images for each identity, which may be grouped in further folders; or
            with MOTChallenge's text beside videos: ``NAME.txt`` and ``NAME.mp4`` or the folder ``NAME``, or
            ``NAME/gt/gt.txt`` and ``NAME/img1``.
        size: height and width of the photos, which are stretched to it.
        say: called with a line about each file that is left out.

    Raises:
        DataError: if there are no two identities with two photos, or too many photos for the memory.
    """
    check_identities(data)
    found: dict[str, list[Pixels]] = defaultdict(list)
    used = 0
    for name, pixels in _tracked(data) if _sequences(data) else _in_folders(data, say):
        found[name].append(_fitted(pixels, size))
        used += found[name][-1].nbytes
        if used > MAX_BYTES:
            raise DataError(f"{data}: over {MAX_BYTES >> 30} GiB of photos; use fewer, or a smaller --imgsz")
    kept = {name: photos for name, photos in found.items() if len(photos) > 1}
    if len(kept) < 2:
        raise DataError(
            f"{data}: has {counted(len(kept), 'identity')} with two photos or more, but needs two; "
            "give a folder of photos for each identity"
        )
    parents = [name.rpartition("/")[0] for name in kept]
    groups = [sorted(set(parents)).index(parent) for parent in parents]
    return Identities(tuple(kept), tuple(np.stack(each) for each in kept.values()), tuple(groups))


def _fitted(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    shrinks = pixels.shape[0] * pixels.shape[1] > size[0] * size[1]
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size[::-1], interpolation=kind), np.uint8)


def _in_folders(data: Path, say: Callable[[str], object]) -> Iterator[tuple[str, Pixels]]:
    """Identity and pixels of each image; one that cannot be read is left out."""
    for path in find_files(data, SUFFIXES):
        name = Path(path).parent.relative_to(data).as_posix()
        if name == ".":
            continue
        try:
            yield name, read_image(path).rgb
        except DataError as fault:
            say(f"left out: {fault.text}")


def _sequences(data: Path) -> list[tuple[str, Path, Path]]:
    """Name, text file and frames of each sequence."""
    found = [(path.stem, path, _frames_beside(path)) for path in sorted(data.glob("*.txt"))]
    found += [(path.parts[-3], path, path.parents[1] / "img1") for path in sorted(data.glob("*/gt/gt.txt"))]
    return [(name, text, frames) for name, text, frames in found if frames is not None and frames.exists()]


def _frames_beside(text: Path) -> Path | None:
    places = [text.with_suffix(suffix) for suffix in ("", *VIDEO_SUFFIXES)]
    return next((place for place in places if place.exists()), None)


def _tracked(data: Path) -> Iterator[tuple[str, Pixels]]:
    """Identity and pixels of each box of the sequences."""
    for name, text, frames in _sequences(data):
        tracks = _thinned(read_mot(text))
        last = int(tracks.frame.max(initial=-1))
        for number, item in enumerate(open_source([str(frames)])):
            boxes = tracks[tracks.frame == number]
            if len(boxes):
                yield from _cut_out(item.read(), boxes, name)
            if number >= last:
                break


def _cut_out(image: Image, boxes: Tracks, sequence: str) -> Iterator[tuple[str, Pixels]]:
    for track_id, box in zip(boxes.track_id.tolist(), boxes.xyxy, strict=True):
        pixels = crop(image, box)
        if pixels.size:
            yield f"{sequence}/{track_id}", pixels


def _thinned(tracks: Tracks) -> Tracks:
    """At most `PER_TRACK` boxes of each track, evenly spaced."""
    kept = []
    for track_id in np.unique(tracks.track_id):
        at = np.flatnonzero(tracks.track_id == track_id)
        kept.append(at[np.linspace(0, len(at) - 1, min(len(at), PER_TRACK)).round().astype(int)])
    return tracks[np.sort(np.concatenate(kept))] if kept else tracks
