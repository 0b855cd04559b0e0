"""Neural style transfer of one image, and of the images of a data set."""

from yolo_cli.styling.features import feature_model
from yolo_cli.styling.result import Stylised, stylise
from yolo_cli.styling.transfer import Costs, StyleConfig

__all__ = ["Costs", "StyleConfig", "Stylised", "feature_model", "stylise"]
