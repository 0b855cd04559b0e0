"""A preview sheet of augmented training images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from yolo_cli.augment import preview
from yolo_cli.datasets import hold_out
from yolo_cli.datasets.usable import Say
from yolo_cli.errors import UsageError
from yolo_cli.training.dataset import open_data
from yolo_cli.training.job import TrainJob
from yolo_cli.training.yolo.sizing import choose_size

__all__ = ["augmented_sheet"]

IMAGES = 32  # maximum number of samples to draw from
USUAL_INPUT = ((416, 416), 32)  # input size and stride of most starting networks


def augmented_sheet(job: TrainJob, say: Say) -> NDArray[Any]:
    """A grid of augmented training images with their boxes and class names: uint8 (height, width, 3), RGB.

    Images that training leaves out are left out, and ``say`` is called with a line about them.

    Raises:
        UsageError: if the job's detector is not YOLO.
        DataError: if the data set cannot be used.
    """
    if job.detector != "yolo":
        raise UsageError(f"--preview: only --detector yolo has this option; leave it out for {job.detector}")
    data = open_data(job, say)
    learn = hold_out(data, seed=job.config.seed).in_split("train")
    rng = np.random.default_rng(job.config.seed)
    chosen = [learn.samples[i] for i in rng.permutation(len(learn))[:IMAGES]]
    images = [(sample.read().rgb, sample.ground_truth) for sample in chosen]
    size = job.config.imgsz or choose_size(learn, *USUAL_INPUT)
    return preview(images, learn, rng, job.augment, size)
