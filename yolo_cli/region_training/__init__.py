"""Data set → trained region detectors: windows, R-CNN, Fast R-CNN."""

from yolo_cli.region_training.job import RegionJob, read_region_job, write_region_job
from yolo_cli.region_training.run import Run, Watcher
from yolo_cli.region_training.train import REGION_DETECTORS, RegionRecipe, train_regions

__all__ = [
    "REGION_DETECTORS",
    "RegionJob",
    "RegionRecipe",
    "Run",
    "Watcher",
    "read_region_job",
    "train_regions",
    "write_region_job",
]
