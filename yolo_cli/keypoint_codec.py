"""Raw heads → key points.

After its classes, each anchor of a `yolo` head with key points gives tx, ty and tv of each of them:

    x = centre x + tx · width, of the decoded box        y likewise with the height
    visible = σ(tv)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.codec import boxes_from_raw, sigmoid
from yolo_cli.heads import Head, slot_anchors, slot_cells

__all__ = ["decode_keypoints", "keypoints_from_raw"]

Floats = NDArray[np.floating[Any]]


def decode_keypoints(
    raw_heads: Sequence[Floats], heads: Sequence[Head], slot: NDArray[np.integer[Any]]
) -> NDArray[np.float32]:
    """The key points (N, K, 3) of slots (N,): x and y in pixels of the network's input, and visibility.

    Args:
        raw_heads: for each head float32 (rows, columns, `Head.channels`).
        heads: the heads, with K key points each.
        slot: as in `Candidates`.
    """
    points = np.zeros((len(slot), heads[0].key_points, 3), np.float32)  # (N, K, 3)
    first_slot = 0
    for raw, head in zip(raw_heads, heads, strict=True):
        own = slot - first_slot  # (N,)
        here = (own >= 0) & (own < raw.shape[0] * raw.shape[1] * head.boxes)  # (N,)
        points[here] = _keypoints_of(raw, head, own[here])
        first_slot += raw.shape[0] * raw.shape[1] * head.boxes
    return points


def _keypoints_of(raw: Floats, head: Head, slot: NDArray[np.integer[Any]]) -> Floats:
    """The key points (N, K, 3) of slots (N,) of one head."""
    values = raw.reshape(-1, head.values)[slot]  # (N, values)
    shape = (raw.shape[0], raw.shape[1])
    cell, anchor = slot_cells([head], [shape])[slot], slot_anchors([head], [shape])[slot]  # (N, 2) each
    cxcywh = boxes_from_raw(values[:, :4], cell, anchor, head)  # (N, 4)
    xy, logit = keypoints_from_raw(values[:, 5 + head.class_count :], cxcywh)  # (N, K, 2), (N, K)
    return np.concatenate([xy, sigmoid(logit)[..., None]], axis=-1)


def keypoints_from_raw(raw: Any, cxcywh: Any, xp: Any = np) -> tuple[Any, Any]:
    """Decode key points by their boxes; used by detection and by the loss.

    Args:
        raw: (…, 3 · K), the values tx, ty, tv of each point.
        cxcywh: (…, 4), the box that was decoded from the same slot.
        xp: the array library, as for `boxes_from_raw`.

    Returns:
        x and y (…, K, 2) in pixels of the network's input, and tv (…, K), whose σ is the visibility.
    """
    x, y = (cxcywh[..., i : i + 1] + raw[..., i::3] * cxcywh[..., i + 2 : i + 3] for i in (0, 1))  # (…, K)
    return xp.stack([x, y], axis=-1), raw[..., 2::3]
