"""The steps of detection as worked examples on the user's image: as data, as text and as images.

Intersection over union of two boxes; a box encoded on the grid, with the anchors that it is assigned to; the
loss term by term; and the way from everything that a detector proposes to what suppression keeps.
"""

from yolo_cli.worked.encoding import Encoding, show_encoding
from yolo_cli.worked.overlap import BoxOverlap, show_overlap
from yolo_cli.worked.stages import Stages, show_stages
from yolo_cli.worked.terms import LossTerms, show_loss

__all__ = [
    "BoxOverlap",
    "Encoding",
    "LossTerms",
    "Stages",
    "show_encoding",
    "show_loss",
    "show_overlap",
    "show_stages",
]
