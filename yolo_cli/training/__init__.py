"""A data set in, a trained detector out.

Importing this package imports no framework; `train` does.
"""

from __future__ import annotations

from yolo_cli.training.job import TrainJob, read_job

__all__ = ["TrainJob", "read_job"]
