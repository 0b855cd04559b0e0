"""A process that runs a model in one engine, as often as it is told to.

Started as ``python -m yolo_cli.benchmarking.worker``, with its task in JSON. On standard output it writes the
milliseconds of the batches that each line of standard input asks for, and at its end its peak memory.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

__all__ = ["main"]


def main(task: str) -> int:
    """Load, then measure until standard input ends."""
    from yolo_cli.errors import UserError

    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a framework prints is not an answer
    try:
        detector, image = _load(json.loads(task))
    except UserError as fault:
        _answer(answers, error=fault.text)
        return 0
    _answer(answers, ready=True)
    for line in sys.stdin:
        batch, runs = json.loads(line)
        _answer(answers, milliseconds=[_time(detector, [image] * batch) for _ in range(runs)])
    from yolo_cli.comparison.memory import peak_memory

    _answer(answers, peak=peak_memory())
    return 0


def _load(task: dict[str, Any]) -> tuple[Any, Any]:
    """The detector, and the image that it is timed on."""
    from yolo_cli.config import DetectConfig
    from yolo_cli.detectors import load_detector
    from yolo_cli.images import read_image

    image, imgsz = read_image(task.pop("image")), task.pop("imgsz", None)
    return load_detector(**task, config=DetectConfig(imgsz=imgsz and tuple(imgsz))), image


def _time(detector: Any, images: list[Any]) -> float:
    """Milliseconds of the detection on one batch."""
    start = time.perf_counter()
    detector.detect(images)
    return 1000 * (time.perf_counter() - start)


def _answer(answers: Any, **values: Any) -> None:
    answers.write(json.dumps(values) + "\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
