"""What ``data.yaml`` says of key points: ``kpt_shape``, ``flip_idx``, ``kpt_names`` and ``skeleton``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from yolo_cli.errors import DataError
from yolo_cli.limits import MAX_POINTS
from yolo_cli.text import number, shorten

__all__ = ["keypoint_keys"]


def keypoint_keys(keys: Mapping[str, Any], place: Path) -> dict[str, Any]:
    """The fields of a `Plan` about key points.

    Args:
        keys: of the description.
        place: its file, for messages.

    Raises:
        DataError: if one is not of its form.
    """
    shape = _kpt_shape(keys.get("kpt_shape"), place)
    count = shape[0] if shape else 0
    return {
        "kpt_shape": shape,
        "flip_idx": _flip_idx(keys.get("flip_idx"), count, place),
        "keypoint_names": _names(keys.get("kpt_names"), count, place),
        "skeleton": _skeleton(keys.get("skeleton"), count, place),
    }


def _kpt_shape(value: Any, place: Path) -> tuple[int, int] | None:
    """Number of key points, and 2 or 3 numbers for each; raises DataError for anything else."""
    if value is None:
        return None
    found = _whole_numbers(value)
    if found is None or len(found) != 2 or not 0 < found[0] <= MAX_POINTS or found[1] not in (2, 3):
        raise DataError(f"{place}: kpt_shape must be such as [17, 3] (or [17, 2]), not {shorten(value, 40)}")
    return found[0], found[1]


def _flip_idx(value: Any, count: int, place: Path) -> tuple[int, ...]:
    """The key point that each becomes in a mirrored image; raises a DataError for other numbers."""
    found = _whole_numbers([] if value is None else value)
    if found is None or sorted(found) != list(range(len(found))):
        raise DataError(f"{place}: flip_idx must hold each key point once, such as [0, 2, 1]")
    if count and len(found) not in (0, count):
        raise DataError(
            f"{place}: flip_idx holds {len(found)} numbers, and kpt_shape says {count} key points; "
            "it must hold each once"
        )
    if any(found[other] != own for own, other in enumerate(found)):
        raise DataError(f"{place}: flip_idx must exchange key points in pairs, as a mirror does")
    return found


def _whole_numbers(value: Any) -> tuple[int, ...] | None:
    """A list of whole numbers, or None."""
    numbers = [number(item) for item in value] if isinstance(value, list) else [None]
    whole = tuple(int(item) for item in numbers if item is not None and item.is_integer())
    return whole if len(whole) == len(numbers) else None


def _names(value: Any, count: int, place: Path) -> tuple[str, ...]:
    """The names of key points: a list, or one for each class number as in Ultralytics' files."""
    if value is None or not count:
        return tuple(map(str, range(count)))
    lists = list(value.values()) if isinstance(value, dict) else [value]
    if any(each != lists[0] for each in lists):
        raise DataError(f"{place}: kpt_names must be the same for all classes")
    listed = lists[0] if lists else None
    if not isinstance(listed, list) or len(listed) != count or len(set(map(str, listed))) != count:
        raise DataError(f"{place}: kpt_names must be {count} different names, as kpt_shape says")
    if not all(isinstance(name, (str, int)) for name in listed):
        raise DataError(f"{place}: kpt_names must hold text only")
    return tuple(map(str, listed))


def _skeleton(value: Any, count: int, place: Path) -> tuple[tuple[int, int], ...]:
    """Pairs of key points, from 0."""
    if value is None or not count:
        return ()
    pairs = [_whole_numbers(pair) for pair in value] if isinstance(value, list) else [None]
    if any(pair is None or len(pair) != 2 or not 0 <= min(pair) <= max(pair) < count for pair in pairs):
        raise DataError(f"{place}: skeleton must hold pairs of key points from 0 to {count - 1}")
    return tuple((pair[0], pair[1]) for pair in pairs if pair)
