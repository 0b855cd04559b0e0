"""Write ``data.yaml``: the splits, key points and class names of a data set in YOLO form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from yolo_cli.datasets.sample import UNSPLIT

__all__ = ["description"]


def description(
    splits: Iterable[str],
    class_names: Sequence[str],
    kpt_shape: tuple[int, int] | None = None,
    keypoint_names: Sequence[str] = (),
    flip_idx: Sequence[int] = (),
    skeleton: Sequence[tuple[int, int]] = (),
) -> str:
    """The text of ``data.yaml``. Images are in ``images/SPLIT``; those without a split become "train".

    Args:
        splits: the names of the splits.
        class_names: the name of each class id.
        kpt_shape: as in `Dataset`; without it, columns of key points would be taken for an outline.
        keypoint_names: as in `Dataset`; numbers are left out: they replace missing names.
        flip_idx: as in `Dataset`.
        skeleton: as in `Dataset`.
    """
    keys: dict[str, Any] = {
        "train" if split == UNSPLIT else split: "images" if split == UNSPLIT else f"images/{split}"
        for split in splits
    }
    if kpt_shape:
        numbers = list(map(str, range(kpt_shape[0])))
        known = {
            "flip_idx": list(flip_idx),
            "kpt_names": [] if list(keypoint_names) == numbers else list(keypoint_names),
            "skeleton": [list(pair) for pair in skeleton],
        }
        keys["kpt_shape"] = list(kpt_shape)
        keys |= {key: values for key, values in known.items() if values}
    keys["names"] = dict(enumerate(class_names))
    return yaml.safe_dump(keys, sort_keys=False, allow_unicode=True)
