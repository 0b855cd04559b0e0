"""The images without labels that a run may learn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from yolo_cli.datasets import Dataset, Sample
from yolo_cli.datasets.inspection import Inspection, inspect_images, near_pairs
from yolo_cli.errors import DataError
from yolo_cli.sources import SourceItem, open_source
from yolo_cli.text import counted

__all__ = ["find_unlabelled"]

Say = Callable[[str], None]


def find_unlabelled(folder: str, data: Dataset, say: Say) -> tuple[Sample, ...]:
    """The usable images of a folder and those below it, as training samples without boxes.

    Left out, each kind with one line: files that cannot be read, copies of each other, images that the data
    set has already, and near-duplicates of those that it evaluates on, which would make its figures too good.

    Args:
        folder: a folder, a glob, or a list of files.
        data: the data set, with its splits.
        say: called with the lines.

    Raises:
        DataError: if there is no such folder, or no image is left.
    """
    items = [item for item in open_source([folder], recursive=True).entries if item.is_one_image]
    paths = [Path(item.name).absolute() for item in items if not item.fault]
    seen = inspect_images([*paths, *(sample.path for sample in data.samples)])
    readable = _readable(items, paths, seen, say)
    fresh = _without_copies(readable, data, seen, say)
    kept = _without_near(fresh, data, seen, say)
    if not kept:
        raise DataError(f"{folder}: none of its {counted(len(paths), 'image')} can be learnt from")
    return tuple(Sample(str(path), path, "train", path.stem, "") for path in kept)


def _readable(
    items: Sequence[SourceItem], paths: Sequence[Path], seen: Mapping[Path, Inspection], say: Say
) -> list[Path]:
    """The files that can be read."""
    faults = {path: f"{path}: {seen[path].fault}" for path in paths if seen[path].fault}
    faults |= {Path(item.name): item.fault for item in items if item.fault}
    if faults:
        first = next(iter(faults.values()))
        say(f"left out {counted(len(faults), 'unlabelled image')}: {first}{_more(faults)}")
    return [path for path in paths if path not in faults]


def _without_copies(
    paths: Sequence[Path], data: Dataset, seen: Mapping[Path, Inspection], say: Say
) -> list[Path]:
    """The files whose content neither the data set has, nor an earlier one."""
    owner = {seen[sample.path].sha256: sample.name for sample in data.samples}
    copies, kept = {}, []
    for path in paths:
        digest = seen[path].sha256
        if digest in owner:
            copies[path] = owner[digest]
        else:
            owner[digest] = str(path)
            kept.append(path)
    if copies:
        path, other = next(iter(copies.items()))
        say(f"left out {counted(len(copies), 'unlabelled image')}: {path} is {other}{_more(copies)}")
    return kept


def _without_near(
    paths: Sequence[Path], data: Dataset, seen: Mapping[Path, Inspection], say: Say
) -> list[Path]:
    """The files that look unlike every image that is evaluated on."""
    held = [s for s in data.samples if s.split != "train" and not seen[s.path].fault]
    pairs = near_pairs([seen[path] for path in paths], [seen[s.path] for s in held]) if held and paths else ()
    alike = {paths[i]: held[j].name for i, j, _, _ in pairs}
    if alike:
        path, other = next(iter(alike.items()))
        say(
            f"left out {counted(len(alike), 'unlabelled image')} that look like one to evaluate on: "
            f"{path} and {other}{_more(alike)}"
        )
    return [path for path in paths if path not in alike]


def _more(things: Mapping[Path, str]) -> str:
    """How many there are besides the first."""
    return f" (and {len(things) - 1} more)" if len(things) > 1 else ""
