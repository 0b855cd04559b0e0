"""What the fake detector of `conftest` finds, and what a command saved."""

from __future__ import annotations

from pathlib import Path

A = {
    "image": "p/a.jpg",
    "width": 60,
    "height": 40,
    "detections": [
        {"class_id": 1, "class_name": "dog", "confidence": 0.8765, "box": [0.0, 0.0, 30.0, 40.0]},
        {"class_id": 0, "class_name": "cat", "confidence": 0.4, "box": [0.0, 0.0, 10.0, 20.0]},
    ],
}


def without_times(record):
    return {key: value for key, value in record.items() if key != "time_ms"}


def saved(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())
