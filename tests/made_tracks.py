"""Tracks made for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from yolo_cli.tracks import Tracks

__all__ = ["tracks_of", "tracks_strategy"]

Row = tuple[int, int, float]


def tracks_of(rows: Sequence[Row], width: float = 10.0) -> Tracks:
    """Boxes 10 high and ``width`` wide: frame, id and left edge of each."""
    table = np.array(rows, float).reshape(-1, 3)
    left = table[:, 2]
    xyxy = np.stack([left, np.zeros(len(left)), left + width, np.full(len(left), 10.0)], axis=1)
    frame, track_id = table[:, :2].astype(int).T
    return Tracks(frame, track_id, xyxy, np.ones(len(left)), np.zeros(len(left), int))


@st.composite
def tracks_strategy(draw: st.DrawFn, smallest: int = 0) -> Tracks:
    """Up to 20 boxes in 6 frames, with up to 5 ids, at 30 places in a row."""
    keys = st.tuples(st.integers(0, 5), st.integers(1, 5))
    chosen = draw(st.lists(keys, min_size=smallest, max_size=20, unique=True))
    return tracks_of([(frame, name, float(draw(st.integers(0, 30)))) for frame, name in chosen])
