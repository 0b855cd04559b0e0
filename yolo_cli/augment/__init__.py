"""Data augmentation: change a training image together with its boxes.

All randomness comes from the generator passed in, so the same seed gives the same bytes. Arguments are not
changed, except the generator.
"""

from yolo_cli.augment.pipeline import Labelled, augment, images_needed
from yolo_cli.augment.preview import preview

__all__ = ["Labelled", "augment", "images_needed", "preview"]
