"""Change a training image, and its boxes with it.

Everything random comes from the generator that the caller hands in, so that the same seed gives the same
bytes; nothing that is handed in is changed, but for the generator.
"""

from yolo_cli.augment.pipeline import Labelled, augment, images_needed
from yolo_cli.augment.preview import preview

__all__ = ["Labelled", "augment", "images_needed", "preview"]
