"""Detections of other programs, from a COCO results list or a folder of YOLO label files.

No model code is imported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.datasets.numbering import positions, shift_between
from yolo_cli.detections import Detections
from yolo_cli.errors import DataError
from yolo_cli.evaluation.coco_results import CocoResults, check_size, read_coco_results, unit_rounded
from yolo_cli.evaluation.parquet_results import is_parquet, read_parquet_results
from yolo_cli.files import find_files
from yolo_cli.text import number, read_text, shorten

if TYPE_CHECKING:
    from yolo_cli.datasets import Sample

__all__ = ["Results", "read_results"]

Integers = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """Detections of another program.

    Attributes:
        found: detections by sample name; a sample without an entry has none.
        left_out: one line for each kind of entry that was left out.
    """

    found: Mapping[str, Detections]
    left_out: tuple[str, ...] = ()


def read_results(
    path: Path, samples: Sequence[Sample], category_ids: Sequence[int], others: Sequence[Sample] = ()
) -> Results:
    """Read a results file or folder.

    Args:
        path: a ``.json`` file, a folder of Parquet files of ``yolo detect --ray``, or a folder with a text
            file for each image with boxes, one line ``class cx cy w h confidence`` for each, in fractions of
            the image's width and height.
        samples: the images that are evaluated.
        category_ids: for COCO results, the id of each class. If they are 1, 2, 3 … but the file has a 0, its
            ids are assumed to begin with 0. Label files number classes from 0.
        others: images of the same data that are not evaluated; detections on them are skipped.

    Raises:
        DataError: if the file is broken, or nothing in it belongs to the images.
    """
    if is_parquet(path):
        return Results(read_parquet_results(path, samples, len(category_ids)))
    if path.is_dir():
        return _from_labels(path, samples, len(category_ids))
    return _from_coco(path, read_coco_results(path), (samples, others), category_ids)


def _from_coco(
    path: Path,
    results: CocoResults,
    groups: tuple[Sequence[Sample], Sequence[Sample]],
    category_ids: Sequence[int],
) -> Results:
    """Assign the entries of a results list to the images."""
    samples, others = groups
    of_id, elsewhere = _positions(results.image_ids, samples, others)  # (I,), (I,)
    if (of_id[~elsewhere] < 0).any():
        _check_numbering(path, results.image_ids, [sample.image_id for group in groups for sample in group])
    place = of_id[results.image]  # (N,), index in samples, or -1
    class_id = _class_ids(results.category_id, category_ids)  # (N,), or -1
    _check_any(path, results, place, class_id, f"{samples[0].image_id!r}, …", category_ids)
    unknown = (place < 0) & ~elsewhere[results.image]  # (N,)
    nameless = (class_id < 0) & (place >= 0)  # (N,)
    ids_of_entries = np.array(results.image_ids, object)[results.image]  # (N,)
    left_out = [*_left_out(path, "image_id", unknown, ids_of_entries)]
    left_out += _left_out(path, "category_id", nameless, results.category_id)
    kept = (place >= 0) & (class_id >= 0)  # (N,)
    points = None if results.keypoints is None else results.keypoints[kept]  # (K, points, 3)
    found = Detections(results.xyxy[kept], results.score[kept], class_id[kept], results.wh[kept], points)
    return Results(_by_image(found, place[kept], samples), tuple(left_out))


def _check_numbering(path: Path, given: Sequence[int | str], known: Sequence[int | str]) -> None:
    """Raise DataError if a file numbers the images from another start than the data.

    That is so if all its ids are known with 1 added (or taken away), and not without; and if the id that the
    data has and the shifted numbers cannot have does not occur.
    """
    shift = shift_between(given, known)
    if shift and (max(known) if shift == 1 else min(known)) not in given:
        raise DataError(
            f"{path}: its image_ids {min(given)} to {max(given)} are those of the data "
            f"({min(known)} to {max(known)}) {-shift:+d}; add {shift} to each"
        )


def _check_any(
    path: Path,
    results: CocoResults,
    image: Integers,
    class_id: Integers,
    image_ids: str,
    category_ids: Sequence[int],
) -> None:
    """Raise DataError if none of N entries has a known image, or none a known class."""
    if not len(image):
        return
    if (image < 0).all():
        first = f"the first is {results.image_ids[0]!r}, the data has {image_ids}"
        raise DataError(f"{path}: no image_id in it is an image of the data: {first}")
    if (class_id < 0).all():
        ids = ", ".join(map(str, category_ids[:5]))
        first = f"the first is {results.category_id[0]}, the data has {ids}, …"
        raise DataError(f"{path}: no category_id in it is a class of the data: {first}")


def _left_out(path: Path, what: str, wrong: Bools, ids: NDArray[Any]) -> Iterator[str]:
    """A line about the left-out entries (N,), if there are any; it shows the first of ``ids`` (N,)."""
    if wrong.any():
        first = ids[wrong][:1].tolist()[0]  # a Python number
        boxes = f"{int(wrong.sum())} of {len(wrong)} boxes"
        yield f"{path}: {boxes} left out: the data does not know their {what}; the first is {first!r}"


def _by_image(found: Detections, image: Integers, samples: Sequence[Sample]) -> dict[str, Detections]:
    """Detections (N,) by image name, in the order of the file."""
    order = np.argsort(image, kind="stable")  # (N,)
    cuts = np.searchsorted(image[order], np.arange(len(samples) + 1))  # (P + 1,)
    return {sample.name: found[order[cuts[place] : cuts[place + 1]]] for place, sample in enumerate(samples)}


def _class_ids(given: Integers, category_ids: Sequence[int]) -> Integers:
    """The classes (N,) of category ids (N,), or -1."""
    values, inverse = np.unique(given, return_inverse=True)  # (V,), (N,)
    counted = list(category_ids) == list(range(1, len(category_ids) + 1))
    first = 0 if counted and len(values) and values[0] == 0 else None
    ids = category_ids if first is None else range(len(category_ids))
    class_of = {category_id: place for place, category_id in enumerate(ids)}
    return np.array([class_of.get(value, -1) for value in values.tolist()], np.int64)[inverse]


def _positions(
    given: Sequence[int | str], samples: Sequence[Sample], others: Sequence[Sample]
) -> tuple[Integers, Bools]:
    """The index of the sample of each image id, (I,), or -1; and whether it is of another sample, (I,).

    All ids are of one kind: that of which most are known, of the samples' ids, names, file names, stems, and
    stems as numbers. An ambiguous one is not known.
    """
    tries = [
        (positions(given, _keys(samples, way)), positions(given, _keys(others, way)) >= 0)
        for way in (_image_ids, _whole_name, _file_name, _stem, _stem_as_number)
    ]
    return max(tries, key=lambda found: int(((found[0] >= 0) | found[1]).sum()))


def _keys(samples: Sequence[Sample], way: Callable[[Sample], tuple[int | str, ...]]) -> dict[int | str, int]:
    """The index of the image of each key that only one image has."""
    found: defaultdict[int | str, list[int]] = defaultdict(list)
    for place, sample in enumerate(samples):
        for key in way(sample):
            found[key].append(place)
    return {key: places[0] for key, places in found.items() if len(places) == 1}


def _image_ids(sample: Sample) -> tuple[int | str, ...]:
    return sample.image_id, *sample.other_ids


def _whole_name(sample: Sample) -> tuple[int | str, ...]:
    return (sample.name,)


def _file_name(sample: Sample) -> tuple[int | str, ...]:
    return (sample.path.name,)


def _stem(sample: Sample) -> tuple[int | str, ...]:
    return (sample.path.stem,)


def _stem_as_number(sample: Sample) -> tuple[int | str, ...]:
    stem = sample.path.stem
    return (int(stem) if stem.isascii() and stem.isdigit() else stem,)


def _from_labels(folder: Path, samples: Sequence[Sample], classes: int) -> Results:
    """Read the label file of each image."""
    by_stem: defaultdict[str, list[Path]] = defaultdict(list)
    for path in map(Path, find_files(folder, (".txt",))):
        by_stem[path.stem].append(path)
    found = {}
    for sample in samples:
        label = _label_of(sample, by_stem.get(sample.path.stem, []), folder)
        if label is not None:
            found[sample.name] = _labels(label, sample, classes)
    if not found:
        count = sum(map(len, by_stem.values()))
        raise DataError(
            f"{folder}: none of its {count} .txt files has the name of an image of the data; "
            f"{samples[0].path.stem}.txt would be"
        )
    return Results({sample.name: found.get(sample.name, Detections()) for sample in samples})


def _label_of(sample: Sample, paths: Sequence[Path], folder: Path) -> Path | None:
    """The label file of an image among those with its stem; None if there is none."""
    if len(paths) > 1:
        ending = PurePosixPath(sample.name).with_suffix(".txt").parts[-2:]
        paths = [path for path in paths if path.parts[-2:] == ending] or paths
    if len(paths) > 1:
        raise DataError(f"{folder}: has {len(paths)} files {paths[0].name}; which is that of {sample.name}?")
    return paths[0] if paths else None


def _labels(path: Path, sample: Sample, classes: int) -> Detections:
    """The boxes in one label file."""
    check_size(path)
    rows = list(_rows(path, classes))
    values = np.array(rows, float).reshape(-1, 6)  # (N, 6): class, cx, cy, w, h, confidence
    size = np.array([*sample.size[::-1]] * 2, float) if rows else np.ones(4)  # (4,)
    centre, half = values[:, 1:3], values[:, 3:5] / 2  # (N, 2), (N, 2)
    xyxy = np.concatenate([centre - half, centre + half], axis=1) * size  # (N, 4)
    return Detections(xyxy, unit_rounded(values[:, 5]), values[:, 0].astype(np.int64))


def _rows(path: Path, classes: int) -> Iterator[list[float]]:
    """The rows of a label file, six valid numbers each; raises DataError for the first invalid one."""
    for line, text in enumerate(read_text(path).split("\n"), start=1):
        if text.strip():
            values = [value for value in map(number, text.split()) if value is not None]
            fault = _row_fault(values, classes, len(text.split()))
            if fault:
                raise DataError(f"{path}:{line}: {fault}: {shorten(text)!r}")
            yield values


def _row_fault(values: Sequence[float], classes: int, words: int) -> str:
    """The fault of a row; "" if it is valid."""
    if len(values) != words or words not in (5, 6):
        return "is not 'class cx cy w h confidence'"
    if words == 5:
        return "has no confidence; save it as a sixth number"
    if not np.isfinite(values).all():
        return "holds a number that is not finite"
    if not values[0].is_integer() or not 0 <= values[0] < classes:
        return f"its class is not within 0 to {classes - 1}"
    if min(values[3:5]) < 0:
        return "has a box of negative width or height"
    return "" if 0 <= unit_rounded(np.array(values[5:]))[0] <= 1 else "has a confidence outside 0 to 1"
