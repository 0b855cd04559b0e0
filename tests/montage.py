"""Montages of the images of `coco128-val` at their own size, and what detectors find on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tests.shared import SHARED
from yolo_cli.datasets import Sample, open_dataset
from yolo_cli.detections import Detections, GroundTruth
from yolo_cli.evaluation import ClassMatch, Evaluator, Report, evaluate, match_classes
from yolo_cli.images import Image

__all__ = ["Montage", "figures", "montages", "one_by_one"]

SIZE = (3000, 4000)
Find = Callable[[Image], Detections]


@dataclass(frozen=True)
class Montage:
    """An image of images, with the upper left corner, x and y, of each."""

    image: Image
    samples: Sequence[tuple[Sample, tuple[int, int]]]

    def ground_truth(self, match: ClassMatch) -> GroundTruth:
        parts = [(match.ground_truth(sample.ground_truth), at) for sample, at in self.samples]
        return GroundTruth(
            np.concatenate([marked.xyxy + np.tile(at, 2) for marked, at in parts]),
            np.concatenate([marked.class_id for marked, _ in parts]),
            np.concatenate([marked.crowd for marked, _ in parts]),
        )


def montages() -> Iterator[Montage]:
    """All images, in shelves by their height, on as few montages as that takes; the rest is grey."""
    samples = list(open_dataset(str(SHARED / "data" / "coco128-val")).samples)
    samples.sort(key=lambda sample: sample.read().height)
    while samples:
        rgb, placed, y = np.full((*SIZE, 3), 128, np.uint8), [], 0
        while samples and y + samples[0].read().height <= SIZE[0]:
            x = highest = 0
            while samples and x + (pixels := samples[0].read().rgb).shape[1] <= SIZE[1]:
                height, width = pixels.shape[:2]
                if y + height > SIZE[0]:
                    break
                rgb[y : y + height, x : x + width] = pixels
                placed.append((samples.pop(0), (x, y)))
                x, highest = x + width, max(highest, height)
            y += highest
        yield Montage(Image(rgb, "montage"), placed)


def figures(class_names: Sequence[str], find: Find, made: Sequence[Montage]) -> Report:
    """The figures of what is found on montages."""
    match = match_classes(tuple(class_names), _names())
    evaluator = Evaluator(match.names)
    for number, montage in enumerate(made):
        evaluator.add(f"{number}", match.found(find(montage.image)), montage.ground_truth(match))
    return evaluate(evaluator.gathered())


def one_by_one(class_names: Sequence[str], find: Find, made: Sequence[Montage]) -> Report:
    """The figures of what is found on the images of montages alone."""
    match = match_classes(tuple(class_names), _names())
    evaluator = Evaluator(match.names)
    for sample, _ in (each for montage in made for each in montage.samples):
        evaluator.add(sample.name, match.found(find(sample.read())), match.ground_truth(sample.ground_truth))
    return evaluate(evaluator.gathered())


def _names() -> tuple[str, ...]:
    return open_dataset(str(SHARED / "data" / "coco128-val")).class_names
