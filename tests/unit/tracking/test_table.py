"""One row for each object."""

from __future__ import annotations

import numpy as np

from yolo_cli.tracking.table import TrackTable
from yolo_cli.tracks import Tracks


def seen(frame: int, track_id: int, left: float, class_id: int = 0) -> Tracks:
    box = np.array([[left, 0, left + 10, 20]])
    return Tracks(np.array([frame]), np.array([track_id]), box, np.ones(1), np.array([class_id]))


def test_rows() -> None:
    table = TrackTable()
    for tracks, time_s in ((seen(0, 1, 0), 0.0), (seen(1, 1, 3, 1), 0.1), (seen(1, 2, 50), None)):
        table.update(tracks, time_s)
    table.update(seen(4, 1, 1, 1), 0.4)
    assert len(table) == 2
    first, second = (each.to_dict(("cat", "dog")) for each in table.objects)
    # 3 to the right and 2 back; the class is the last vote; frames 0, 1 and 4.
    assert first == {
        "track_id": 1,
        "class_id": 1,
        "class_name": "dog",
        "first_frame": 0,
        "last_frame": 4,
        "first_s": 0.0,
        "last_s": 0.4,
        "frames": 3,
        "path_px": 5.0,
    }
    assert (second["class_name"], second["first_s"], second["frames"]) == ("cat", None, 1)
