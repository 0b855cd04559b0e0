"""What networks see, as data, as text and as images.

Edge filters, learned filters, feature maps and receptive fields; the pixels that a detection rests on; and
the patches that excite the units of each layer most.
"""

from yolo_cli.visualisation.excitation import LayerPatches, show_layers
from yolo_cli.visualisation.filters import Filters, show_filters
from yolo_cli.visualisation.networks import open_network
from yolo_cli.visualisation.saliency import Saliency, show_saliency

__all__ = [
    "Filters",
    "LayerPatches",
    "Saliency",
    "open_network",
    "show_filters",
    "show_layers",
    "show_saliency",
]
