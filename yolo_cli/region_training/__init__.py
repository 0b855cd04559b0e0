"""Data set → trained region detectors: windows, R-CNN, Fast R-CNN."""

from yolo_cli.region_training.train import REGION_DETECTORS, RegionRecipe, train_regions

__all__ = ["REGION_DETECTORS", "RegionRecipe", "train_regions"]
